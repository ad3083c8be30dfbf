/**
 * Writes `src/tls/x509/amazon-roots.ts`: Amazon's roots as name, key and fingerprint, out of the certificates that Debian's package
 * `ca-certificates` installs. Run it with `npx tsx scripts/amazon-roots.ts [FOLDER]`, then `npm run format`.
 */

import { createHash, X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { toHex } from "../src/bytes.ts";
import { parseCertificate } from "../src/tls/x509/certificate.ts";

const folder = process.argv[2] ?? "/usr/share/ca-certificates/mozilla";
const files = [
  "Amazon_Root_CA_1",
  "Amazon_Root_CA_2",
  "Amazon_Root_CA_3",
  "Amazon_Root_CA_4",
  "Starfield_Services_Root_Certificate_Authority_-_G2",
];

const rows = files.map((file) => {
  const der = new Uint8Array(new X509Certificate(readFileSync(`${folder}/${file}.crt`)).raw);
  const { subject, subjectPublicKeyInfo } = parseCertificate(der);
  const sha256 = createHash("sha256").update(der).digest("hex");
  return `  {
    label: ${JSON.stringify(subject.toString())},
    sha256: ${JSON.stringify(sha256)},
    subject: ${JSON.stringify(toHex(subject.der))},
    subjectPublicKeyInfo: ${JSON.stringify(toHex(subjectPublicKeyInfo))},
  },`;
});

writeFileSync(
  new URL("../src/tls/x509/amazon-roots.ts", import.meta.url),
  `/**
 * Amazon's roots in hexadecimal: made by \`scripts/amazon-roots.ts\`, not by hand.
 *
 * @module
 */

/** A root certificate's name and key as DER, and the SHA-256 of the whole certificate. */
export interface RootConstants {
  readonly label: string;
  readonly sha256: string;
  readonly subject: string;
  readonly subjectPublicKeyInfo: string;
}

/** Amazon Root CA 1 to 4, and Starfield Services Root Certificate Authority - G2, which cross-signs them. */
export const amazonRoots: readonly RootConstants[] = [
${rows.join("\n")}
];
`,
);
