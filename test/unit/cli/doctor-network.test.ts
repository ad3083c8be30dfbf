import { describe, expect, it } from "vitest";
import { utf8Encode } from "../../../src/bytes.ts";
import { diagnose } from "../../../src/cli/doctor/diagnose.ts";
import type { DoctorOptions, DoctorPorts } from "../../../src/cli/doctor/ports.ts";
import type { DoctorReport } from "../../../src/cli/doctor/report.ts";
import {
  awsBehaviour,
  Broker,
  type BrokerAction,
  type BrokerConnection,
  type BrokerOptions,
  type CloseReason,
} from "../../../src/mqtt/broker.ts";
import { silent } from "../../../src/ports.ts";
import { nodeCrypto } from "../../../src/runtime/node-crypto.ts";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { encodeJson } from "../../../src/shadow/json.ts";
import { ShadowService } from "../../../src/shadow/service.ts";
import { type Ended, endOrderly, serveMqtt } from "../../../src/simulator/serve.ts";
import { serveShadows } from "../../../src/simulator/shadow-bridge.ts";
import { Alert } from "../../../src/tls/alerts.ts";
import type { TlsServerOptions } from "../../../src/tls/events.ts";
import { encodePrivateKey, parsePrivateKey, toPem } from "../../../src/tls/x509/index.ts";
import { TransportError, type TransportErrorCode } from "../../../src/transport/errors.ts";
import { type MemoryFaults, memoryPair } from "../../../src/transport/memory.ts";
import { type TlsServerTransport, tlsServer } from "../../../src/transport/tls-server.ts";
import type { Transport, TransportHandler } from "../../../src/transport/transport.ts";
import { forClient, forLocalhost, type Issued, makeAuthority } from "../transport/pki.ts";
import { DAY, entity } from "../x509/pki.ts";
import { accusations, type Files, optionsOf, portsOf, secretsOf } from "./doctor-bench.ts";

const crypto = nodeCrypto();
const authority = makeAuthority("local CA");
const stranger = makeAuthority("another CA");
const server = authority.issue("localhost", forLocalhost);
const device = authority.issue("lamp", forClient);
const runtime = nodeRuntime;

const files: Files = { "client.crt": device.certificate, "client.key": device.privateKey, "ca.crt": authority.pem };

/** What listens at the port; called for each connection. */
type Listener = (accepted: Transport) => void;

interface Case {
  readonly listen?: Listener;
  readonly options?: Partial<DoctorOptions>;
  readonly ports?: Partial<DoctorPorts>;
  readonly files?: Files;
  /** On the way to the doctor. */
  readonly faults?: MemoryFaults;
  /** Something is waited for that does not come. */
  readonly isSilent?: boolean;
}

/** Waiting in vain shall be short, and nothing healthy shall fail on a busy machine. */
function limits({ isSilent }: Case): Partial<DoctorOptions> {
  return isSilent === true ? { timeoutMs: 1_500, answerTimeoutMs: 500 } : { timeoutMs: 8_000 };
}

async function examine(patient: Case): Promise<{ report: DoctorReport; found: string[] }> {
  const all = { ...files, ...patient.files };
  const ports = portsOf({
    files: all,
    ports: {
      tcp: () => {
        const [client, accepted] = memoryPair({ toFirst: patient.faults });
        (patient.listen ?? tlsBroker())(accepted);
        return client;
      },
      ...patient.ports,
    },
  });
  const options = optionsOf({
    files: all,
    options: { ca: "ca.crt", thingName: "lamp", ...limits(patient), ...patient.options },
  });
  const report = await diagnose(options, ports);
  const text = JSON.stringify(report);
  for (const secret of secretsOf(all)) expect(text).not.toContain(secret);
  return { report, found: accusations(report) };
}

// ---- what can listen ----

const ignoring: TransportHandler = { onData: () => {}, onWritable: () => {}, onEnd: () => {}, onError: () => {} };

/** Never says a word. */
const deaf: Listener = (accepted) =>
  accepted.open({ onData: () => {}, onWritable: () => {}, onEnd: () => {}, onError: () => {} });

/** Says something as soon as it is spoken to, and hangs up. */
function says(text: string): Listener {
  return (accepted) =>
    accepted.open({
      onData: () => {
        accepted.write(utf8Encode(text));
        endOrderly(accepted);
      },
      onWritable: () => {},
      onEnd: () => {},
      onError: () => {},
    });
}

/** Answers what starts with an octet, and nothing else. */
function onlyTo(octet: number, answer: readonly number[]): Listener {
  return (accepted) =>
    accepted.open({
      ...ignoring,
      onData: (view) => {
        if (view[0] === octet) accepted.write(new Uint8Array(answer));
      },
    });
}

