/** Which client certificate is sent, how it is proved, and what a signer outside of the engine may answer. */
import { describe, expect, it } from "vitest";
import type { LogLevel } from "../../../src/ports.ts";
import { finish } from "../../../src/task.ts";
import { TlsClient } from "../../../src/tls/client.ts";
import type { Identity, Signer, TlsEvent } from "../../../src/tls/events.ts";
import { type CertificateRequest, ClientCertificateType } from "../../../src/tls/messages.ts";
import * as suites from "../../../src/tls/suites.ts";
import { parseCertificate, toPem } from "../../../src/tls/x509/index.ts";
import { ecKey, rsaKey } from "../x509/node-double.ts";
import { ca, type Entity, type EntityOptions, entity } from "../x509/pki.ts";
import { crypto, Driver, ecIdentity, options, rsaIdentity, systemRandom } from "./client.ts";
import * as fixtures from "./fixtures.ts";
import { nodeServer, pump } from "./node-peer.ts";
import { ScriptedServer } from "./scripted-server.ts";

const { rsa_sign, ecdsa_sign } = ClientCertificateType;
const ALL = suites.allSignatureSchemes.map(({ id }) => id);
const ANY: CertificateRequest = { types: [rsa_sign, ecdsa_sign], schemes: ALL, authorities: [] };

const root = ca("root");
const middle = ca("middle", root);
const other = ca("other");
const device = (issuer: Entity, more: EntityOptions = {}): Entity =>
  entity({
    name: "device",
    issuer,
    ...more,
    extensions: { keyUsage: ["digitalSignature"], extendedKeyUsage: ["clientAuth"], ...more.extensions },
  });
const identityOf = (leaf: Entity, ...above: Entity[]): Identity => ({
  certificates: [leaf, ...above].map(({ der }) => der),
  privateKey: leaf.key,
});
const nameOf = ({ der }: Entity): Uint8Array => parseCertificate(der).subject.der;

/** Answers a request, and says which identity was sent, by its place in the list, with which scheme, and what was logged. */
function answer(identities: Identity | readonly Identity[], request: Partial<CertificateRequest> = {}) {
  const server = new ScriptedServer({ request: { ...ANY, ...request } });
  const lines: [LogLevel, string][] = [];
  const log = {
    enabled: () => true,
    log: (level: LogLevel, _tag: string, text: string) => void lines.push([level, text]),
  };
  const driver = new Driver({ identity: identities, log });
  let sent: number | undefined;
  for (let out = driver.output.shift(); out !== undefined; out = driver.output.shift()) {
    const text = Buffer.from(out).toString("hex");
    [identities].flat().forEach(({ certificates }, place) => {
      if (text.includes(Buffer.from(certificates[0]!).toString("hex"))) sent = place;
    });
    driver.feed(server.receive(out));
  }
  expect(driver.isSecured).toBe(true);
  const scheme = suites.allSignatureSchemes.find(({ id }) => id === server.certificateVerify?.scheme);
  return { sent, scheme, lines, said: (level: LogLevel) => lines.filter(([l]) => l === level).map(([, t]) => t) };
}

