/**
 * What the X.509 entry weighs in an app's bundle, without crypto: `npm run size`. Bundled and minified by esbuild as an app would do it,
 * compressed by gzip at its best. `test/arch/size.test.ts` holds the figures down.
 *
 * @module
 */

import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** What an app imports of `thingwire/tls/x509`, and the most that this may weigh, in bytes after gzip. */
export const entries: readonly { readonly title: string; readonly imports: string; readonly most: number }[] = [
  { title: "read a certificate", imports: "parseCertificate", most: 9000 },
  { title: "verify a chain", imports: "parseCertificate, verifyCertificate", most: 19_200 },
  {
    title: "the same, with trust anchors out of PEM",
    imports: "parseCertificate, verifyCertificate, trustAnchors",
    most: 20_300,
  },
  {
    title: "the same, with CRLs and OCSP",
    imports: "parseCertificate, verifyCertificate, trustAnchors, revocationChecks, certificateLists",
    most: 27_800,
  },
  { title: "everything", imports: "*", most: 39_500 },
];

/** The concepts that the files of `src/` stand for. */
const concepts: Readonly<Record<string, readonly string[]>> = {
  "errors, with their texts": [
    "errors",
    "chain-errors",
    "revocation-errors",
    "file-errors",
    "key-errors",
    "error-table",
    "problem",
  ],
  "reading: DER, certificates, extensions, keys": ["der", "certificate", "extensions", "spki", "signature-algorithm"],
  "names of certificates and hosts": ["name", "names", "oids"],
  "search of a path": ["verify", "signed", "task"],
  "rules of a path": ["validate", "dates", "name-constraints", "profile", "profiles"],
  "what the app asks for: pins, its own say, trust": ["policy", "pins", "trust", "pem", "proven-signatures"],
  "CRLs and OCSP": ["revocation", "crl", "crl-status", "distribution-points", "ocsp", "ocsp-status"],
  "Amazon's roots": ["amazon", "amazon-roots"],
};

/** The size of what an app imports, in bytes. */
export interface EntrySize {
  readonly gzipped: number;
  readonly minified: number;
  /** Minified bytes by concept, the largest first. */
  readonly concepts: readonly (readonly [concept: string, bytes: number])[];
}

/** Bundles what an app imports and weighs it. */
export async function sizeOf(imports: string): Promise<EntrySize> {
  const names = imports === "*" ? "*" : `{ ${imports} }`;
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `export ${names} from "./src/tls/x509/index.ts";`,
      resolveDir: fileURLToPath(new URL("..", import.meta.url)),
    },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    metafile: true,
    outfile: "x509.js",
    logLevel: "error",
  });
  const found = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs),
  )) {
    const concept = conceptOf(basename(path, ".ts"));
    found.set(concept, (found.get(concept) ?? 0) + bytesInOutput);
  }
  const bundle = outputFiles[0]!.contents;
  return {
    gzipped: gzipSync(bundle, { level: 9 }).length,
    minified: bundle.length,
    concepts: [...found].sort((a, b) => b[1] - a[1]),
  };
}

function conceptOf(file: string): string {
  return Object.entries(concepts).find(([, files]) => files.includes(file))?.[0] ?? "the rest";
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const { title, imports } of entries) {
    const size = await sizeOf(imports);
    console.log(`${title} (${imports}): ${size.gzipped} bytes gzipped, ${size.minified} minified`);
    for (const [concept, bytes] of size.concepts) console.log(`${String(bytes).padStart(8)}  ${concept}`);
  }
