import { afterEach, describe, expect, it } from "vitest";
import { MqttClient } from "../../../src/mqtt/client.ts";
import { tls } from "../../../src/runtime/node.ts";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { generateRsaKey } from "../../../src/runtime/node-rsa.ts";
import {
  type CertificateStatus,
  type Cloud,
  examplePolicies,
  type SimulateOptions,
  type Treatment,
  type Treatments,
} from "../../../src/simulator/index.ts";
import type { ConnectThingOptions } from "../../../src/thing/options.ts";
import type { IssuedCertificate } from "../../../src/tls/x509/authority.ts";
import { trustAnchors } from "../../../src/tls/x509/trust.ts";
import { closeAll, connect, failure, issue, newAuthority, newKey, registerAuthority, start } from "./account.ts";

afterEach(closeAll);

const HANDSHAKE = { phase: "handshake", mbedtls: -0x7780 };
const { everything } = examplePolicies;

/** A certificate of a CA that is registered, in a status, attached to the thing and a policy that allows everything. */
function registered(cloud: Cloud, status: CertificateStatus = "ACTIVE", dates: { from?: number; to?: number } = {}) {
  const authority = newAuthority();
  registerAuthority(cloud, authority);
  const device = issue(authority, dates);
  cloud.adopt(device.certificate, { thingName: "lamp", policyName: cloud.policyFor("lamp", everything), status });
  return device;
}

interface Attempt {
  readonly device: Pick<IssuedCertificate, "certificate" | "privateKey">;
  readonly options?: Partial<ConnectThingOptions>;
}

const conditions: readonly (readonly [
  condition: keyof Treatments,
  alert: number,
  explanation: string,
  arrange: (cloud: Cloud) => Attempt,
])[] = [
  [
    "notRegistered",
    46,
    "is not registered",
    (cloud) => {
      const authority = newAuthority();
      registerAuthority(cloud, authority);
      return { device: issue(authority) };
    },
  ],
  ["unknownAuthority", 48, "is none of the", () => ({ device: issue(newAuthority("Nobody's CA")) })],
  [
    "authorityNotRegistered",
    48,
    "is none of the",
    (cloud) => {
      const device = registered(cloud);
      cloud.authorities.delete(cloud.authorities.list[0]!.caCertificateId);
      return { device };
    },
  ],
  [
    "badSignature",
    42,
    "did not sign",
    (cloud) => {
      registered(cloud);
      return { device: issue(newAuthority("Example CA")) };
    },
  ],
  ["expired", 45, "expired", (cloud) => ({ device: registered(cloud, "ACTIVE", { to: -1 }) })],
  ["notYetValid", 45, "not valid yet", (cloud) => ({ device: registered(cloud, "ACTIVE", { from: 1 }) })],
  ["INACTIVE", 46, "is INACTIVE", (cloud) => ({ device: registered(cloud, "INACTIVE") })],
  ["PENDING_ACTIVATION", 46, "is PENDING_ACTIVATION", (cloud) => ({ device: registered(cloud, "PENDING_ACTIVATION") })],
  ["REVOKED", 44, "is REVOKED", (cloud) => ({ device: registered(cloud, "REVOKED") })],
  [
    "noServerName",
    40,
    "names no server",
    (cloud) => ({ device: registered(cloud), options: { endpoint: "127.0.0.1" } }),
  ],
  [
    "wrongServerName",
    112,
    "asks for the server other.example",
    (cloud) => ({ device: registered(cloud), options: { endpoint: "other.example" } }),
  ],
  [
    "unknownAlpn",
    120,
    "offers ALPN h2",
    (cloud) => ({ device: registered(cloud), options: { tls: { alpn: ["h2"] } } }),
  ],
];

