/**
 * Keys and certificates for the real peers, made by the `openssl` command, so that nothing of ours has a say in them.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCertificateChain, parsePrivateKey } from "../../src/tls/x509/index.ts";

/** What the keys of the CA's servers and clients are of: RSA-2048, P-256, P-384. */
export const keyTypes = ["rsa", "p256", "p384"] as const;
export type KeyType = (typeof keyTypes)[number];

const KEY_OPTIONS: Readonly<Record<KeyType, readonly string[]>> = {
  rsa: ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
  p256: ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
  p384: ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
};

export interface CertificateFiles {
  readonly folder: string;
  readonly file: (name: string) => string;
  readonly text: (name: string) => string;
  readonly openssl: (...words: string[]) => string;
  /** Makes `NAME.key` (PKCS#8) and `NAME.crt`, signed by the CA. */
  readonly issue: (name: string, type: KeyType, extensions: string) => void;
  readonly remove: () => void;
}

/** What a client needs to speak for the owner of `NAME.crt`, by default with the key in `NAME.key`. */
export function identityOf(files: CertificateFiles, name: string, key = name) {
  return {
    certificates: parseCertificateChain(files.text(`${name}.crt`)),
    privateKey: parsePrivateKey(files.text(`${key}.key`)),
  };
}

/** A folder with a CA, `server-KEY` and `client-KEY` for each type of key, and two of the clients in the older forms of key files. */
export function makeCertificates(): CertificateFiles {
  const folder = mkdtempSync(join(tmpdir(), "thingwire-interop-"));
  const file = (name: string): string => join(folder, name);
  const openssl = (...words: string[]): string =>
    execFileSync("openssl", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const newKey = (name: string, type: KeyType): string =>
    openssl("genpkey", "-algorithm", ...KEY_OPTIONS[type], "-out", file(`${name}.key`));
  const issue = (name: string, type: KeyType, extensions: string): void => {
    newKey(name, type);
    openssl("req", "-new", "-key", file(`${name}.key`), "-subj", `/O=interop/CN=${name}`, "-out", file(`${name}.csr`));
    writeFileSync(file(`${name}.ext`), extensions);
    const ca = ["-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial"];
    openssl(
      "x509",
      "-req",
      "-in",
      file(`${name}.csr`),
      ...ca,
      "-days",
      "30",
      "-sha256",
      "-extfile",
      file(`${name}.ext`),
      "-out",
      file(`${name}.crt`),
    );
  };

  newKey("ca", "p256");
  const caExtensions = [
    "-addext",
    "basicConstraints=critical,CA:TRUE",
    "-addext",
    "keyUsage=critical,keyCertSign,cRLSign",
  ];
  openssl(
    "req",
    "-x509",
    "-new",
    "-key",
    file("ca.key"),
    "-sha256",
    "-days",
    "30",
    "-subj",
    "/O=interop/CN=interop CA",
    ...caExtensions,
    "-out",
    file("ca.crt"),
  );
  const server =
    "subjectAltName=DNS:localhost,IP:127.0.0.1\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n";
  const client = "keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nbasicConstraints=CA:FALSE\n";
  for (const type of keyTypes) {
    issue(`server-${type}`, type, server);
    issue(`client-${type}`, type, client);
  }
  openssl("rsa", "-in", file("client-rsa.key"), "-traditional", "-out", file("client-rsa.pkcs1.key"));
  openssl("ec", "-in", file("client-p256.key"), "-out", file("client-p256.sec1.key"));
  return {
    folder,
    file,
    text: (name) => readFileSync(file(name), "utf8"),
    openssl,
    issue,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