function overTls(
  serve: (client: TlsServerTransport) => unknown,
  more: Partial<TlsServerOptions> = {},
  identity: Issued = server,
): Listener {
  return (accepted) =>
    serve(
      tlsServer(accepted, {
        crypto,
        random: runtime.random,
        timers: runtime.timers,
        clientCertificate: "require",
        select: () => ({
          identity: { certificates: [identity.certificateDer], privateKey: parsePrivateKey(identity.privateKeyDer) },
        }),
        ...more,
      }),
    );
}

const opened = (client: Transport): void => client.open(ignoring);

/** A TLS server that refuses the client's certificate with an alert. */
function refuses(alert: number): Listener {
  return overTls(opened, { admit: () => alert });
}

/** A TLS server that refuses in answer to ClientHello, whatever is offered. */
function rejects(alert: number): Listener {
  return overTls(opened, { select: () => ({ alert }) });
}

/** TLS, and then bytes in answer to the first data, or none. */
function answers(bytes: readonly number[] | undefined, end?: (client: TlsServerTransport) => void): Listener {
  return overTls((client) => {
    let answered = false;
    client.open({
      onData: () => {
        if (!answered && bytes !== undefined) client.write(new Uint8Array(bytes));
        answered = true;
        end?.(client);
      },
      onWritable: () => {},
      onEnd: () => {},
      onError: () => {},
    });
  });
}

interface CloudOptions {
  readonly behaviour?: Partial<BrokerOptions>;
  /** Actions that are denied, by a text like `publish $aws/things/lamp/shadow/get`. */
  readonly denied?: (action: string) => boolean;
  /** `drop` ends all connections. */
  readonly shadows?: boolean | ((broker: Broker, drop: () => void) => void);
  readonly alert?: number;
  readonly tls?: Partial<TlsServerOptions>;
  readonly prepare?: (broker: Broker) => void;
  /** Ends each connection so long after its CONNECT. */
  readonly dropsAfterMs?: number;
}

function textOf(action: BrokerAction): string {
  switch (action.type) {
    case "connect":
      return `connect ${action.clientId}`;
    case "subscribe":
      return `subscribe ${action.filter}`;
    default:
      return `${action.type} ${action.topic}`;
  }
}

/** A broker as AWS IoT has it, one for all connections of a case. */
function tlsBroker({
  behaviour,
  denied = () => false,
  shadows = true,
  alert,
  tls,
  prepare,
  dropsAfterMs,
}: CloudOptions = {}): Listener {
  const broker = new Broker({
    ...awsBehaviour,
    now: () => runtime.clock.now(),
    authorize: (action) => {
      if (action.type === "connect" && dropsAfterMs !== undefined)
        setTimeout(() => connections.at(-1)?.close("dropped"), dropsAfterMs);
      return denied(textOf(action)) ? { denied: "by the test" } : true;
    },
    ...behaviour,
  });
  const connections: BrokerConnection[] = [];
  if (shadows === true) serveShadows(broker, new ShadowService({ now: () => 1 }), silent);
  else if (shadows !== false) shadows(broker, () => connections.forEach((one) => void one.close("dropped")));
  prepare?.(broker);
  const end = (transport: Transport, reason: CloseReason): Ended => {
    if (alert === undefined || !reason.kind.startsWith("denied")) return endOrderly(transport);
    (transport as TlsServerTransport).abort(alert);
    return "destroyed";
  };
  return overTls((client) => connections.push(serveMqtt(broker, client, runtime, { end })), tls);
}

/** A network that fails before anything listens. */
function broken(code: TransportErrorCode): Partial<DoctorPorts> {
  const nothing = (): void => {};
  const tcp = (): Transport => ({
    description: "tcp, scripted",
    open: (handler) => void runtime.timers.set(0, () => handler.onError(new TransportError(code, "scripted"))),
    write: () => 0,
    reserve: () => new Uint8Array(0),
    ...{ commit: nothing, pause: nothing, resume: nothing, shutdown: nothing, destroy: nothing },
  });
  return { tcp };
}

function clockAt(days: number): Partial<DoctorPorts> {
  const wallMs = (): number => Date.now() + days * 86_400_000;
  return { runtime: { ...runtime, clock: { ...runtime.clock, wallMs } } };
}

const shadow = "$aws/things/lamp/shadow";
const connectClosed = "connect DOCTOR_CONNECT_CLOSED";
const dropped = "session DOCTOR_CONNECTION_DROPPED";
/** Another client takes the client id a moment after each CONNECT. No request comes through, as if all were denied. */
const rival = (): Listener => tlsBroker({ denied: (action) => !action.startsWith("connect"), dropsAfterMs: 30 });
const patient: Partial<DoctorOptions> = { pauseMs: 400 };