describe("device-shadow.md §5.1, §11: clients that AWS IoT refuses in the handshake", () => {
  it.each(conditions)(
    "%s: alert %i, mbedTLS -0x7780, and the reason for whoever asks",
    async (_, alert, explanation, arrange) => {
      const cloud = await start();
      const { device, options } = arrange(cloud);
      expect(await failure(connect(cloud, device, options))).toMatchObject({ ...HANDSHAKE, alert });
      expect(cloud.explain()).toMatchObject([
        { action: "handshake", explanation: expect.stringContaining(explanation) },
      ]);
    },
  );

  it.each(conditions)(
    "%s is switched: after CONNECT without alert; with alert; admitted; the stream cut",
    async (condition, _alert, _, arrange) => {
      const switched = async (treatment: Treatment) => {
        const cloud = await start({ treatment: { [condition]: treatment } });
        const { device, options } = arrange(cloud);
        return await failure(connect(cloud, device, options));
      };
      expect(await switched({ handshake: "close" })).toMatchObject({ phase: "handshake", alert: undefined });
      // Where the name is wrong, it is the device that ends the handshake.
      if (condition.endsWith("ServerName")) return;
      expect(await switched({ connect: "close" })).toMatchObject({ phase: "connect", sdk: -28, alert: undefined });
      expect(await switched({ connect: 49 })).toMatchObject({
        phase: "connect",
        sdk: -28,
        mbedtls: -0x7780,
        alert: 49,
      });
      if (condition !== "notRegistered" && condition !== "unknownAuthority" && condition !== "badSignature")
        expect(await switched("admit")).toBeUndefined();
    },
  );

  it("noCertificate: bad_certificate for a client that sends none; switched, the refusal of its CONNECT", async () => {
    const attempt = async (options: Partial<SimulateOptions>) => {
      const cloud = await start(options);
      const transport = tls(cloud.dial(), { serverName: "localhost", trust: trustAnchors(cloud.caCertificate) });
      const client = MqttClient.connect({
        ...{ transport: () => transport, runtime: nodeRuntime, clientId: "lamp", reconnect: false },
      });
      const error: unknown = await client.catch((caught: unknown) => caught);
      return { error, explained: cloud.explain().at(-1)?.explanation };
    };
    const refused = await attempt({});
    expect(refused.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", data: { alert: 42 }, mbedtls: -0x7780 });
    expect(refused.explained).toBe("it sent no certificate");
    const later = await attempt({ treatment: { noCertificate: { connect: "close_notify" } } });
    expect(later.error).toMatchObject({ code: "MQTT_CLOSED_BEFORE_CONNACK" });
    expect(later.explained).toBe("it sent no certificate");
  });
});

describe("tls12-client.md §4: the rules of ports 8883 and 443", () => {
  it("8883 needs no ALPN and takes x-amzn-mqtt-ca; 443 wants it", async () => {
    const cloud = await start();
    const device = registered(cloud);
    const dial = () => cloud.connect({ port: 443 });
    expect((await connect(cloud, device, { clientId: "a" })).info?.alpn).toBeUndefined();
    const named = await connect(cloud, device, { clientId: "b", tls: { alpn: ["x-amzn-mqtt-ca"] } });
    expect(named.info?.alpn).toBe("x-amzn-mqtt-ca");
    expect((await connect(cloud, device, { clientId: "c", port: 443, dial })).info?.alpn).toBe("x-amzn-mqtt-ca");
    // AWS takes it for HTTPS: the handshake is done, and what is no HTTP ends the connection.
    expect(await failure(connect(cloud, device, { clientId: "d", dial }))).toMatchObject({
      phase: "connect",
      sdk: -28,
    });
    expect(cloud.explain().at(-1)?.explanation).toContain("port 443 wants ALPN x-amzn-mqtt-ca");
    const loud = { clientId: "f", tls: { serverName: "LOCALHOST" } };
    await connect(cloud, device, loud);
    const custom = { clientId: "e", dial, tls: { alpn: ["mqtt"] } };
    expect(await failure(connect(cloud, device, custom))).toMatchObject({ ...HANDSHAKE, alert: 120 });
    expect(cloud.explain().at(-1)?.explanation).toContain("custom authentication, which is not simulated");
  });
});

describe("certificates of one's own CA", () => {
  it("P-256 and RSA devices of a registered CA connect, and of our own", async () => {
    const cloud = await start({ generateRsaKey: () => generateRsaKey() });
    const authority = newAuthority("My CA");
    registerAuthority(cloud, authority);
    for (const key of [newKey(), generateRsaKey()]) {
      const device = issue(authority, { key });
      cloud.adopt(device.certificate, { thingName: "lamp", policyName: cloud.policyFor("lamp", everything) });
      await (await connect(cloud, device)).close();
    }
    for (const keyType of ["p256", "rsa"] as const)
      await (await connect(cloud, await cloud.createThing("lamp", { keyType }))).close();
  });

  it("a CA that is INACTIVE: what is registered connects, new ones are not registered", async () => {
    const cloud = await start();
    const device = registered(cloud);
    const { caCertificateId } = cloud.authorities.list[0]!;
    cloud.authorities.setStatus(caCertificateId, "INACTIVE");
    await (await connect(cloud, device)).close();
  });

  it("auto registration: the first connection registers, PENDING_ACTIVATION, and is refused; once activated it is served", async () => {
    const cloud = await start();
    const authority = newAuthority();
    const caCertificateId = registerAuthority(cloud, authority, true);
    const device = issue(authority);
    const events: unknown[] = [];
    cloud.broker.subscribe(`$aws/events/certificates/registered/${caCertificateId}`, ({ payload }) =>
      events.push(JSON.parse(new TextDecoder().decode(payload))),
    );
    expect(await failure(connect(cloud, device))).toMatchObject({ ...HANDSHAKE, alert: 46 });
    const [certificate, ...others] = cloud.certificates.list;
    expect([certificate?.status, others.length]).toEqual(["PENDING_ACTIVATION", 0]);
    const { certificateId } = certificate!;
    expect(events).toMatchObject([{ certificateId, caCertificateId, certificateStatus: "PENDING_ACTIVATION" }]);
    cloud.certificates.activate(certificateId);
    cloud.things.put({ thingName: "lamp" });
    cloud.registry.attachThing("lamp", certificateId);
    cloud.registry.attachPolicy(cloud.policyFor("lamp", undefined)!, certificateId);
    await (await connect(cloud, device)).close();

    const tooOld = issue(authority, { to: -1 });
    expect(await failure(connect(cloud, tooOld))).toMatchObject({ ...HANDSHAKE, alert: 45 });
    expect(cloud.certificates.list).toHaveLength(1);
    cloud.authorities.setAutoRegistration(caCertificateId, false);
    expect(await failure(connect(cloud, issue(authority)))).toMatchObject({ ...HANDSHAKE, alert: 46 });
    expect(cloud.certificates.list).toHaveLength(1);
    cloud.authorities.setAutoRegistration(caCertificateId, true);
    cloud.authorities.setStatus(caCertificateId, "INACTIVE");
    expect(await failure(connect(cloud, issue(authority)))).toMatchObject({ ...HANDSHAKE, alert: 46 });
    expect(cloud.certificates.list).toHaveLength(1);
  });
});
