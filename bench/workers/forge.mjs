/** node-forge: what most JavaScript programs have used for RSA and certificates. It has no elliptic curves over prime fields. */
import forge from "node-forge";
import { measure } from "./measure.mjs";

const binary = (bytes) => Buffer.from(bytes).toString("latin1");
const fromBinary = (text) => Buffer.from(text, "latin1");

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
  const message = binary(f.message);
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
    "sha256-16384": { run: sha256, check: sha256 },
    "prf-48": { run: () => prf(48), check: () => prf(48) },
    "aes128gcm-seal-64": seal(64),
    "aes128gcm-seal-256": seal(256),
    "aes128gcm-seal-1024": seal(1024),
    "aes128gcm-seal-16384": seal(16_384),
    "x509-parse-rsa": {
      run: () => pki.certificateFromAsn1(asn1.fromDer(certificate)),
      check: () => Buffer.from(pki.certificateFromAsn1(asn1.fromDer(certificate)).serialNumber, "hex"),
    },
  };
});
