/**
 * Wrong chains on the wire: each is served by OpenSSL's `s_server`, GnuTLS's `gnutls-serv`, our server engine and the scripted server of the
 * tests. Our client must end with the right code, and the peer must see the right alert: mbedTLS's for the flag.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { concat } from "../../src/bytes.ts";
import { nodeRuntime } from "../../src/runtime/node-ports.ts";
import { createCrypto } from "../../src/tls/crypto/index.ts";
import type { TlsClientOptions } from "../../src/tls/events.ts";
import * as suites from "../../src/tls/suites.ts";
import {
  type CertificateErrorCode,
  type CertificateErrorRow,
  certificateErrors,
  certificateLists,
  encodePrivateKey,
  revocationChecks,
  type TrustAnchor,
  toPem,
} from "../../src/tls/x509/index.ts";
import { encodeName } from "../../src/tls/x509/issue.ts";
import { tcp } from "../../src/transport/node/tcp.ts";
import { tls } from "../../src/transport/tls.ts";
import { nameConstraints, subjectAltName } from "../property/x509/hierarchy.ts";
import { poolKey, write } from "../property/x509/writer.ts";
import { Driver } from "../unit/tls/client.ts";
import { ScriptedServer } from "../unit/tls/scripted-server.ts";
import { Dialog } from "../unit/tls/server.ts";
import { rsaKey } from "../unit/x509/node-double.ts";
import { anchors, ca, DAY, type Entity, NOW, server } from "../unit/x509/pki.ts";
import { crl } from "../unit/x509/revocation-writer.ts";
import { canIsolate, startIsolatedPeer } from "./isolated.ts";
import { type Peer, startPeer } from "./peer.ts";

interface Row {
  readonly title: string;
  /** Leaf first, in order. */
  readonly chain: readonly Entity[];
  readonly trust?: readonly TrustAnchor[];
  readonly options?: Partial<TlsClientOptions>;
  readonly code: CertificateErrorCode;
  readonly alert: number;
}

const HOST = "thing.example.com";
const root = ca("root");
const inter = ca("intermediate", root);
const trust = anchors(root);
const past = { notBefore: NOW - 9 * DAY, notAfter: NOW - DAY };
const future = { notBefore: NOW + DAY, notAfter: NOW + 9 * DAY };
const weak = rsaKey(1024);

/** A leaf and its issuer, as `ca` makes it under the root. */
const under = (more: Parameters<typeof ca>[2] = {}): Entity[] => {
  const issuer = ca("issuer", root, more);
  return [server(issuer), issuer];
};

/** The same certificate with a signature that is wrong in its last bit. */
function flipped(entity: Entity): Entity {
  const der = entity.der.slice();
  der[der.length - 1]! ^= 1;
  return { ...entity, der };
}

/** Signed with SHA-1, which `issueCertificate` does not do. */
function signedWithSha1(): Entity {
  const leaf = server(root);
  const der = write({
    ...{
      subject: encodeName(leaf.name),
      issuer: encodeName(root.name),
      key: poolKey(leaf.key),
      signer: poolKey(root.key),
    },
    ...{ serial: Uint8Array.of(3), version: 3, notBefore: NOW - DAY, notAfter: NOW + DAY, hash: "sha1" },
    extensions: { subjectAltName: subjectAltName({ dns: [HOST] }) },
  });
  return { ...leaf, der };
}

/** A leaf that another one issued. */
function byLeaf(): Entity[] {
  const issuer = server(root, { name: "a leaf", extensions: { keyUsage: undefined } });
  return [server(issuer), issuer];
}

/** A CA below one that allows none. */
function tooLong(): Entity[] {
  const limited = ca("limited", root, { extensions: { pathLength: 0 } });
  const sub = ca("sub", limited);
  return [server(sub), sub, limited];
}

