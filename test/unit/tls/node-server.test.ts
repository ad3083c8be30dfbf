import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { concat, equal } from "../../../src/bytes.ts";
import { TlsClient } from "../../../src/tls/client.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import type { TlsEvent } from "../../../src/tls/events.ts";
import { presets } from "../../../src/tls/presets.ts";
import * as suites from "../../../src/tls/suites.ts";
import { toPem } from "../../../src/tls/x509/index.ts";
import { ecKey } from "../x509/node-double.ts";
import { DAY, entity } from "../x509/pki.ts";
import { crypto, ecIdentity, options, rsaIdentity } from "./client.ts";
import * as fixtures from "./fixtures.ts";
import { nodeServer, pump } from "./node-peer.ts";

const servers = {
  RSA: { cert: fixtures.rsaServerCertificate, key: fixtures.rsaServerKey },
  "P-256": { cert: fixtures.ecServerCertificate, key: fixtures.ecServerKey },
};
const identities = { RSA: rsaIdentity, "P-256": ecIdentity };
const isSettled = (events: readonly TlsEvent[]) => events.some(({ type }) => type === "secured" || type === "fatal");

function secured(events: readonly TlsEvent[]) {
  const event = events.find(({ type }) => type === "secured" || type === "fatal");
  if (event?.type !== "secured") throw event?.type === "fatal" ? event.error : new Error("nothing happened");
  return event;
}

function mutual(server: keyof typeof servers) {
  return { ...servers[server], ca: fixtures.caCertificate, requestCert: true, rejectUnauthorized: true };
}

