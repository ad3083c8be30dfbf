/**
 * Certificates that are read for the benchmark, as real ones are: signed by the `openssl` command with the keys of `fixtures.ts`, with the extensions of
 * the public web; and Amazon Root CA 1.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseCertificateChain } from "../src/tls/x509/trust.ts";

/** A certificate that all implementations read. */
export interface ReadCertificate {
  readonly operation: string;
  /** DER in hexadecimal. */
  readonly der: string;
}

const AMAZON_ROOTS = fileURLToPath(new URL("../test/unit/x509/amazon-roots.pem", import.meta.url));

/** Names of the last one: AWS IoT's endpoints have so many in one certificate. */
const MANY_NAMES = 60;

const PLACES = `
authorityInfoAccess=OCSP;URI:http://ocsp.example.com,caIssuers;URI:http://crt.example.com/ca.cer
crlDistributionPoints=URI:http://crl.example.com/ca.crl
certificatePolicies=2.23.140.1.2.1
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
`;
const INTERMEDIATE = `basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,digitalSignature,keyCertSign,cRLSign
extendedKeyUsage=serverAuth,clientAuth${PLACES}`;
const leafWith = (names: readonly string[]): string => `basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth,clientAuth
subjectAltName=${names.map((name) => `DNS:${name}`).join()}${PLACES}`;

/** Makes them in the folder of the fixtures, whose keys and CAs are there. */
export function readCertificates(file: (name: string) => string): ReadCertificate[] {
  const few = leafWith(["lamp.example.com", "localhost"]);
  const many = leafWith(
    Array.from({ length: MANY_NAMES }, (_, i) => `endpoint-${i}.iot.region-${i % 9}.amazonaws.example`),
  );
  const made = (["rsa", "ec"] as const).flatMap((type) => [
    { name: `${type}-leaf`, der: issue(file, `deep-${type}`, `intermediate-${type}`, few) },
    { name: `${type}-intermediate`, der: issue(file, `intermediate-${type}`, `ca-${type}`, INTERMEDIATE) },
  ]);
  const [amazon] = parseCertificateChain(readFileSync(AMAZON_ROOTS, "utf8"));
  return [
    ...made,
    { name: "amazon-root", der: amazon! },
    { name: "many-names", der: issue(file, "deep-rsa", "intermediate-rsa", many) },
  ].map(({ name, der }) => ({ operation: `x509-read-${name}`, der: Buffer.from(der).toString("hex") }));
}

function issue(file: (name: string) => string, name: string, issuer: string, extensions: string): Uint8Array {
  const [config, out] = [file(`read-${name}.ext`), file(`read-${name}.crt`)];
  writeFileSync(config, extensions);
  const signing = ["-CA", file(`${issuer}.crt`), "-CAkey", file(`${issuer}.key`), "-CAcreateserial", "-sha256"];
  const words = [
    "x509",
    "-req",
    "-in",
    file(`${name}.csr`),
    ...signing,
    "-days",
    "30",
    "-extfile",
    config,
    "-out",
    out,
  ];
  execFileSync("openssl", words, { stdio: "pipe" });
  return parseCertificateChain(readFileSync(out, "utf8"))[0]!;
}