const rows: readonly Row[] = [
  { title: "RFC 5280 §6.1.3 expired", chain: [server(root, past)], code: "X509_EXPIRED", alert: 45 },
  { title: "RFC 5280 §6.1.3 an intermediate expired", chain: under(past), code: "X509_EXPIRED", alert: 45 },
  { title: "RFC 5280 §6.1.3 not yet valid", chain: [server(root, future)], code: "X509_NOT_YET_VALID", alert: 46 },
  {
    title: "RFC 9525 §6 another host",
    chain: [server(root, { extensions: { dnsNames: ["elsewhere.example.com"] } })],
    code: "X509_NAME_MISMATCH",
    alert: 42,
  },
  {
    title: "RFC 9525 §6.3 a wildcard for a part of the label",
    chain: [server(root, { extensions: { dnsNames: ["th*.example.com"] } })],
    code: "X509_NAME_MISMATCH",
    alert: 42,
  },
  {
    title: "RFC 5280 §6.1 an unknown CA",
    chain: [server(ca("stranger"))],
    code: "X509_NOT_TRUSTED",
    alert: 48,
  },
  { title: "RFC 5280 §6.1 an intermediate is missing", chain: [server(inter)], code: "X509_NOT_TRUSTED", alert: 48 },
  {
    title: "RFC 5280 §6.1 a root of the same name",
    chain: [server(root)],
    trust: anchors(ca("root")),
    code: "X509_BAD_SIGNATURE",
    alert: 48,
  },
  { title: "RFC 5280 §6.1.3 a wrong signature", chain: [flipped(server(root))], code: "X509_BAD_SIGNATURE", alert: 48 },
  {
    title: "RFC 5280 §6.1.3 a wrong signature of an intermediate",
    chain: [server(inter), flipped(inter)],
    code: "X509_BAD_SIGNATURE",
    alert: 48,
  },
  {
    title: "RFC 5280 §4.2.1.12 a certificate for clients",
    chain: [server(root, { extensions: { extendedKeyUsage: ["clientAuth"] } })],
    code: "X509_EXTENDED_KEY_USAGE",
    alert: 43,
  },
  {
    title: "RFC 5280 §4.2.1.12 an intermediate for clients",
    chain: under({ extensions: { extendedKeyUsage: ["clientAuth"] } }),
    code: "X509_EXTENDED_KEY_USAGE",
    alert: 43,
  },
  {
    title: "RFC 5280 §4.2.1.3 an intermediate that may not sign certificates",
    chain: under({ extensions: { keyUsage: ["cRLSign"] } }),
    code: "X509_NOT_A_CA",
    alert: 48,
  },
  { title: "RFC 5280 §6.1.4 k issued by a leaf", chain: byLeaf(), code: "X509_NOT_A_CA", alert: 48 },
  { title: "RFC 5280 §4.2.1.9 the path is too long", chain: tooLong(), code: "X509_PATH_LENGTH", alert: 48 },
  {
    title: "RFC 5280 §4.2.1.10 a name that is not permitted",
    chain: under({ extensions: { others: [nameConstraints({ dns: ["example.org"] }, {})] } }),
    code: "X509_NAME_CONSTRAINTS",
    alert: 48,
  },
  {
    title: "RFC 5280 §4.2.1.10 a name that is excluded",
    chain: under({ extensions: { others: [nameConstraints({}, { dns: ["example.com"] })] } }),
    code: "X509_NAME_CONSTRAINTS",
    alert: 48,
  },
  {
    title: "RFC 5280 §4.2 an unknown critical extension",
    chain: [server(root, { extensions: { others: [{ oid: "1.2.3.4", critical: true, value: Uint8Array.of(5, 0) }] } })],
    code: "X509_UNKNOWN_CRITICAL_EXTENSION",
    alert: 42,
  },
  {
    title: "NIST SP 800-131A an RSA key of 1024 bits",
    chain: [server(root, { key: weak })],
    code: "X509_WEAK_KEY",
    alert: 43,
  },
  { title: "RFC 9155 signed with SHA-1", chain: [signedWithSha1()], code: "X509_WEAK_HASH", alert: 46 },
  {
    title: "RFC 5280 §6.3 revoked",
    chain: [server(inter, { serial: 77 }), inter],
    options: {
      verification: {
        revocation: revocationChecks({
          crls: certificateLists([crl({ issuer: root }), crl({ issuer: inter, entries: [{ serial: 77 }] })]),
        }),
      },
    },
    code: "X509_REVOKED",
    alert: 44,
  },
  {
    title: "RFC 5280 §6.3 an intermediate is revoked",
    chain: [server(inter), inter],
    options: {
      verification: {
        revocation: revocationChecks({
          crls: certificateLists([crl({ issuer: root, entries: [{ serial: 1 }] }), crl({ issuer: inter })]),
        }),
      },
    },
    code: "X509_REVOKED",
    alert: 44,
  },
];

