/**
 * What all implementations compute with: keys and certificates made by the `openssl` command, one message, and handshakes recorded from
 * Node's TLS server. Made anew at each run, so that nobody can be tuned to them.
 *
 * @module
 */

import { execFileSync, spawn } from "node:child_process";
import * as crypto from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { fileURLToPath } from "node:url";
import { createCrypto } from "../src/tls/crypto/index.ts";
import { TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 } from "../src/tls/suites.ts";
import { parsePrivateKey } from "../src/tls/x509/keys.ts";
import { parseCertificateChain, trustAnchors } from "../src/tls/x509/trust.ts";
import { recordHandshake } from "../test/fixtures/record.ts";
import { seededRandom } from "../test/fixtures/seeded-random.ts";
import { readCertificates } from "./certificates.ts";

/** Where everything stands. */
export interface Fixtures {
  /** For the workers in JavaScript. */
  readonly json: string;
  /** `name=hexadecimal` a line, for the program in C. */
  readonly text: string;
  /** PEM files: `ca.crt`, `server-{ec,rsa}.{crt,key}` (also `-chain.crt` with an intermediate), `client-{ec,rsa}.{crt,key}`. */
  readonly file: (name: string) => string;
  /** Ports of the servers, for each kind of handshake. */
  readonly ports: Readonly<Record<string, number>>;
  /** Ends the servers. */
  readonly stop: () => void;
}

const SERVER = fileURLToPath(new URL("server.mjs", import.meta.url));
const SEED = 7;
const EXTENSIONS = {
  ca: "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n",
  server:
    "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n",
  client: "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n",
} as const;

