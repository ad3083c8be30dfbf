/** node-forge: what most JavaScript programs have used for RSA and certificates. It has no elliptic curves over prime fields. */
import forge from "node-forge";
import { cbcRecord, withoutCbcPadding } from "./cbc.mjs";
import { keyUsagesWhere, readings } from "./fields.mjs";
import { measure } from "./measure.mjs";

const binary = (bytes) => Buffer.from(bytes).toString("latin1");
const fromBinary = (text) => Buffer.from(text, "latin1");

const rsaOnly = ({ reading }) => ({ reading: reading.filter(({ operation }) => !operation.includes("-ec-")) });

function readCertificate(der) {
  const certificate = forge.pki.certificateFromAsn1(forge.asn1.fromDer(der));

  const authority = certificate.getExtension("authorityKeyIdentifier");
  const constraints = certificate.getExtension("basicConstraints");
  return {
    subject: certificate.subject.attributes,
    issuer: certificate.issuer.attributes,
    serial: certificate.serialNumber,
    notBefore: certificate.validity.notBefore,
    notAfter: certificate.validity.notAfter,
    publicKey: certificate.publicKey,
    keyUsage: certificate.getExtension("keyUsage"),
    extendedKeyUsage: certificate.getExtension("extKeyUsage"),
    names: certificate.getExtension("subjectAltName")?.altNames,
    ca: constraints?.cA,
    pathLength: constraints?.pathLenConstraint,
    // The only extension of these that it leaves in DER.
    authorityKey: authority == null ? null : forge.asn1.fromDer(authority.value).value[0].value,
    subjectKey: certificate.getExtension("subjectKeyIdentifier")?.subjectKeyIdentifier ?? null,
  };
}

function written({ subject, issuer, notBefore, notAfter, publicKey, keyUsage, extendedKeyUsage, names, ...rest }) {
  const nameOf = (attributes) => attributes.map(({ shortName, value }) => `${shortName}=${value}`);
  const purposes = ["serverAuth", "clientAuth"].filter((purpose) => extendedKeyUsage?.[purpose]);
  return {
    ...rest,
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    notBefore: notBefore.getTime(),
    notAfter: notAfter.getTime(),
    spki: fromBinary(forge.asn1.toDer(forge.pki.publicKeyToAsn1(publicKey)).getBytes()),
    keyUsage: keyUsagesWhere((name) => keyUsage[name]),
    extendedKeyUsage: extendedKeyUsage == null ? null : purposes.map((purpose) => forge.pki.oids[purpose]),
    dns: names?.map(({ value }) => value),
    authorityKey: rest.authorityKey === null ? null : fromBinary(rest.authorityKey),
  };
}

