/**
 * What is read of a certificate, the same for every implementation: each worker reads these fields into what its library makes of them, which
 * is timed, and writes them down in one form, which is compared.
 *
 *   subject, issuer          lists of `CN=lamp`
 *   serial                   hexadecimal
 *   notBefore, notAfter      milliseconds since 1970
 *   spki                     SubjectPublicKeyInfo in DER
 *   keyUsage                 names of the bits, in order
 *   extendedKeyUsage         dotted
 *   dns                      the dNSNames of subjectAltName
 *   ca, pathLength           basicConstraints
 *   authorityKey, subjectKey the key identifiers
 */

const KEY_USAGES = [
  ...["digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement"],
  ...["keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"],
];

/** Names of the bits of keyUsage that are set. */
export const keyUsagesWhere = (isSet) => KEY_USAGES.filter((name, bit) => isSet(name, bit));

/** Operations `x509-read-*`: `read(der)` is timed; `written` makes fields of its result. What an implementation cannot read, it does not write. */
export function readings(f, read, written, prepared = (der) => der) {
  const rows = f.reading.map(({ operation, der }) => {
    const bytes = prepared(Uint8Array.from(Buffer.from(der, "hex")));
    return [operation, { run: () => read(bytes), check: () => Buffer.from(canonical(written(read(bytes)))) }];
  });
  return Object.fromEntries(rows);
}

/** One text for the same fields; absent ones of a certificate are null. */
function canonical({ subject, issuer, serial, spki, authorityKey, subjectKey, ...rest }) {
  const names = { subject: subject.map(nameText), issuer: issuer.map(nameText) };
  const octets = { serial: hex(serial).replace(/^0+/, ""), spki: hex(spki) };
  const identifiers =
    authorityKey === undefined ? {} : { authorityKey: hex(authorityKey), subjectKey: hex(subjectKey) };
  return JSON.stringify({ ...names, ...octets, ...identifiers, ...rest }, (_, value) => value ?? null);
}

const nameText = (attribute) => attribute.replace(/ *= */, "=");
const hex = (value) =>
  value === null ? null : (typeof value === "string" ? value : Buffer.from(value).toString("hex")).toLowerCase();