const awayFromAws: Partial<BrokerOptions> = { retainReserved: true, retainedForWildcards: true };

const table: readonly (readonly [name: string, patient: Case, expected: readonly string[]])[] = [
  ["a URL", { options: { endpoint: "https://abc-ats.iot.eu-west-1.amazonaws.com" } }, ["endpoint DOCTOR_ENDPOINT_URL"]],
  ["a path", { options: { endpoint: "abc-ats.iot.eu-west-1.amazonaws.com/mqtt" } }, ["endpoint DOCTOR_ENDPOINT_URL"]],
  ["a port in the name", { options: { endpoint: "localhost:8883" } }, ["endpoint DOCTOR_ENDPOINT_PORT"]],
  ["a placeholder", { options: { endpoint: "<your-endpoint>" } }, ["endpoint DOCTOR_ENDPOINT_INVALID"]],
  ["an IPv6 address in brackets", { options: { endpoint: "[::1]" } }, ["endpoint DOCTOR_ENDPOINT_INVALID"]],
  ["the old endpoint", { options: { endpoint: "abc.iot.eu-west-1.amazonaws.com" } }, ["endpoint DOCTOR_ENDPOINT_OLD"]],
  ["another service", { options: { endpoint: "bucket.s3.amazonaws.com" } }, ["endpoint DOCTOR_ENDPOINT_NOT_IOT"]],
  [
    "the credential provider",
    { options: { endpoint: "abc.credentials.iot.eu-west-1.amazonaws.com" } },
    ["endpoint DOCTOR_ENDPOINT_NOT_IOT"],
  ],
  ["no region", { options: { endpoint: "abc-ats.iot.europe.amazonaws.com" } }, ["endpoint DOCTOR_ENDPOINT_REGION"]],
  [
    "a name that nobody has",
    { ports: { lookup: async () => ({ problem: "ENOTFOUND" }) } },
    ["dns DOCTOR_DNS_NOT_FOUND"],
  ],
  ["no name server", { ports: { lookup: async () => ({ problem: "EAI_AGAIN" }) } }, ["dns DOCTOR_DNS_NOT_FOUND"]],
  [
    "name servers that do not answer",
    { isSilent: true, ports: { lookup: () => new Promise(() => {}) } },
    ["dns DOCTOR_DNS_NOT_FOUND"],
  ],
  ["a port that nobody has", { ports: broken("TRANSPORT_REFUSED") }, ["tcp DOCTOR_TCP_REFUSED"]],
  ["no network", { ports: broken("TRANSPORT_UNREACHABLE") }, ["tcp DOCTOR_TCP_UNREACHABLE"]],
  ["a firewall", { ports: broken("TRANSPORT_TIMEOUT") }, ["tcp DOCTOR_TCP_TIMEOUT"]],

  ["a port that says nothing", { isSilent: true, listen: deaf }, ["handshake DOCTOR_HANDSHAKE_HANGS"]],
  [
    "a server that stops in the handshake",
    { isSilent: true, faults: { stallAfter: 300 } },
    ["handshake DOCTOR_HANDSHAKE_HANGS"],
  ],
  ["HTTP", { isSilent: true, listen: says("HTTP/1.1 400 Bad Request\r\n\r\n") }, ["handshake DOCTOR_NOT_TLS"]],
  ["SSH", { isSilent: true, listen: says("SSH-2.0-OpenSSH_9.6\r\n") }, ["handshake DOCTOR_NOT_TLS"]],
  [
    "MQTT without TLS",
    {
      listen: (accepted) => void serveMqtt(new Broker({ now: () => runtime.clock.now() }), accepted, runtime),
    },
    ["handshake DOCTOR_NOT_TLS"],
  ],
  ["bytes that only start as TLS", { listen: says("\x16".repeat(9)) }, ["handshake DOCTOR_NOT_TLS"]],
  [
    "MQTT without TLS, from a broker that waits for more of what it does not understand",
    { isSilent: true, listen: onlyTo(0x10, [0x20, 2, 0, 0]) },
    ["handshake DOCTOR_NOT_TLS"],
  ],
  [
    "something that answers CONNECT without TLS, and not by CONNACK",
    { isSilent: true, listen: onlyTo(0x10, [...utf8Encode("ERR")]) },
    ["handshake DOCTOR_HANDSHAKE_HANGS"],
  ],
  ["a server that hangs up", { listen: says("") }, ["handshake DOCTOR_HANDSHAKE_CLOSED"]],
  ["an ALPN port without ALPN", { listen: needsAlpn(Alert.no_application_protocol) }, ["alpn DOCTOR_ALPN_NEEDED"]],
  ["the same, with another alert", { listen: needsAlpn(Alert.handshake_failure) }, ["alpn DOCTOR_ALPN_NEEDED"]],
  [
    "port 443 without ALPN",
    { listen: needsAlpn(Alert.no_application_protocol), options: { port: 443, alpn: [] } },
    ["alpn DOCTOR_ALPN_NEEDED"],
  ],
  [
    "port 443 without ALPN, and HTTPS there",
    {
      listen: answers([...utf8Encode("HTTP/1.1 400 Bad Request\r\n")], (client) => client.shutdown()),
      options: { port: 443, alpn: [] },
    },
    ["alpn DOCTOR_ALPN_NEEDED"],
  ],
  [
    "a wrong ALPN name",
    { listen: needsAlpn(Alert.no_application_protocol), options: { port: 443, alpn: ["x-amzn-http-ca"] } },
    ["alpn DOCTOR_ALPN_NEEDED"],
  ],
  [
    "ALPN where none is taken",
    { listen: rejects(Alert.no_application_protocol), options: { port: 443 } },
    ["alpn DOCTOR_ALPN_REFUSED"],
  ],
  ["only TLS 1.3", { listen: rejects(Alert.protocol_version) }, ["handshake DOCTOR_TLS_VERSION"]],
  ["no common suite", { listen: rejects(Alert.handshake_failure) }, ["handshake DOCTOR_NO_COMMON_SUITE"]],
  ["insufficient security", { listen: rejects(Alert.insufficient_security) }, ["handshake DOCTOR_NO_COMMON_SUITE"]],
  ["an unknown name", { listen: rejects(Alert.unrecognized_name) }, ["handshake DOCTOR_SERVER_NAME_UNKNOWN"]],
  ["an internal error", { listen: rejects(Alert.internal_error) }, ["handshake DOCTOR_SERVER_ALERT"]],

  [
    "Amazon's roots for a local server",
    { options: { ca: undefined } },
    ["server-certificate DOCTOR_SERVER_NOT_TRUSTED"],
  ],
  ["another CA", { files: { "ca.crt": stranger.pem } }, ["server-certificate DOCTOR_SERVER_NOT_TRUSTED"]],
  [
    "a server that has expired",
    { listen: overTls(opened, {}, authority.issue("localhost", forLocalhost, { from: -20, to: -2 })) },
    ["server-certificate DOCTOR_SERVER_EXPIRED"],
  ],
  [
    "a server of tomorrow",
    { listen: overTls(opened, {}, authority.issue("localhost", forLocalhost, { from: 2, to: 20 })) },
    ["server-certificate DOCTOR_SERVER_NOT_YET_VALID"],
  ],
  [
    "a clock that is a week behind",
    { ports: clockAt(-7) },
    ["certificate-dates DOCTOR_CERTIFICATE_NOT_YET_VALID", "server-certificate DOCTOR_SERVER_NOT_YET_VALID"],
  ],
  [
    "a certificate for another host",
    {
      listen: overTls(
        opened,
        {},
        authority.issue("localhost", { ...forLocalhost, dnsNames: ["example.com"], ipAddresses: [] }),
      ),
    },
    ["host-name DOCTOR_HOST_NAME_MISMATCH"],
  ],
  [
    "a server whose certificate breaks two rules: told once",
    {
      listen: overTls(
        opened,
        {},
        authority.issue("localhost", { ...forLocalhost, keyUsage: ["cRLSign"], extendedKeyUsage: ["clientAuth"] }),
      ),
    },
    ["server-certificate DOCTOR_SERVER_UNFIT"],
  ],
  [
    "a server with a client's certificate",
    {
      listen: overTls(opened, {}, authority.issue("localhost", { ...forLocalhost, extendedKeyUsage: ["clientAuth"] })),
    },
    ["server-certificate DOCTOR_SERVER_UNFIT"],
  ],

  [
    "not registered (46)",
    { listen: refuses(Alert.certificate_unknown) },
    ["client-certificate DOCTOR_CERTIFICATE_REFUSED"],
  ],
  ["INACTIVE (42)", { listen: refuses(Alert.bad_certificate) }, ["client-certificate DOCTOR_CERTIFICATE_REFUSED"]],
  ["access denied (49)", { listen: refuses(Alert.access_denied) }, ["client-certificate DOCTOR_CERTIFICATE_REFUSED"]],
  [
    "handshake_failure after the certificate (40)",
    { listen: refuses(Alert.handshake_failure) },
    ["client-certificate DOCTOR_CERTIFICATE_REFUSED"],
  ],
  ["revoked (44)", { listen: refuses(Alert.certificate_revoked) }, ["client-certificate DOCTOR_CERTIFICATE_REVOKED"]],
  [
    "expired, says the server (45)",
    { listen: refuses(Alert.certificate_expired) },
    ["client-certificate DOCTOR_CERTIFICATE_REFUSED_EXPIRED"],
  ],
  ["an unregistered CA (48)", { listen: refuses(Alert.unknown_ca) }, ["client-certificate DOCTOR_ISSUER_UNKNOWN"]],
  [
    "a signature that does not verify (51)",
    { listen: refuses(Alert.decrypt_error) },
    ["client-certificate DOCTOR_KEY_PROOF_REFUSED"],
  ],
  [
    "an internal error of the server after the certificate (80)",
    { listen: refuses(Alert.internal_error) },
    ["handshake DOCTOR_SERVER_ALERT"],
  ],
  [
    "another device's key: the server is not asked",
    { files: { "client.key": authority.issue("other", forClient).privateKey } },
    ["key-match DOCTOR_KEY_MISMATCH"],
  ],
  [
    "a chain upside down: the server is not asked",
    { files: { "client.crt": authority.pem + device.certificate } },
    ["certificate-role DOCTOR_CHAIN_ORDER"],
  ],
  [
    "a CA file without a CA: the server is not accused",
    { files: { "ca.crt": device.privateKey } },
    ["ca-file DOCTOR_CA_UNUSABLE"],
  ],
  [
    "a self-signed certificate that was revoked",
    { listen: refuses(Alert.certificate_revoked), files: selfSigned() },
    ["client-certificate DOCTOR_CERTIFICATE_REVOKED"],
  ],
  [
    "a self-signed certificate",
    { listen: refuses(Alert.unknown_ca), files: selfSigned() },
    ["client-certificate DOCTOR_SELF_SIGNED_REFUSED"],
  ],
  [
    "a server that drops an unknown certificate silently",
    { listen: silentRefusal },
    ["client-certificate DOCTOR_CERTIFICATE_REFUSED_SILENTLY"],
  ],

  [
    "CONNECT closed: no policy",
    { listen: tlsBroker({ denied: (action) => action === "connect lamp" }) },
    [connectClosed],
  ],
  [
    "CONNECT closed with an alert",
    { listen: tlsBroker({ denied: (action) => action === "connect lamp", alert: Alert.access_denied }) },
    ["connect DOCTOR_CONNECT_ALERT"],
  ],
  [
    "a server that hangs up behind its Finished",
    { listen: overTls((client) => client.open({ ...ignoring, onWritable: () => client.shutdown() })) },
    [connectClosed],
  ],
  ["CONNECT without an answer", { isSilent: true, listen: answers(undefined) }, ["connect DOCTOR_CONNECT_HANGS"]],
  [
    "HTTPS",
    { listen: answers([...utf8Encode("HTTP/1.1 400 Bad Request\r\n")], (client) => client.shutdown()) },
    ["connect DOCTOR_NOT_MQTT"],
  ],
  [
    "a CONNACK that keeps a session nobody asked for",
    { listen: answers([0x20, 2, 1, 0]) },
    ["connect DOCTOR_BROKER_UNSOUND"],
  ],
  ["CONNACK as MQTT 5 has it", { listen: answers([0x20, 3, 0, 0x84, 0]) }, ["connect DOCTOR_BROKER_UNSOUND"]],
  [
    "a packet that MQTT does not have, at SUBSCRIBE",
    {
      listen: answers([0x20, 2, 0, 0], (client) => void setTimeout(() => client.write(new Uint8Array([0xf0, 0])), 20)),
    },
    ["session DOCTOR_BROKER_UNSOUND"],
  ],
  ["another client with the same client id", { listen: rival(), options: patient }, [dropped]],
  ["the same, with a topic", { listen: rival(), options: { ...patient, topic: "app/a" } }, [dropped]],
  ["the same, without a thing", { listen: rival(), options: { ...patient, thingName: undefined } }, [dropped]],
  [
    "another client with the same client id, which comes back after a while",
    { listen: tlsBroker({ shadows: false, dropsAfterMs: 300 }), options: { answerTimeoutMs: 4_000 } },
    [dropped],
  ],
  ["CONNACK 1", { listen: answers([0x20, 2, 0, 1]) }, ["connect DOCTOR_CONNECT_REFUSED_VERSION"]],
  ["CONNACK 2", { listen: answers([0x20, 2, 0, 2]) }, ["connect DOCTOR_CONNECT_REFUSED_CLIENT_ID"]],
  ["CONNACK 3", { listen: answers([0x20, 2, 0, 3]) }, ["connect DOCTOR_CONNECT_REFUSED_UNAVAILABLE"]],
  ["CONNACK 4", { listen: answers([0x20, 2, 0, 4]) }, ["connect DOCTOR_CONNECT_REFUSED_CREDENTIALS"]],
  ["CONNACK 5", { listen: answers([0x20, 2, 0, 5]) }, ["connect DOCTOR_CONNECT_REFUSED_NOT_AUTHORIZED"]],
  [
    "CONNACK 7",
    { listen: tlsBroker({ denied: (action) => action === "connect lamp", behaviour: { deniedConnect: "connack-7" } }) },
    ["connect DOCTOR_CONNECT_REFUSED_OTHER"],
  ],
  [
    "a client id that is not the thing's name",
    { listen: tlsBroker({ denied: (action) => action === "connect phone" }), options: { clientId: "phone" } },
    [connectClosed, "client-id DOCTOR_CLIENT_ID_DENIED"],
  ],
  [
    "both client ids denied",
    { listen: tlsBroker({ denied: (action) => action.startsWith("connect") }), options: { clientId: "phone" } },
    [connectClosed],
  ],
  [
    "the thing's name in another case",
    { listen: tlsBroker({ denied: (action) => action === "connect Lamp" }), options: { thingName: "Lamp" } },
    ["thing-name DOCTOR_THING_NAME_CASE?", connectClosed],
  ],
  ["a filter for a thing's name", { options: { thingName: "+" } }, ["thing-name DOCTOR_THING_NAME_INVALID"]],
  ["a thing's name with a space", { options: { thingName: "my lamp" } }, ["thing-name DOCTOR_THING_NAME_INVALID"]],

  [
    "SUBSCRIBE denied, closed",
    { listen: tlsBroker({ denied: (action) => action === `subscribe ${shadow}/get/accepted` }) },
    ["subscribe DOCTOR_SUBSCRIBE_CLOSED"],
  ],
  [
    "SUBSCRIBE denied, 128",
    {
      listen: tlsBroker({
        denied: (action) => action.startsWith(`subscribe ${shadow}/get/`),
        behaviour: { deniedSubscribe: "suback" },
      }),
    },
    ["subscribe DOCTOR_SUBSCRIBE_REFUSED"],
  ],
  [
    "PUBLISH denied",
    { listen: tlsBroker({ denied: (action) => action === `publish ${shadow}/get` }) },
    ["publish DOCTOR_PUBLISH_CLOSED"],
  ],
  [
    "iot:Receive denied",
    { isSilent: true, listen: tlsBroker({ denied: (action) => action.startsWith(`receive ${shadow}/get`) }) },
    ["receive DOCTOR_RECEIVE_SILENT"],
  ],
  [
    "SUBSCRIBE denied on the topic",
    { listen: tlsBroker({ denied: (action) => action === "subscribe app/a" }), options: { topic: "app/a" } },
    ["subscribe DOCTOR_SUBSCRIBE_CLOSED"],
  ],
  [
    "PUBLISH denied on the topic",
    { listen: tlsBroker({ denied: (action) => action === "publish app/a" }), options: { topic: "app/a" } },
    ["publish DOCTOR_PUBLISH_CLOSED"],
  ],
  [
    "iot:Receive denied on the topic",
    {
      isSilent: true,
      listen: tlsBroker({ denied: (action) => action === "receive app/a" }),
      options: { topic: "app/a" },
    },
    ["receive DOCTOR_RECEIVE_SILENT"],
  ],
  [
    "the shadow's get denied, another topic allowed",
    { listen: tlsBroker({ denied: (action) => action === `publish ${shadow}/get` }), options: { topic: "app/a" } },
    ["shadow-get DOCTOR_PUBLISH_CLOSED"],
  ],
  [
    "the shadow's update denied",
    { listen: tlsBroker({ denied: (action) => action === `publish ${shadow}/update` }) },
    ["shadow-update DOCTOR_PUBLISH_CLOSED"],
  ],
  [
    "the answer to update denied",
    { isSilent: true, listen: tlsBroker({ denied: (action) => action.startsWith(`receive ${shadow}/update`) }) },
    ["shadow-update DOCTOR_RECEIVE_SILENT"],
  ],
  [
    "the subscription to update/accepted denied",
    { listen: tlsBroker({ denied: (action) => action === `subscribe ${shadow}/update/accepted` }) },
    ["shadow-update DOCTOR_SUBSCRIBE_CLOSED"],
  ],
  [
    "SUBSCRIBE without SUBACK",
    { isSilent: true, listen: answers([0x20, 2, 0, 0]) },
    ["subscribe DOCTOR_SUBSCRIBE_SILENT", "publish DOCTOR_PUBLISH_SILENT", "shadow-update DOCTOR_SUBSCRIBE_SILENT"],
  ],
  [
    "a shadow service that refuses get",
    { listen: tlsBroker({ shadows: (broker) => alwaysRejects(broker, "get", 403) }) },
    ["shadow-get DOCTOR_SHADOW_REFUSED"],
  ],
  [
    "a shadow service that fails at update",
    { listen: tlsBroker({ shadows: (broker) => alwaysRejects(broker, "update", 500) }) },
    ["shadow-update DOCTOR_SHADOW_REFUSED"],
  ],
  [
    "a shadow service that knows the shadow at get, and not at update",
    { listen: tlsBroker({ shadows: (broker) => alwaysRejects(broker, "update", 404) }) },
    ["shadow-update DOCTOR_SHADOW_REFUSED"],
  ],
  [
    "a server that breaks the handshake",
    { listen: tlsBroker({ tls: { deviations: [{ on: "ServerHelloDone", times: 2 }] } }) },
    ["handshake DOCTOR_HANDSHAKE_FAILED"],
  ],
  [
    "a connection that is lost once",
    { listen: tlsBroker({ denied: once(`publish ${shadow}/get`) }) },
    ["session DOCTOR_CONNECTION_UNSTABLE?"],
  ],
  [
    "a server that hangs up instead of answering",
    { listen: tlsBroker({ shadows: hangsUp }) },
    ["receive DOCTOR_RECEIVE_CLOSED", "shadow-update DOCTOR_RECEIVE_CLOSED"],
  ],
  [
    "no JSON on the shadow's topic",
    { listen: tlsBroker({ shadows: garbage }) },
    ["shadow-get DOCTOR_SHADOW_UNREADABLE"],
  ],
  [
    "no shadow service at an ordinary broker",
    { isSilent: true, listen: tlsBroker({ shadows: false, behaviour: awayFromAws, prepare: tellsVersion }) },
    ["shadow-get DOCTOR_NO_SHADOW_SERVICE?"],
  ],
  [
    "no shadow service, and nobody says why",
    { isSilent: true, listen: tlsBroker({ shadows: false }) },
    ["receive DOCTOR_RECEIVE_SILENT", "shadow-update DOCTOR_RECEIVE_SILENT"],
  ],
];

