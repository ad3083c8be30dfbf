/**
 * Between a byte stream and the broker: our TLS server with the rules of AWS IoT's ports, the registry's word on the client certificate,
 * the policies' word on what it does, and the end that AWS IoT would make of the connection.
 *
 * @module
 */

import { printable } from "../bytes.ts";
import type { Broker, BrokerAction, BrokerConnection, CloseReason, Denial } from "../mqtt/broker.ts";
import { type Logger, type Runtime, silent } from "../ports.ts";
import { Alert } from "../tls/alerts.ts";
import type { CryptoProvider } from "../tls/crypto/provider.ts";
import type { ClientRequest, ClientSelection, Identity } from "../tls/events.ts";
import { presets } from "../tls/presets.ts";
import { type CipherSuite, suiteAlgorithms } from "../tls/suites.ts";
import { type Certificate, parseCertificate } from "../tls/x509/certificate.ts";
import { parseCertificateChain } from "../tls/x509/trust.ts";
import { type TlsServerTransport, tlsServer } from "../transport/tls-server.ts";
import type { Transport } from "../transport/transport.ts";
import { checkCertificate, checkHello, type EndpointPort, type Finding } from "./admission.ts";
import type { Authorization, ClientIdentity } from "./authorization.ts";
import { certificateFacts } from "./certificate-facts.ts";
import type { Registry } from "./registry.ts";
import { type Ended, endOrderly, serveMqtt } from "./serve.ts";
import type { DenialEndings, Ending, Treatments } from "./treatment.ts";

const TAG = "simulator";

/** What a listener needs of its cloud. */
export interface ListenerOptions {
  readonly runtime: Runtime;
  readonly crypto: CryptoProvider;
  readonly broker: Broker;
  readonly registry: Registry;
  readonly authorization: Authorization;
  /** The certificate that the endpoint shows, and the names that clients may ask for (SNI), in lower case. */
  readonly identity: () => Identity;
  readonly serverNames: readonly string[];
  /** Our own CA, in DER. */
  readonly ownAuthority: Uint8Array;
  readonly treatments: Treatments;
  readonly denialEndings: DenialEndings;
  /** Whether the broker answers a denied CONNECT itself, by CONNACK. */
  readonly answersDeniedConnect: boolean;
  /** Milliseconds until a change of a certificate's status reaches the connections that stand. */
  readonly propagationMs: number;
  /** A certificate was registered because a CA with auto registration has issued it. */
  readonly registered: (certificateId: string, caCertificateId: string) => void;
  readonly log?: Logger | undefined;
}

/** Where a connection comes in. */
export interface Arrival {
  /** Which of AWS IoT's two ports this one plays; 8883 by default. */
  readonly port?: EndpointPort | undefined;
  /** The client's address, for policies. */
  readonly sourceIp?: string | undefined;
  /** For the log: the client's address and port. */
  readonly peer?: string | undefined;
}

/** One client, from its first byte on. */
interface Client {
  readonly principal: string;
  readonly peer: string;
  readonly sourceIp: string | undefined;
  identity: ClientIdentity | undefined;
  /** Its CONNECT will be refused for this. */
  refusedAtConnect: { readonly finding: Finding; readonly ending: Ending } | undefined;
  /** How its connection ends, where it is not the orderly way. */
  ending: Ending | undefined;
  connection: BrokerConnection | undefined;
  /** It was told in the log why this client is not served. */
  isExplained: boolean;
}

