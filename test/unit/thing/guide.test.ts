/** The failures of the guide (`seed-esp32-aws-iot-examples.md`, "TLS connection fails" and "… closes immediately"), with their exact codes. */
import { afterEach, describe, expect, it } from "vitest";
import type { ThingwireError } from "../../../src/errors.ts";
import { connectThing, nodeRuntime, type Thing } from "../../../src/runtime/node.ts";
import { connectCauses, handshakeCauses, numbered } from "../../../src/thing/aws.ts";
import { type ThingErrorCode, thingErrors } from "../../../src/thing/errors.ts";
import { Alert } from "../../../src/tls/alerts.ts";
import { parsePrivateKey } from "../../../src/tls/x509/keys.ts";
import { memoryPair } from "../../../src/transport/memory.ts";
import { type TlsServerTransport, tlsServer } from "../../../src/transport/tls-server.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { caCertificate } from "../tls/fixtures.ts";
import { crypto, forClient, forLocalhost, makeAuthority } from "../transport/pki.ts";
import { alertingServer, type Ending, type Moment } from "./alerting-server.ts";

const device = makeAuthority("Device CA").issue("lamp", forClient);

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Failure = ThingwireError & { phase: string; cause: ThingwireError };

/** The error of connecting, or that of the connection's loss. */
async function failure(moment: Moment, ending: Ending, tls: "own" | "native"): Promise<Failure> {
  const server = await alertingServer(moment, ending);
  closers.push(server.close);
  return await new Promise<Failure>((resolve, reject) => {
    connectThing({
      ...{ endpoint: "localhost", port: server.port, thingName: "lamp", trust: caCertificate, tls, reconnect: false },
      ...{ certificate: device.certificate, privateKey: device.privateKey },
      onInterrupted: (error) => resolve(error as Failure),
    }).then((thing: Thing) => {
      closers.push(() => thing.close());
      if (moment !== "session") reject(new Error("it connected"));
    }, resolve);
  });
}

/** Every alert that AWS IoT or another server may send for a client. */
const alerts = [
  Alert.handshake_failure,
  Alert.bad_certificate,
  Alert.unsupported_certificate,
  Alert.certificate_revoked,
  Alert.certificate_expired,
  Alert.certificate_unknown,
  Alert.unknown_ca,
  Alert.access_denied,
  Alert.internal_error,
];

describe.each(["own", "native"] as const)("the guide, with %s TLS", (tls) => {
  it.each(alerts)("TLS connection fails: alert %i in the handshake is -0x7780, phase handshake", async (alert) => {
    const error = await failure("handshake", { alert }, tls);
    expect(error).toMatchObject({ code: "THING_HANDSHAKE_REFUSED", phase: "handshake", mbedtls: -0x7780 });
    expect(error.sdk).not.toBe(-28);
    expect(error.message).toContain(`(${alert})`);
    expect(error.hint).toContain(numbered(handshakeCauses));
  });

  it.each(alerts)(
    "TLS connection closes immediately: alert %i after CONNECT is -28 with -0x7780 as its cause, phase connect",
    async (alert) => {
      const error = await failure("connect", { alert }, tls);
      expect(error).toMatchObject({ code: "THING_ALERT_AFTER_HANDSHAKE", phase: "connect", sdk: -28 });
      expect(error.cause.mbedtls).toBe(-0x7780);
      expect(error.message).toContain(`(${alert})`);
      expect(error.hint).toContain(numbered(connectCauses));
    },
  );

  it.each(["close_notify", "end"] as const)(
    "a close without an alert after CONNECT (%s) is -28, phase connect",
    async (ending) => {
      const error = await failure("connect", ending, tls);
      expect(error).toMatchObject({ code: "THING_CLOSED_AFTER_HANDSHAKE", phase: "connect", sdk: -28 });
      expect(error.mbedtls).not.toBe(-0x7780);
    },
  );

  it.each(["close_notify", "end", { alert: Alert.access_denied }] as const)(
    "a close after CONNACK (%j) is -13, phase session",
    async (ending) => {
      const error = await failure("session", ending, tls);
      expect(error).toMatchObject({ code: "THING_SESSION_LOST", phase: "session", sdk: -13 });
    },
  );

  it("a close without an alert in the handshake is neither -0x7780 nor -28", async () => {
    const error = await failure("handshake", "end", tls);
    expect(error).toMatchObject({ code: "THING_HANDSHAKE_FAILED", phase: "handshake" });
    expect([error.mbedtls, error.sdk]).not.toContain(-0x7780);
    expect(error.sdk).not.toBe(-28);
  });
});