function tellsVersion(broker: Broker): void {
  broker.publish({
    topic: "$SYS/broker/version",
    payload: utf8Encode("mosquitto version 2.0.18"),
    qos: 0,
    retain: true,
  });
}

function alwaysRejects(broker: Broker, operation: "get" | "update", code: number): void {
  const service = new ShadowService({ now: () => 1 });
  const others = operation === "get" ? "update" : "get";
  const request = (name: string): string => `${shadow}/${name}`;
  broker.subscribe(request(operation), () =>
    broker.publish({ topic: `${request(operation)}/rejected`, payload: encodeJson({ code, message: "no" }), qos: 1 }),
  );
  broker.subscribe(request(others), ({ payload }) => {
    const asked = { thingName: "lamp", payload };
    for (const { topic, payload: answer } of others === "get" ? service.get(asked) : service.update(asked))
      broker.publish({ topic, payload: answer, qos: 1 });
  });
}

/** Denies an action the first time. */
function once(denied: string): (action: string) => boolean {
  let left = 1;
  return (action) => action === denied && left-- > 0;
}

/** Ends the connection when the shadow is asked for. */
function hangsUp(broker: Broker, drop: () => void): void {
  for (const operation of ["get", "update"])
    broker.subscribe(`${shadow}/${operation}`, () => void setTimeout(drop, 20));
}