describe("RFC 5246 §7.4.4, §7.4.6: the client certificate is chosen by the CertificateRequest", () => {
  const both = [ecIdentity, rsaIdentity];

  it("the first in the caller's order where all fit", () => {
    expect(answer(both).sent).toBe(0);
    expect(answer([...both].reverse()).scheme).toBe(suites.rsa_pss_rsae_sha256);
    expect(answer(ecIdentity).sent).toBe(0);
  });

  it("by certificate type", () => {
    const { sent, said } = answer(both, { types: [rsa_sign] });
    expect(sent).toBe(1);
    expect(said("debug")).toContain(
      "client certificate not chosen: CN = ec device (secp256r1): the server takes no ecdsa_sign",
    );
    expect(answer(both, { types: [ecdsa_sign] }).sent).toBe(0);
    expect(answer(both, { types: [3, 4] }).sent).toBeUndefined();
  });

  it("by signature scheme, ours first: an ECDSA scheme is a hash for any curve", () => {
    expect(answer(both, { schemes: [suites.rsa_pkcs1_sha384.id] })).toMatchObject({
      sent: 1,
      scheme: suites.rsa_pkcs1_sha384,
    });
    const p256WithSha512 = answer(both, { schemes: [suites.ecdsa_secp521r1_sha512.id] });
    expect(p256WithSha512).toMatchObject({ sent: 0, scheme: suites.ecdsa_secp521r1_sha512 });
    const none = answer(ecIdentity, { schemes: ALL.filter((id) => (id & 0xff) !== 3) });
    expect(none.sent).toBeUndefined();
    expect(none.said("warn").join()).toContain("no signature scheme in common for secp256r1");
  });

  it("RFC 5246 §7.4.6 several by the names of authorities, the issuer of any certificate of the chain; one alone whoever issued it", () => {
    const leaf = device(middle);
    const chain = identityOf(leaf, middle);
    const alone = identityOf(leaf);
    const foreign = identityOf(device(other));
    const all = [foreign, chain];
    expect(answer(all, { authorities: [nameOf(root)] }).sent).toBe(1);
    expect(answer(all, { authorities: [nameOf(other), nameOf(root)] }).sent).toBe(0);
    expect(answer(all, { authorities: [nameOf(middle)] }).sent).toBe(1);
    // Without the intermediate nothing in the chain leads to the root.
    const { sent, said } = answer([foreign, alone], { authorities: [nameOf(root)] });
    expect(sent).toBeUndefined();
    expect(said("warn")).toEqual([
      "no client certificate fits what the server asks for (issued by none of the server's 1 authorities; issued by none of the server's 1 authorities): sending an empty list",
    ]);
    expect(answer(alone, { authorities: [nameOf(root)] }).sent).toBe(0);
    expect(answer(all).sent).toBe(0);
  });

  it("RFC 5280 §7.1 names of authorities match without regard to case; one that is malformed matches nothing", () => {
    const named = (name: string) => nameOf(ca(name));
    const identity = [identityOf(device(ca("Device  CA"))), identityOf(device(other))];
    expect(answer(identity, { authorities: [named("device ca")] }).sent).toBe(0);
    const malformed = answer(identity, { authorities: [Uint8Array.of(0x30, 5, 1)] });
    expect(malformed.sent).toBeUndefined();
    expect(malformed.said("debug").join()).toContain("authorities (malformed)");
    expect(answer(identity, { authorities: [Uint8Array.of(1), named("device ca")] }).sent).toBe(0);
  });

  it("RFC 5280 §4.2.1.3 keyUsage without digitalSignature is warned of, and the server decides", () => {
    const identity = identityOf(device(root, { extensions: { keyUsage: ["keyEncipherment"] } }));
    const { sent, said } = answer(identity);
    expect(sent).toBe(0);
    expect(said("warn").join()).toContain("lacks digitalSignature");
    expect(answer(identityOf(device(root))).said("warn")).toEqual([]);
  });

  it("without any certificate the list is empty, and an empty list of identities is none", () => {
    expect(answer([]).said("warn").join()).toContain("there is none");
    expect(answer([]).sent).toBeUndefined();
  });

  it("a curve of any of the keys is offered", () => {
    const keys = [ecKey("secp521r1"), ecKey("secp384r1")];
    const server = new ScriptedServer();
    server.receive(new Driver({ identity: keys.map((key) => identityOf(device(root, { key }))) }).output[0]!);
    const groups = server.clientHello?.extensions?.find(({ type }) => type === 10)?.data;
    expect(Buffer.from(groups!).toString("hex").slice(-8)).toBe("00180019");
  });

  it("a chain whose second certificate is damaged is TLS_IDENTITY_UNREADABLE before anything is sent", () => {
    const identity = { ...ecIdentity, certificates: [...ecIdentity.certificates, Uint8Array.of(0x30, 0)] };
    expect(() => new TlsClient(options({ identity: [rsaIdentity, identity] }))).toThrow(
      expect.objectContaining({ code: "TLS_IDENTITY_UNREADABLE", message: expect.stringContaining("certificate 2") }),
    );
  });
});