const crypto = createCrypto();
const folder = mkdtempSync(join(tmpdir(), "thingwire-chains-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function optionsOf({ trust: own = trust, options }: Row) {
  return { serverName: HOST, trust: own, crypto, wallMs: () => NOW, ...options };
}

/** Writes what a server is started with: its own certificate, those above it, all together, its key. */
function filesOf({ chain }: Row, number: number): Record<"leaf" | "above" | "all" | "key", string> {
  const pem = (list: readonly Entity[]): string => list.map(({ der }) => toPem("CERTIFICATE", der)).join("");
  const write = (name: string, text: string): string => {
    const file = join(folder, `${number}-${name}.pem`);
    writeFileSync(file, text);
    return file;
  };
  return {
    leaf: write("leaf", pem(chain.slice(0, 1))),
    above: write("above", pem(chain.slice(1))),
    all: write("all", pem(chain)),
    key: write("key", toPem("PRIVATE KEY", encodePrivateKey(chain[0]!.key))),
  };
}

/** How our client ends with a server on the network. */
function connectedTo(peer: Peer, row: Row): Promise<unknown> {
  return new Promise((resolve) => {
    const transport = tls(tcp({ host: "127.0.0.1", port: peer.port }), {
      random: nodeRuntime.random,
      now: nodeRuntime.clock.now,
      timers: nodeRuntime.timers,
      ...optionsOf(row),
    });
    transport.open({
      onWritable: () => resolve("accepted"),
      onData: () => {},
      onEnd: () => resolve("ended"),
      onError: resolve,
    });
  });
}

/** The error that a client must end with. */
function rejection({ code, alert }: Row) {
  return expect.objectContaining({
    code: "TLS_CERTIFICATE_REJECTED",
    alert,
    data: expect.objectContaining({
      problems: [code],
      flags: `0x${(certificateErrors[code] as CertificateErrorRow).flag!.toString(16)}`,
    }),
  });
}

async function told(peer: Peer, row: Row, text: string): Promise<void> {
  try {
    expect(await connectedTo(peer, row)).toEqual(rejection(row));
    for (let i = 0; i < 100 && !peer.output().includes(text); i++) await sleep(20);
    expect(peer.output()).toContain(text);
  } finally {
    await peer.stop();
  }
}

const numbered = rows.map((row, number) => ({ ...row, number }));

describe("OpenSSL s_server with a wrong chain is told by the alert", () => {
  it.each(numbered)("$title: $alert", async ({ number, ...row }) => {
    const { leaf, above, key } = filesOf(row, number);
    const more = row.chain.length > 1 ? ["-cert_chain", above] : [];
    const peer = await startPeer("openssl", (port) =>
      ["s_server", "-accept", `127.0.0.1:${port}`, "-tls1_2", "-cipher", "ALL:@SECLEVEL=0", "-no_ign_eof"].concat(
        ["-cert", leaf, "-key", key],
        more,
      ),
    );
    await told(peer, row, `SSL alert number ${row.alert}`);
  });
});

describe.skipIf(!canIsolate())("GnuTLS gnutls-serv with a wrong chain is told by the alert", () => {
  it.each(numbered)("$title: $alert", async ({ number, ...row }) => {
    const { all, key } = filesOf(row, number);
    const peer = await startIsolatedPeer("gnutls-serv", (port) =>
      [
        "--port",
        String(port),
        "--debug",
        "5",
        "--priority",
        "NORMAL:-VERS-ALL:+VERS-TLS1.2",
        "--x509certfile",
        all,
      ].concat("--x509keyfile", key),
    );
    await told(peer, row, `Alert[2|${row.alert}]`);
  });
});

describe("our servers with a wrong chain are told by the alert", () => {
  it.each(rows)("the scripted server, $title: $alert", (row) => {
    const key = row.chain[0]!.key;
    const scripted = new ScriptedServer({
      certificates: row.chain.map(({ der }) => der),
      key,
      ...(key.type === "rsa"
        ? { suite: suites.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, scheme: suites.rsa_pss_rsae_sha256 }
        : {}),
    });
    const driver = new Driver(optionsOf(row));
    for (let turn = 0; turn < 8 && driver.error === undefined; turn++)
      driver.feed(scripted.receive(concat(driver.output.splice(0))));
    scripted.receive(concat(driver.output.splice(0)));
    expect(driver.error).toEqual(rejection(row));
    expect(scripted.alerts).toEqual([[2, row.alert]]);
  });

  it.each(rows)("the server engine, $title: $alert", (row) => {
    const identity = { certificates: row.chain.map(({ der }) => der), privateKey: row.chain[0]!.key };
    const { client, server: engine } = new Dialog({ select: () => ({ identity }) }, optionsOf(row));
    expect(client.error).toEqual(rejection(row));
    expect(engine.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", alert: row.alert });
  });

  it("and a right chain is accepted by the same client", () => {
    const chain = [server(inter), inter];
    const identity = { certificates: chain.map(({ der }) => der), privateKey: chain[0]!.key };
    const row: Row = { title: "", chain, code: "X509_EXPIRED", alert: 0 };
    const dialog = new Dialog({ select: () => ({ identity }), clientCertificate: "none" }, optionsOf(row));
    expect([dialog.client.error, dialog.isSecured]).toEqual([undefined, true]);
  });
});