await measure("forge", (f) => {
  const { asn1, pki, md, hmac, cipher, util } = forge;
  const privateKey = pki.privateKeyFromAsn1(asn1.fromDer(binary(f.rsaPrivateKey)));
  const publicKey = pki.setRsaPublicKey(privateKey.n, privateKey.e);
  const digest = () => md.sha256.create().update(binary(f.data));
  const seal = (length) => {
    const plaintext = binary(f.message.subarray(0, length));
    const run = () => {
      const sealing = cipher.createCipher("AES-GCM", binary(f.gcmKey));
      sealing.start({ iv: binary(f.gcmNonce), additionalData: binary(f.gcmAad) });
      sealing.update(util.createBuffer(plaintext));
      sealing.finish();
      return fromBinary(sealing.output.getBytes() + sealing.mode.tag.getBytes());
    };
    return { run, check: run };
  };
  const open = (length) => {
    const sealed = seal(length).run();
    const [ciphertext, tag] = [binary(sealed.subarray(0, length)), binary(sealed.subarray(length))];
    const run = () => {
      const opening = cipher.createDecipher("AES-GCM", binary(f.gcmKey));
      opening.start({ iv: binary(f.gcmNonce), additionalData: binary(f.gcmAad), tag: util.createBuffer(tag) });
      opening.update(util.createBuffer(ciphertext));
      if (!opening.finish()) throw new Error("wrong tag");
      return fromBinary(opening.output.getBytes());
    };
    return { run, check: run };
  };
  const macBytes = (header, text) => {
    const keyed = hmac.create();
    keyed.start("sha256", binary(f.macKey));
    keyed.update(binary(header));
    keyed.update(binary(text));
    return fromBinary(keyed.digest().getBytes());
  };
  const cbc = (create, bytes) => {
    const running = create("AES-CBC", binary(f.gcmKey));
    running.start({ iv: binary(f.cbcIv) });
    running.update(util.createBuffer(binary(bytes)));
    running.finish(() => true);
    return fromBinary(running.output.getBytes());
  };
  const cbcSeal = (length) => {
    const run = () => cbc(cipher.createCipher, cbcRecord(f, length, macBytes));
    return { run, check: run };
  };
  const cbcOpen = (length) => {
    const sealed = cbcSeal(length).run();
    const run = () => withoutCbcPadding(f, cbc(cipher.createDecipher, sealed), macBytes);
    return { run, check: run };
  };
  const rsa4096 = pki.publicKeyFromAsn1(asn1.fromDer(binary(f.rsa4096PublicKey)));
  const rsa4096Verify = () => rsa4096.verify(digest().digest().getBytes(), binary(f.rsa4096Signature));
  const parsed = (der) => pki.certificateFromAsn1(asn1.fromDer(binary(der)));
  const store = pki.createCaStore([parsed(f.rsaRootDer)]);
  const verifyChain = () => pki.verifyCertificateChain(store, [parsed(f.rsaLeaf), parsed(f.rsaIntermediate)]);
  const message = binary(f.message);
  const sha384 = () => fromBinary(md.sha384.create().update(message).digest().getBytes());
  const sha256 = () => fromBinary(md.sha256.create().update(message).digest().getBytes());
  const seed = `master secret${binary(f.prfSeed)}`;
  const secret = binary(f.prfSecret);
  const mac = (text) => {
    const keyed = hmac.create();
    keyed.start("sha256", secret);
    keyed.update(text);
    return keyed.digest().getBytes();
  };
  const prf = (length) => {
    let out = "";
    for (let a = seed; out.length < length; ) {
      a = mac(a);
      out += mac(a + seed);
    }
    return fromBinary(out.slice(0, length));
  };
  const certificate = binary(f.rsaCertificate);
  return {
    "rsa2048-verify": {
      run: () => publicKey.verify(digest().digest().getBytes(), binary(f.rsaSignature)),
      check: () => publicKey.verify(digest().digest().getBytes(), binary(f.rsaSignature)),
    },
    "rsa2048-sign": {
      run: () => privateKey.sign(digest()),
      check: () => publicKey.verify(digest().digest().getBytes(), privateKey.sign(digest())),
    },
    "rsa4096-verify": { run: rsa4096Verify, check: rsa4096Verify },
    "sha256-16384": { run: sha256, check: sha256 },
    "sha384-16384": { run: sha384, check: sha384 },
    "prf-48": { run: () => prf(48), check: () => prf(48) },
    "aes128gcm-seal-64": seal(64),
    "aes128gcm-seal-256": seal(256),
    "aes128gcm-seal-1024": seal(1024),
    "aes128gcm-seal-16384": seal(16_384),
    "aes128gcm-open-64": open(64),
    "aes128gcm-open-256": open(256),
    "aes128gcm-open-1024": open(1024),
    "aes128gcm-open-16384": open(16_384),
    "aes128cbc-sha256-seal-1024": cbcSeal(1024),
    "aes128cbc-sha256-seal-16384": cbcSeal(16_384),
    "aes128cbc-sha256-open-1024": cbcOpen(1024),
    "aes128cbc-sha256-open-16384": cbcOpen(16_384),
    "x509-parse-rsa": {
      run: () => pki.certificateFromAsn1(asn1.fromDer(certificate)),
      check: () => Buffer.from(pki.certificateFromAsn1(asn1.fromDer(certificate)).serialNumber, "hex"),
    },
    "x509-verify-rsa": { run: verifyChain, check: verifyChain },
    // It has no keys on elliptic curves, and reads no certificate with one.
    ...readings(rsaOnly(f), readCertificate, written, binary),
  };
});