describe("RFC 5246 §7.4.8: each kind of key with each scheme, verified by Node's TLS server", () => {
  const pem = (label: string, der: Uint8Array) => toPem(label, der);
  const keys = {
    "RSA-2048": rsaKey(2048),
    "RSA-3072": rsaKey(3072),
    "RSA-4096": rsaKey(4096),
    "P-256": ecKey("secp256r1"),
    "P-384": ecKey("secp384r1"),
    "P-521": ecKey("secp521r1"),
  };
  const authority = ca("device CA", undefined, { notBefore: 0, notAfter: Date.UTC(2100, 0, 1) });
  for (const [kind, key] of Object.entries(keys)) {
    const leaf = device(authority, { key, notBefore: 0, notAfter: Date.UTC(2100, 0, 1) });
    for (const scheme of suites.allSignatureSchemes.filter((one) => one.key === key.type))
      it(`${kind}, ${scheme.name}`, async () => {
        const peer = nodeServer({
          cert: fixtures.ecServerCertificate,
          key: fixtures.ecServerKey,
          ca: pem("CERTIFICATE", authority.der),
          requestCert: true,
          rejectUnauthorized: true,
        });
        const tls = new TlsClient(
          options({ identity: identityOf(leaf), signatureSchemes: [scheme, suites.ecdsa_secp256r1_sha256] }),
        );
        tls.start();
        const events: TlsEvent[] = await pump(tls, peer, (all) =>
          all.some(({ type }) => type === "secured" || type === "fatal"),
        );
        const done = events.find(({ type }) => type === "secured" || type === "fatal");
        expect(done).toMatchObject({ type: "secured", clientSignatureScheme: { name: scheme.name } });
        expect(peer.errors).toEqual([]);
      });
  }
});

describe("a signer outside of the engine: its signature is verified before it leaves", () => {
  const signers: [string, Identity][] = [
    ["ECDSA", ecIdentity],
    ["RSA", rsaIdentity],
  ];
  /** Runs until the question, answers it, and says how it ended. */
  const run = (
    identity: Identity,
    sign: (event: { scheme: suites.SignatureScheme; input: Uint8Array }) => unknown,
    more: Partial<Signer> = {},
  ) => {
    const server = new ScriptedServer({ request: ANY });
    const signer: Signer = { sign: () => new Uint8Array(1), ...more };
    const driver = new Driver({ identity: { certificates: identity.certificates, signer } });
    driver.feed(server.receive(driver.output.shift()!));
    const event = driver.events.find(({ type }) => type === "sign");
    if (event?.type !== "sign") throw new Error("no sign event");
    driver.client.resume(event.id, sign(event));
    driver.rest();
    for (let out = driver.output.shift(); out !== undefined; out = driver.output.shift())
      driver.feed(server.receive(out));
    return { driver, server };
  };

  it("its schemes: only these are asked of it, in our order of preference; where none fits, an empty list is sent", () => {
    const scheme = (schemes: readonly suites.SignatureScheme[]) => {
      const server = new ScriptedServer({ request: ANY });
      const signer: Signer = { sign: () => new Uint8Array(1), schemes };
      const driver = new Driver({ identity: { certificates: rsaIdentity.certificates, signer } });
      driver.feed(server.receive(driver.output.shift()!));
      const event = driver.events.find(({ type }) => type === "sign");
      return event?.type === "sign" ? event.scheme : undefined;
    };
    expect(scheme([suites.rsa_pkcs1_sha384, suites.rsa_pkcs1_sha256])).toBe(suites.rsa_pkcs1_sha256);
    expect(scheme([suites.rsa_pkcs1_sha512])).toBe(suites.rsa_pkcs1_sha512);
    expect(scheme([suites.ecdsa_secp256r1_sha256])).toBeUndefined();
    expect(scheme([])).toBeUndefined();
  });

  for (const [kind, identity] of signers) {
    const right = ({ scheme, input }: { scheme: suites.SignatureScheme; input: Uint8Array }) =>
      finish(crypto.sign(scheme, identity.privateKey!, input, systemRandom));

    it(`${kind}: a right one is sent`, () => {
      expect(run(identity, right).driver.isSecured).toBe(true);
    });

    it(`${kind}: what the signer does to its input changes nothing`, () => {
      const { driver } = run(identity, (event) => {
        const signature = right(event);
        event.input.fill(0);
        return signature;
      });
      expect(driver.isSecured).toBe(true);
    });

    it(`${kind}: a wrong one is TLS_SIGNER_FAILED, alert 80, and no CertificateVerify was sent`, () => {
      const { driver, server } = run(identity, (event) => {
        const signature = right(event);
        signature[signature.length - 1]! ^= 1;
        return signature;
      });
      expect(driver.error).toMatchObject({ code: "TLS_SIGNER_FAILED", alert: 80, mbedtls: -0x7600, blame: "caller" });
      expect(driver.error?.hint).toContain("another key");
      expect(server.alerts).toEqual([[2, 80]]);
      expect(server.received).not.toContain("CertificateVerify");
    });

    it(`${kind}: with \`verified: false\` it leaves as it is`, () => {
      const { server } = run(identity, () => new Uint8Array(70), { verified: false });
      expect(server.certificateVerify?.signature).toEqual(new Uint8Array(70));
    });
  }
});
