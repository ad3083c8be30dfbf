/** NIST PKITS 1.0.1, as `vectors/x509/pkits.json.gz` has it. */

import { loadVectors } from "../vectors.ts";

/** One of its tests; certificates and CRLs by name. */
export interface PkitsTest {
  readonly id: string;
  readonly section: number;
  readonly expected: "SUCCESS" | "FAILURE";
  /** Root first. */
  readonly chain: readonly string[];
  readonly crls: readonly string[];
  readonly time: string;
}

/** The tests, each with its title, and what their names stand for, in DER. */
export function loadPkits() {
  const { tests, certs, crls } = loadVectors("x509/pkits.json.gz") as {
    readonly tests: readonly PkitsTest[];
    readonly certs: Readonly<Record<string, string>>;
    readonly crls: Readonly<Record<string, string>>;
  };
  const der = (base64: string | undefined): Uint8Array => new Uint8Array(Buffer.from(base64!, "base64"));
  return {
    tests,
    certificate: (name: string) => der(certs[name]),
    crl: (name: string) => der(crls[name]),
    titled: (chosen: readonly PkitsTest[]) =>
      chosen.map((test) => [test.id.replace("pkits::", "PKITS "), test] as const),
  };
}