/** A shadow service whose first answer to each kind of request nobody gets. */
function answersTheSecond(broker: Broker): void {
  const service = new ShadowService({ now: () => 1 });
  const asked = new Set<string>();
  for (const operation of ["get", "update"])
    broker.subscribe(`${shadow}/${operation}`, ({ topic, payload }) => {
      if (!asked.has(topic)) asked.add(topic);
      else for (const answer of service.handle(topic, payload) ?? []) broker.publish({ ...answer, qos: 1 });
    });
}

/** The thing itself, or an app, asks at the same time, and is refused. */
function answersOthersToo(broker: Broker): void {
  for (const operation of ["get", "update"])
    broker.subscribe(`${shadow}/${operation}`, () => {
      const payload = encodeJson({ code: 400, message: "no", clientToken: "somebody else's" });
      broker.publish({ topic: `${shadow}/${operation}/rejected`, payload, qos: 1 });
    });
  serveShadows(broker, new ShadowService({ now: () => 1 }), silent);
}

/** Somebody else on the shadow's topics. */
function garbage(broker: Broker): void {
  broker.subscribe(`${shadow}/get`, () =>
    broker.publish({ topic: `${shadow}/get/accepted`, payload: utf8Encode("hello"), qos: 1 }),
  );
  serveShadows(broker, new ShadowService({ now: () => 1 }));
}

