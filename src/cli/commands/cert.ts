/**
 * `thingwire cert FILE`: certificates as people know them from openssl.
 *
 * @module
 */

import { readInput } from "../../runtime/node-credentials.ts";
import { createCrypto } from "../../tls/crypto/index.ts";
import { parseCertificate } from "../../tls/x509/certificate.ts";
import { describe, fingerprint } from "../../tls/x509/describe.ts";
import { parseCertificateChain } from "../../tls/x509/trust.ts";
import type { Command } from "../command.ts";

/** Shows certificates. */
export const cert: Command = {
  name: "cert",
  positionals: "FILE",
  arity: [1, 1],
  summary: "Show the certificates in a file, PEM or DER.",
  options: {},
  async run({ positionals, terminal, json }) {
    const crypto = createCrypto();
    for (const der of parseCertificateChain(readInput(positionals[0]!, "certificates"))) {
      const certificate = parseCertificate(der);
      if (!json) {
        terminal.print(describe(certificate, crypto).trimEnd());
        continue;
      }
      terminal.print(
        JSON.stringify({
          subject: certificate.subject.toString(),
          issuer: certificate.issuer.toString(),
          notBefore: new Date(certificate.notBefore).toISOString(),
          notAfter: new Date(certificate.notAfter).toISOString(),
          sha256: fingerprint(der, crypto),
        }),
      );
    }
  },
};