describe("RFC 5246 §7.3 full handshakes with Node's TLS server", () => {
  for (const server of ["RSA", "P-256"] as const)
    for (const client of ["RSA", "P-256"] as const)
      for (const provider of ["nodeCrypto", "createCrypto"] as const)
        it(`server ${server}, client ${client}, ${provider}: data both ways, close_notify both ways`, async () => {
          const peer = nodeServer(mutual(server));
          const tls = new TlsClient(
            options({
              identity: identities[client],
              crypto: provider === "nodeCrypto" ? crypto : createCrypto(),
              now: () => performance.now(),
            }),
          );
          tls.start();
          const events = await pump(tls, peer, isSettled);
          const info = secured(events);
          expect(info.suite.authentication).toBe(server === "RSA" ? "rsa" : "ecdsa");
          expect(info.extendedMasterSecret).toBe(true);
          expect(info.group).toBe(suites.secp256r1);
          expect(info.clientSignatureScheme?.key).toBe(client === "RSA" ? "rsa" : "ec");
          expect(info.peer.path).toHaveLength(1);
          expect(info.statistics.timeline.map(({ direction, message }) => `${direction} ${message}`)).toEqual([
            "sent ClientHello",
            "received ServerHello",
            "received Certificate",
            "received ServerKeyExchange",
            "received CertificateRequest",
            "received ServerHelloDone",
            "sent Certificate",
            "sent ClientKeyExchange",
            "sent CertificateVerify",
            "sent ChangeCipherSpec",
            "sent Finished",
            "received ChangeCipherSpec",
            "received Finished",
          ]);
          expect(tls.write(new Uint8Array([1, 2, 3]))).toBe(3);
          await pump(tls, peer, () => peer.received.length > 0, events);
          expect(concat(peer.received)).toEqual(new Uint8Array([1, 2, 3]));
          expect(peer.socket.getPeerCertificate().subject.CN).toBe(client === "RSA" ? "rsa device" : "ec device");
          peer.socket.write("hello");
          await pump(tls, peer, (all) => all.some(({ type }) => type === "data"), events);
          expect(events.find(({ type }) => type === "data")).toMatchObject({
            bytes: new Uint8Array(Buffer.from("hello")),
          });
          tls.close();
          peer.socket.end();
          await pump(tls, peer, (all) => all.some(({ type }) => type === "closed"), events);
          expect(events.at(-1)).toEqual({ type: "closed", cleanly: true });
          expect(tls.stateName).toBe("Closed");
        });

  for (const curve of ["secp384r1", "secp521r1"] as const)
    it(`RFC 8422 §5.1 a client key on ${curve}: its curve is offered, behind P-256`, async () => {
      const now = Date.now();
      const device = entity({ name: "lamp", key: ecKey(curve), notBefore: now - DAY, notAfter: now + DAY });
      const ca = toPem("CERTIFICATE", device.der);
      const peer = nodeServer({ ...servers.RSA, ca, requestCert: true, rejectUnauthorized: true });
      const identity = { certificates: [device.der], privateKey: device.key };
      const tls = new TlsClient(options({ identity, crypto: createCrypto() }));
      tls.start();
      const { group, clientSignatureScheme } = secured(await pump(tls, peer, isSettled));
      expect([group, clientSignatureScheme?.key]).toEqual([suites.secp256r1, "ec"]);
      expect(peer.socket.getPeerCertificate().subject.CN).toBe("lamp");
    });

  for (const suite of presets.full())
    it(`${suite.name}`, async () => {
      const peer = nodeServer(mutual(suite.authentication === "rsa" ? "RSA" : "P-256"));
      const tls = new TlsClient(options({ suites: [suite], crypto: createCrypto(), identity: ecIdentity }));
      tls.start();
      expect(secured(await pump(tls, peer, isSettled)).suite).toBe(suite);
      expect(peer.socket.getCipher()?.standardName).toBe(suite.name);
    });

  for (const group of [suites.secp256r1, suites.secp384r1, suites.secp521r1, suites.x25519])
    it(`group ${group.name}`, async () => {
      const tls = new TlsClient(options({ groups: [group], identity: rsaIdentity }));
      tls.start();
      expect(secured(await pump(tls, nodeServer(mutual("RSA")), isSettled)).group).toBe(group);
    });

  it("RFC 7301: the protocol that the server chose; RFC 6066 §3: the name that it got", async () => {
    const peer = nodeServer({ ...servers.RSA, ALPNProtocols: ["x-amzn-mqtt-ca"] });
    const tls = new TlsClient(options({ alpn: ["mqtt", "x-amzn-mqtt-ca"], serverName: "abc-ats.iot.example.test" }));
    tls.start();
    expect(secured(await pump(tls, peer, isSettled)).alpn).toBe("x-amzn-mqtt-ca");
    expect((peer.socket as unknown as { servername: string }).servername).toBe("abc-ats.iot.example.test");
    expect(peer.socket.alpnProtocol).toBe("x-amzn-mqtt-ca");
  });

  it("RFC 7301 §3.2: no common protocol ends with the server's alert 120, explained", async () => {
    const peer = nodeServer({ ...servers.RSA, ALPNProtocols: ["h2"] });
    const tls = new TlsClient(options({ alpn: ["mqtt"] }));
    tls.start();
    const [event] = await pump(tls, peer, isSettled);
    expect(event).toMatchObject({ type: "fatal", error: { code: "TLS_ALERT_RECEIVED", alert: 120, mbedtls: -0x7780 } });
    expect(event?.type === "fatal" && event.error.message).toContain("ALPN");
  });

  for (const serverName of ["127.0.0.1", "::1"])
    it(`RFC 6066 §3: no name is sent for ${serverName}, and the certificate is checked for it`, async () => {
      const peer = nodeServer(servers["P-256"]);
      const tls = new TlsClient(options({ serverName }));
      tls.start();
      secured(await pump(tls, peer, isSettled));
      expect((peer.socket as unknown as { servername: unknown }).servername).toBeFalsy();
    });

  it("RFC 5246 §6.2.1: a megabyte each way, in records of up to 16,384 bytes", async () => {
    const peer = nodeServer(servers.RSA);
    const tls = new TlsClient(options());
    tls.start();
    const events = await pump(tls, peer, isSettled);
    secured(events);
    const data = new Uint8Array(1_000_003);
    for (let i = 0; i < data.length; i++) data[i] = (i * 31) >> 3;
    peer.socket.write(data);
    let sent = 0;
    const size = (parts: readonly Uint8Array[]) => parts.reduce((sum, part) => sum + part.length, 0);
    const incoming = () => events.flatMap((event) => (event.type === "data" ? [event.bytes] : []));
    for (let round = 0; round < 2000 && !(sent === data.length && size(incoming()) === data.length); round++) {
      sent += tls.write(data.subarray(sent));
      const before = events.length;
      await pump(tls, peer, () => tls.room > 0 || events.length > before, events);
    }
    await pump(tls, peer, () => size(peer.received) === data.length, events);
    expect(equal(concat(incoming()), data)).toBe(true);
    const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    expect(digest(concat(peer.received))).toBe(digest(data));
  });

  it("RFC 5705: exported keys are those of the server, with and without a context", async () => {
    const peer = nodeServer(servers.RSA);
    const tls = new TlsClient(options());
    expect(() => tls.exportKeyingMaterial("EXPORTER-test", undefined, 32)).toThrow(/Idle/);
    tls.start();
    secured(await pump(tls, peer, isSettled));
    for (const context of [undefined, new Uint8Array(0), new Uint8Array([1, 2, 3])])
      expect(tls.exportKeyingMaterial("EXPORTER-test", context, 40)).toEqual(
        new Uint8Array(
          context === undefined
            ? peer.socket.exportKeyingMaterial(40, "EXPORTER-test", undefined as never)
            : peer.socket.exportKeyingMaterial(40, "EXPORTER-test", Buffer.from(context)),
        ),
      );
  });

  it("NSS key log: CLIENT_RANDOM with the secret that Node logs", async () => {
    const peer = nodeServer(servers.RSA);
    const theirs: string[] = [];
    peer.socket.on("keylog", (line: Buffer) => theirs.push(line.toString().trim()));
    const ours: string[] = [];
    const tls = new TlsClient(options({ keyLog: (line) => ours.push(line) }));
    tls.start();
    secured(await pump(tls, peer, isSettled));
    expect(ours).toHaveLength(1);
    expect(theirs).toContain(ours[0]);
  });

  it("RFC 5246 §7.2.1: an end without close_notify shows as not clean", async () => {
    const peer = nodeServer(servers.RSA);
    const tls = new TlsClient(options());
    tls.start();
    const events = await pump(tls, peer, isSettled);
    secured(events);
    tls.end();
    await pump(tls, peer, (all) => all.some(({ type }) => type === "closed"), events);
    expect(events.at(-1)).toEqual({ type: "closed", cleanly: false });
  });

  it("RFC 5246 §7.4.6: who has no certificate sends an empty list and no CertificateVerify", async () => {
    const peer = nodeServer({ ...mutual("RSA"), rejectUnauthorized: false });
    const tls = new TlsClient(options());
    tls.start();
    const info = secured(await pump(tls, peer, isSettled));
    expect(info.clientSignatureScheme).toBeUndefined();
    const certificate = info.statistics.timeline.find(
      ({ direction, message }) => direction === "sent" && message === "Certificate",
    );
    expect(certificate?.bytes).toBe(7);
    expect(info.statistics.timeline.some(({ message }) => message === "CertificateVerify")).toBe(false);
  });
});