describe("the guide, against our own TLS server", () => {
  const authority = makeAuthority("Server CA");
  const server = authority.issue("localhost", forLocalhost);
  const identity = { certificates: [server.certificateDer], privateKey: parsePrivateKey(server.privateKey) };

  /** What the simulator does: it admits or refuses the certificate, and reads CONNECT. */
  async function refusal(serve: {
    admit?: number;
    onConnect?: (client: TlsServerTransport) => void;
  }): Promise<Failure> {
    const { clock, timers, random } = nodeRuntime;
    const dial = (): Transport => {
      const [near, far] = memoryPair();
      const client = tlsServer(far, {
        ...{ crypto, random, timers, now: () => clock.now(), wallMs: () => clock.wallMs() },
        ...{ select: () => ({ identity }), clientCertificate: "require", admit: () => serve.admit },
      });
      const none = (): void => {};
      client.open({ onData: () => serve.onConnect?.(client), onWritable: none, onEnd: none, onError: none });
      return near;
    };
    return await connectThing({
      ...{ endpoint: "localhost", thingName: "lamp", trust: authority.pem, reconnect: false, dial },
      ...{ certificate: device.certificate, privateKey: device.privateKey },
    }).then(
      () => Promise.reject(new Error("it connected")),
      (error) => error as Failure,
    );
  }

  it("the certificate is refused: -0x7780, phase handshake", async () => {
    const error = await refusal({ admit: Alert.certificate_unknown });
    expect(error).toMatchObject({ code: "THING_HANDSHAKE_REFUSED", phase: "handshake", mbedtls: -0x7780 });
  });

  it("abort(alert) after CONNECT: -28 with -0x7780 as its cause, phase connect", async () => {
    const error = await refusal({ onConnect: (client) => client.abort(Alert.access_denied) });
    expect(error).toMatchObject({ code: "THING_ALERT_AFTER_HANDSHAKE", phase: "connect", sdk: -28 });
    expect(error.cause.mbedtls).toBe(-0x7780);
  });

  it.each<[string, (client: TlsServerTransport) => void]>([
    ["close_notify", (client) => client.shutdown()],
    ["no close_notify", (client) => client.destroy()],
  ])("%s after CONNECT: -28, phase connect", async (_what, onConnect) => {
    const error = await refusal({ onConnect });
    expect(error).toMatchObject({ code: "THING_CLOSED_AFTER_HANDSHAKE", phase: "connect", sdk: -28 });
  });
});

describe("the guide: hints name the causes in its order", () => {
  const closes = /1\. the certificate is ACTIVE; 2\. a policy is attached.* iot:Connect.*; 3\. the thing is attached/;
  it.each<[ThingErrorCode, RegExp]>([
    [
      "THING_HANDSHAKE_REFUSED",
      /1\. private key and certificate .* registered in AWS IoT; 2\. that certificate is ACTIVE; 3\. the endpoint is/,
    ],
    ["THING_ALERT_AFTER_HANDSHAKE", closes],
    ["THING_CLOSED_AFTER_HANDSHAKE", closes],
    [
      "THING_CONNACK_TIMEOUT",
      /1\. the endpoint.*2\. the certificate.*3\. .*ACTIVE.*4\. a policy.*5\. the policy allows/,
    ],
  ])("%s", (code, hint) => {
    expect(thingErrors[code].hint).toMatch(hint);
  });

  it("an alert that says more than that the certificate is not taken keeps its own hint", async () => {
    const error = await failure("handshake", { alert: Alert.no_application_protocol }, "own");
    expect([error.code, error.hint.includes("ALPN"), error.hint.includes("ACTIVE")]).toEqual([
      "THING_HANDSHAKE_REFUSED",
      true,
      false,
    ]);
  });
});