/** Makes them in a folder, which must be there. */
export async function makeFixtures(folder: string): Promise<Fixtures> {
  mkdirSync(folder, { recursive: true });
  const file = (name: string): string => join(folder, name);
  makeCertificates(file);
  const bytes = primitives(file);
  const recordings = await Promise.all(handshakes.map((handshake) => record(handshake, file)));
  const server = spawn(process.execPath, [SERVER, folder, JSON.stringify(handshakes)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  const ports = JSON.parse(line.toString()) as Record<string, number>;
  const hex = Object.fromEntries(
    Object.entries(bytes).map(([name, value]) => [name, Buffer.from(value).toString("hex")]),
  );
  writeFileSync(
    file("fixtures.json"),
    JSON.stringify({ recordings, ports, reading: readCertificates(file), bytes: hex }),
  );
  const lines = Object.entries(hex).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(file("fixtures.txt"), lines.join(""));
  const stop = (): void => void server.kill();
  return { json: file("fixtures.json"), text: file("fixtures.txt"), file, ports, stop };
}

function makeCertificates(file: (name: string) => string): void {
  const openssl = (...words: string[]): void => void execFileSync("openssl", words, { stdio: "pipe" });
  const newKey = (name: string, type: string): void => {
    const [algorithm, option] = type === "rsa" ? ["RSA", "rsa_keygen_bits:2048"] : ["EC", "ec_paramgen_curve:P-256"];
    openssl("genpkey", "-algorithm", algorithm!, "-pkeyopt", option!, "-out", file(`${name}.key`));
  };
  const issue = (name: string, issuer: string, extensions: string): void => {
    openssl("req", "-new", "-key", file(`${name}.key`), "-subj", `/O=bench/CN=${name}`, "-out", file(`${name}.csr`));
    writeFileSync(file(`${name}.ext`), extensions);
    const signing = ["-CA", file(`${issuer}.crt`), "-CAkey", file(`${issuer}.key`), "-CAcreateserial", "-sha256"];
    const days = ["-days", "30", "-extfile", file(`${name}.ext`)];
    openssl("x509", "-req", "-in", file(`${name}.csr`), ...signing, ...days, "-out", file(`${name}.crt`));
  };
  for (const type of ["ec", "rsa"]) {
    const root = `ca-${type}`;
    newKey(root, type);
    writeFileSync(file("root.cnf"), `[req]\ndistinguished_name=n\nx509_extensions=e\n[n]\n[e]\n${EXTENSIONS.ca}`);
    const subject = ["-subj", `/O=bench/CN=${root}`, "-config", file("root.cnf"), "-days", "30", "-sha256"];
    openssl("req", "-x509", "-new", "-key", file(`${root}.key`), ...subject, "-out", file(`${root}.crt`));
    for (const [name, issuer, extensions] of [
      [`server-${type}`, root, EXTENSIONS.server],
      [`client-${type}`, root, EXTENSIONS.client],
      [`intermediate-${type}`, root, EXTENSIONS.ca],
      [`deep-${type}`, `intermediate-${type}`, EXTENSIONS.server],
    ] as const) {
      newKey(name, type);
      issue(name, issuer, extensions);
    }
    const chain = [`deep-${type}.crt`, `intermediate-${type}.crt`].map((name) => readFileSync(file(name), "utf8"));
    writeFileSync(file(`deep-${type}-chain.crt`), chain.join(""));
  }
}

function primitives(file: (name: string) => string): Record<string, Uint8Array> {
  const pem = (name: string): string => readFileSync(file(name), "utf8");
  const ecKey = crypto.createPrivateKey(pem("client-ec.key"));
  const rsaKey = crypto.createPrivateKey(pem("client-rsa.key"));
  const pkcs8 = (key: crypto.KeyObject): Buffer => key.export({ format: "der", type: "pkcs8" });
  const spki = (key: crypto.KeyObject): Buffer =>
    crypto.createPublicKey(key as unknown as crypto.PublicKeyInput).export({ format: "der", type: "spki" });
  const { d, x, y } = ecKey.export({ format: "jwk" });
  const from64 = (text: string | undefined): Buffer => Buffer.from(text ?? "", "base64url");
  const p384 = crypto.generateKeyPairSync("ec", { namedCurve: "secp384r1" }).privateKey;
  const rsa4096 = crypto.generateKeyPairSync("rsa", { modulusLength: 4096 }).privateKey;
  // Node signs data, so that what noble and C see as the digest is the hash of these bytes.
  const data = crypto.randomBytes(32);
  const digest = crypto.createHash("sha256").update(data).digest();
  const certificate = (name: string): Buffer => Buffer.from(new crypto.X509Certificate(pem(name)).raw);
  return {
    ...exchange("p256", "prime256v1", 32),
    ...exchange("p384", "secp384r1", 48),
    ...exchange("p521", "secp521r1", 66),
    ...exchangeX25519(),
    ecPrivateKey: pkcs8(ecKey),
    ecPublicKey: spki(ecKey),
    ecScalar: from64(d),
    ecPoint: Buffer.concat([Buffer.of(4), from64(x), from64(y)]),
    rsaPrivateKey: pkcs8(rsaKey),
    rsaPublicKey: spki(rsaKey),
    p384PrivateKey: pkcs8(p384),
    p384PublicKey: spki(p384),
    p384Signature: crypto.sign("sha256", data, p384),
    rsa4096PublicKey: spki(rsa4096),
    rsa4096Signature: crypto.sign("sha256", data, rsa4096),
    data,
    digest,
    ecSignature: crypto.sign("sha256", data, ecKey),
    rsaSignature: crypto.sign("sha256", data, rsaKey),
    message: crypto.randomBytes(16_384),
    prfSecret: crypto.randomBytes(48),
    prfSeed: crypto.randomBytes(64),
    gcmKey: crypto.randomBytes(16),
    gcmNonce: crypto.randomBytes(12),
    gcmAad: crypto.randomBytes(13),
    chachaKey: crypto.randomBytes(32),
    macKey: crypto.randomBytes(32),
    cbcIv: crypto.randomBytes(16),
    ecCertificate: certificate("client-ec.crt"),
    rsaCertificate: certificate("client-rsa.crt"),
    ...Object.fromEntries(
      ["ec", "rsa"].flatMap((type) => [
        [`${type}Leaf`, certificate(`deep-${type}.crt`)],
        [`${type}Intermediate`, certificate(`intermediate-${type}.crt`)],
        [`${type}RootDer`, certificate(`ca-${type}.crt`)],
      ]),
    ),
    ecRoot: readFileSync(file("ca-ec.crt")),
    rsaRoot: readFileSync(file("ca-rsa.crt")),
  };
}

/** A scalar of ours and the point of a peer. */
function exchange(name: string, curve: string, bytes: number): Record<string, Uint8Array> {
  const [ours, peer] = [crypto.createECDH(curve), crypto.createECDH(curve)];
  ours.generateKeys();
  peer.generateKeys();
  const scalar = Buffer.from(ours.getPrivateKey("hex").padStart(2 * bytes, "0"), "hex");
  return { [`${name}Scalar`]: scalar, [`${name}Peer`]: peer.getPublicKey() };
}

/** The same for X25519, whose scalars must be clamped for mbedTLS (RFC 7748 §5). */
function exchangeX25519(): Record<string, Uint8Array> {
  const part = (name: "d" | "x"): Buffer =>
    Buffer.from(crypto.generateKeyPairSync("x25519").privateKey.export({ format: "jwk" })[name]!, "base64url");
  const scalar = part("d");
  scalar[0]! &= 0xf8;
  scalar[31] = (scalar[31]! & 0x7f) | 0x40;
  return { x25519Scalar: scalar, x25519Peer: part("x") };
}

interface HandshakeKind {
  readonly operation: string;
  readonly type: "ec" | "rsa";
  readonly server: string;
  readonly isMutual: boolean;
  /** An abbreviated one, with a ticket of a handshake before it. */
  readonly isResumed?: boolean;
}

const handshakes: readonly HandshakeKind[] = (["ec", "rsa"] as const).flatMap((type) => {
  const name = type === "ec" ? "ecdsa" : "rsa";
  return [
    { operation: `handshake-${name}-mutual`, type, server: `server-${type}.crt`, isMutual: true },
    { operation: `handshake-${name}`, type, server: `server-${type}.crt`, isMutual: false },
    { operation: `handshake-${name}-mutual-chain`, type, server: `deep-${type}-chain.crt`, isMutual: true },
    { operation: `handshake-${name}-chain`, type, server: `deep-${type}-chain.crt`, isMutual: false },
    { operation: `handshake-${name}-resumed`, type, server: `server-${type}.crt`, isMutual: true, isResumed: true },
  ];
});

async function record(kind: HandshakeKind, file: (name: string) => string) {
  const { operation, type, server, isMutual, isResumed = false } = kind;
  const pem = (name: string): string => readFileSync(file(name), "utf8");
  const trust = pem(`ca-${type}.crt`);
  const certificate = isMutual ? pem(`client-${type}.crt`) : undefined;
  const privateKey = isMutual ? pem(`client-${type}.key`) : undefined;
  const serverKey = pem(server.replace(/(-chain)?\.crt$/, ".key"));
  const timeMs = Date.now();
  // One context for both handshakes: the keys of tickets are in it.
  const secureContext = createSecureContext({
    cert: pem(server),
    key: serverKey,
    ca: trust,
    ciphers: type === "ec" ? "ECDHE-ECDSA-AES128-GCM-SHA256" : "ECDHE-RSA-AES128-GCM-SHA256",
    maxVersion: "TLSv1.2",
    sessionIdContext: "bench",
  });
  const run = (session: Uint8Array | undefined) =>
    recordHandshake(
      { secureContext, requestCert: isMutual, rejectUnauthorized: isMutual },
      {
        serverName: "localhost",
        trust: trustAnchors(trust),
        identity:
          certificate === undefined
            ? undefined
            : { certificates: parseCertificateChain(certificate), privateKey: parsePrivateKey(privateKey!) },
        suites: [type === "ec" ? TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 : TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256],
        crypto: createCrypto(),
        random: seededRandom(SEED),
        wallMs: () => timeMs,
        resumption: isResumed,
        session,
      },
    );
  let session: Uint8Array | undefined;
  if (isResumed) session = (await run(undefined)).session;
  const { flights, secured } = await run(session);
  if (secured.resumed !== isResumed) throw new Error(`${operation}: resumed ${secured.resumed}`);
  return {
    operation,
    serverName: "localhost",
    timeMs,
    seed: SEED,
    trust,
    certificate,
    privateKey,
    session: session === undefined ? undefined : Buffer.from(session).toString("hex"),
    flights,
    serverIdentity: { certificate: pem(server), privateKey: serverKey },
  };
}