/** Takes connections in. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #log: Logger;
  readonly #clients: Map<string, Client> = new Map();
  /** Those of AWS IoT, as far as the crypto provider can do them. */
  readonly #suites: readonly CipherSuite[];
  readonly #timers: Set<() => void> = new Set();
  readonly #lingering: Set<() => void> = new Set();
  #count = 0;
  #closed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#suites = presets
      .awsIotAll()
      .filter((suite) => suiteAlgorithms(suite).every((name) => options.crypto.supports(name)));
    this.#log = options.log ?? silent;
  }

  /** Serves a client over a byte stream, with TLS. */
  accept(lower: Transport, { port = 8883, sourceIp, peer = "a client" }: Arrival = {}): void {
    if (this.#closed) {
      endOrderly(lower);
      return;
    }
    const client = this.#newClient(peer, sourceIp);
    const { runtime, crypto } = this.#options;
    const transport = tlsServer(lower, {
      crypto,
      suites: this.#suites,
      random: runtime.random,
      timers: runtime.timers,
      now: () => runtime.clock.now(),
      log: this.#log,
      select: (hello) => this.#select(hello, port, client, lower),
      clientCertificate: "request",
      admit: (chain) => this.#admit(chain, client, lower),
    });
    this.#serve(transport, client, (reason) => this.#endTls(transport, client, reason));
  }

  /**
   * Serves a client whose certificate was proved below, without TLS of ours. Returns why it is refused, or `undefined` where it is served.
   */
  acceptSecured(
    transport: Transport,
    certificateId: string,
    { sourceIp, peer = "a client" }: Arrival,
  ): string | undefined {
    const { registry, treatments } = this.#options;
    const client = this.#newClient(peer, sourceIp);
    const registered = registry.certificates.find(certificateId);
    const finding: Finding | undefined =
      registered === undefined
        ? { condition: "notRegistered", detail: "the certificate is not registered" }
        : registered.status === "ACTIVE"
          ? undefined
          : { condition: registered.status, detail: `the certificate is ${registered.status}` };
    const treatment = finding === undefined ? "admit" : treatments[finding.condition];
    if (this.#closed || registered === undefined || (treatment !== "admit" && "handshake" in treatment)) {
      const reason = this.#closed ? "the simulator was closed" : finding!.detail;
      this.#clients.delete(client.principal);
      this.#refused(client, certificateId, reason);
      endOrderly(transport);
      return reason;
    }
    if (treatment !== "admit") client.refusedAtConnect = { finding: finding!, ending: treatment.connect };
    const leaf = parseCertificate(parseCertificateChain(registered.certificatePem)[0]!);
    client.identity = { certificateId, certificate: certificateFacts(leaf, certificateId), sourceIp };
    this.#serve(transport, client, () => endOrderly(transport));
    return undefined;
  }

  /** The broker's question, answered by the policies; and remembered how the connection ends where the answer is no. */
  authorize(action: BrokerAction): true | Denial {
    const { authorization, denialEndings, registry } = this.#options;
    const client = this.#clients.get(action.principal ?? "");
    if (client?.refusedAtConnect !== undefined && action.type === "connect") {
      const { finding, ending } = client.refusedAtConnect;
      client.ending = ending;
      this.#refused(client, client.identity?.certificateId, finding.detail);
      return { denied: finding.detail };
    }
    // A client of the broker that did not come in here, such as one of a test.
    if (client?.identity === undefined) return { denied: "denied: nothing is known of its certificate" };
    const { identity } = client;
    const answer = authorization.authorize(action, identity);
    if (answer === true) return true;
    const certificate = registry.certificates.find(identity.certificateId);
    if (action.type === "publish") client.ending = denialEndings.publish;
    else if (action.type === "subscribe") client.ending = denialEndings.subscribe;
    else if (action.type === "connect") {
      if (certificate?.policies.length === 0) client.ending = denialEndings.withoutPolicy;
      else if (certificate?.things.length === 0) client.ending = denialEndings.withoutThing;
      else client.ending = denialEndings.connect;
    }
    return answer;
  }

  /** Drops the connections of a certificate, once the change of its status has propagated. */
  dropCertificate(certificateId: string): void {
    const { propagationMs, runtime } = this.#options;
    const drop = (): void => {
      const status = this.#options.registry.certificates.find(certificateId)?.status ?? "deleted";
      if (status === "ACTIVE") return;
      for (const { identity, connection } of [...this.#clients.values()])
        if (identity?.certificateId === certificateId) connection?.close(`its certificate is ${status}`);
    };
    if (propagationMs === 0) {
      drop();
      return;
    }
    const cancel = runtime.timers.set(propagationMs, () => {
      this.#timers.delete(cancel);
      drop();
    });
    this.#timers.add(cancel);
  }

  /** Drops all connections. Afterwards nobody is served. Once more, and nobody is given time to take its last bytes either. */
  close(): void {
    if (this.#closed) for (const letGo of [...this.#lingering]) letGo();
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    for (const { connection } of [...this.#clients.values()]) connection?.close("the simulator was closed");
  }

  #newClient(peer: string, sourceIp: string | undefined): Client {
    const principal = `client-${++this.#count}`;
    const nothingYet = { identity: undefined, refusedAtConnect: undefined, ending: undefined, connection: undefined };
    const client: Client = { principal, peer, sourceIp, ...nothingYet, isExplained: false };
    this.#clients.set(principal, client);
    return client;
  }

  #serve(transport: Transport, client: Client, end: (reason: CloseReason) => Ended): void {
    client.connection = serveMqtt(this.#options.broker, transport, this.#options.runtime, {
      principal: client.principal,
      lingering: this.#lingering,
      end: (_, reason) => {
        this.#clients.delete(client.principal);
        return end(reason);
      },
    });
  }

  #select(hello: ClientRequest, port: EndpointPort, client: Client, lower: Transport): ClientSelection {
    const { serverNames, identity } = this.#options;
    const { alpn, findings } = checkHello(hello, { port, serverNames });
    const alert = this.#judge(findings, client, hello.serverName ?? "", undefined, lower);
    return alert === undefined ? { identity: identity(), alpn } : { alert };
  }

  #admit(chain: readonly Certificate[], client: Client, lower: Transport): number | undefined {
    const { registry, ownAuthority, crypto, runtime } = this.#options;
    if (chain.length === 0) {
      const finding: Finding = { condition: "noCertificate", detail: "it sent no certificate" };
      return this.#judge([finding], client, "", undefined, lower);
    }
    const { certificateId, findings, registerUnder } = checkCertificate(chain, {
      registry,
      ownAuthority,
      crypto,
      at: runtime.clock.wallMs(),
    });
    const leaf = chain[0]!;
    let found = findings;
    if (registerUnder !== undefined) {
      registry.certificates.register(leaf.der, "PENDING_ACTIVATION");
      this.#options.registered(certificateId, registerUnder);
      found = [
        {
          condition: "PENDING_ACTIVATION",
          detail: `its certificate ${certificateId.slice(0, 8)}... was registered just now, because its CA has auto registration, and is PENDING_ACTIVATION`,
        },
      ];
    }
    client.identity = {
      certificateId,
      certificate: certificateFacts(leaf, certificateId),
      sourceIp: client.sourceIp,
    };
    return this.#judge(found, client, "", certificateId, lower);
  }

  /** The alert that the first finding is worth which is not admitted, or `undefined` to go on. */
  #judge(
    findings: readonly Finding[],
    client: Client,
    serverName: string,
    certificateId: string | undefined,
    lower: Transport,
  ): number | undefined {
    for (const finding of findings) {
      const treatment = this.#options.treatments[finding.condition];
      if (treatment === "admit") continue;
      if ("connect" in treatment) {
        client.refusedAtConnect ??= { finding, ending: treatment.connect };
        continue;
      }
      this.#refused(client, certificateId, finding.detail, serverName);
      if (treatment.handshake !== "close") return treatment.handshake;
      // Nothing leaves any more, so that no alert is seen.
      lower.destroy();
      return Alert.internal_error;
    }
    return undefined;
  }

  #refused(client: Client, certificateId: string | undefined, explanation: string, resource = ""): void {
    client.isExplained = true;
    const safe = printable(explanation, 400);
    this.#log.log("warn", TAG, `${client.peer} refused: ${safe}`);
    const { authorization } = this.#options;
    authorization.remember({ action: "handshake", resource, clientId: undefined, certificateId, explanation: safe });
  }

  #endTls(transport: TlsServerTransport, client: Client, reason: CloseReason): Ended {
    const isEarly = client.connection?.clientId === undefined && !client.isExplained;
    if (isEarly && reason.kind === "network" && reason.error !== undefined)
      this.#log.log("warn", TAG, `${client.peer} a TLS handshake or connection failed: ${reason.error.message}`);
    const ending = this.#endingOf(client, reason);
    if (ending === "close_notify") {
      transport.shutdown();
      return "lingers";
    }
    if (ending === "close") transport.destroy();
    else transport.abort(ending);
    return "destroyed";
  }

  #endingOf({ ending }: Client, { kind }: CloseReason): Ending {
    if (ending === undefined) return "close_notify";
    if (kind === "denied-publish" || kind === "denied-subscribe") return ending;
    return kind === "denied-connect" && !this.#options.answersDeniedConnect ? ending : "close_notify";
  }
}