function needsAlpn(alert: number): Listener {
  const identity = { certificates: [server.certificateDer], privateKey: parsePrivateKey(server.privateKeyDer) };
  return tlsBroker({
    tls: {
      select: ({ alpn }) => (alpn.includes("x-amzn-mqtt-ca") ? { identity, alpn: "x-amzn-mqtt-ca" } : { alert }),
    },
  });
}

/** A device that vouches for itself. */
function selfSigned(): Files {
  const { der, key } = entity({ name: "lamp", notBefore: Date.now() - DAY, notAfter: Date.now() + DAY });
  return {
    "client.crt": toPem("CERTIFICATE", der),
    "client.key": toPem("PRIVATE KEY", encodePrivateKey(key)),
  };
}

/** Hangs up instead of a Finished. */
function silentRefusal(accepted: Transport): void {
  const admit = (): number => {
    endOrderly(accepted);
    return Alert.certificate_unknown;
  };
  overTls(opened, { admit })(accepted);
}

describe("doctor: every cause in network, TLS and MQTT is named, and nothing else", () => {
  it.concurrent.each(table)("%s", async (_, patient, expected) => {
    const { found } = await examine(patient);
    expect(found).toEqual(expected);
  });
});

const healthy: readonly (readonly [name: string, patient: Case])[] = [
  ["as AWS IoT", {}],
  ["port 443 with ALPN", { listen: needsAlpn(Alert.no_application_protocol), options: { port: 443 } }],
  [
    "another port with ALPN",
    { listen: needsAlpn(Alert.no_application_protocol), options: { alpn: ["x-amzn-mqtt-ca"] } },
  ],
  ["port 443 of an ordinary broker, without ALPN", { options: { port: 443, alpn: [] } }],
  ["byte by byte", { faults: { pieceBytes: 7 } }],
  ["a topic of the app", { options: { topic: "app/a" } }],
  [
    "a topic that alone is allowed",
    { listen: tlsBroker({ denied: (action) => / (?!app\/a|lamp|\$aws)/.test(action) }), options: { topic: "app/a" } },
  ],
  ["without a thing", { options: { thingName: undefined } }],
  [
    "without a thing, where no topic is allowed",
    { listen: tlsBroker({ denied: (action) => !action.startsWith("connect") }), options: { thingName: undefined } },
  ],
  ["a client id of its own", { options: { clientId: "phone" } }],
  [
    "read-only, where update is denied",
    { listen: tlsBroker({ denied: (action) => action.includes("/update") }), options: { readOnly: true } },
  ],
  [
    "an ordinary broker without a thing",
    { listen: tlsBroker({ shadows: false, behaviour: awayFromAws }), options: { thingName: undefined } },
  ],
  ["a server that asks for no certificate", { listen: tlsBroker({ tls: { clientCertificate: "none" } }) }],
  ["an address instead of a name", { options: { endpoint: "127.0.0.1" } }],
  ["a chain, leaf first", { files: { "client.crt": device.certificate + authority.pem } }],
  [
    "CRLF",
    {
      files: {
        "client.crt": device.certificate.replaceAll("\n", "\r\n"),
        "client.key": device.privateKey.replaceAll("\n", "\r\n"),
      },
    },
  ],
  [
    "a subscription that takes effect behind its SUBACK",
    { listen: tlsBroker({ shadows: answersTheSecond }), isSilent: true },
  ],
  ["answers to somebody else's requests before its own", { listen: tlsBroker({ shadows: answersOthersToo }) }],
  ["a thing whose certificate has another name", { options: { thingName: "fridge" } }],
  ["self-signed and registered", { files: selfSigned() }],
  ["more than one CA", { files: { "ca.crt": stranger.pem + authority.pem } }],
];

describe("doctor: nothing healthy is accused", () => {
  it.concurrent.each(healthy)("%s", async (_, patient) => {
    const { report, found } = await examine(patient);
    expect(found).toEqual([]);
    expect(report.healthy).toBe(true);
    expect(report.factors.map(({ verdict }) => verdict)).not.toContain("no");
  });
});
