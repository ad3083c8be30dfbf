/**
 * `@peculiar/x509`: certificates in JavaScript, signatures by WebCrypto, which is OpenSSL here. Its validation is what its `verify` does for each link,
 * dates and signature, with the names compared beside it.
 */
import { webcrypto } from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { keyUsagesWhere, readings } from "./fields.mjs";
import { measure } from "./measure.mjs";

x509.cryptoProvider.set(webcrypto);

function readCertificate(der) {
  const certificate = new x509.X509Certificate(der);
  const constraints = certificate.getExtension(x509.BasicConstraintsExtension);
  return {
    subject: certificate.subject,
    issuer: certificate.issuer,
    serial: certificate.serialNumber,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    spki: certificate.publicKey.rawData,
    keyUsage: certificate.getExtension(x509.KeyUsagesExtension)?.usages,
    extendedKeyUsage: certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages,
    names: certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items,
    ca: constraints?.ca,
    pathLength: constraints?.pathLength,
    authorityKey: certificate.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId ?? null,
    subjectKey: certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId ?? null,
  };
}

function written({ subject, issuer, notBefore, notAfter, keyUsage, names, ...rest }) {
  return {
    ...rest,
    subject: subject.split(", "),
    issuer: issuer.split(", "),
    notBefore: notBefore.getTime(),
    notAfter: notAfter.getTime(),
    keyUsage: keyUsagesWhere((_, bit) => (keyUsage & (1 << bit)) !== 0),
    dns: names?.map(({ value }) => value),
  };
}

await measure("peculiar", (f) => {
  const chain = (type) => {
    const root = new x509.X509Certificate(f[`${type}RootDer`]);
    const run = async () => {
      const leaf = new x509.X509Certificate(f[`${type}Leaf`]);
      const intermediate = new x509.X509Certificate(f[`${type}Intermediate`]);
      const date = new Date();
      const isIssued = async (certificate, issuer) =>
        certificate.issuer === issuer.subject && (await certificate.verify({ publicKey: issuer, date }));
      return (await isIssued(leaf, intermediate)) && (await isIssued(intermediate, root));
    };
    return { run, check: run };
  };
  const parse = (der) => ({
    run: () => new x509.X509Certificate(der),
    check: () => Buffer.from(new x509.X509Certificate(der).serialNumber, "hex"),
  });
  return {
    "x509-parse-ec": parse(f.ecCertificate),
    "x509-parse-rsa": parse(f.rsaCertificate),
    "x509-verify-ec": chain("ec"),
    "x509-verify-rsa": chain("rsa"),
    ...readings(f, readCertificate, written),
  };
});
