/**
 * `thingwire/tls/crypto`: the crypto provider that TLS and X.509 compute with, whole or composed of pieces.
 *
 * @module
 */

export type { AeadAlgorithm } from "./aead-task.ts";
export { AesCtr } from "./aes-ctr.ts";
export { aes128Gcm, aes256Gcm } from "./aes-gcm.ts";
export { aes128GcmWide, aes256GcmWide } from "./aes-gcm-wide.ts";
export { aes128Cbc, aes256Cbc, type CbcAlgorithm, type CbcMaker } from "./cbc-cipher.ts";
export { chacha20Poly1305 } from "./chacha20-poly1305.ts";
export { type CryptoPieces, composeCrypto } from "./compose.ts";
export { type CryptoOptions, createBigIntCrypto, createCrypto, createSmallCrypto } from "./create.ts";
export type { Curve } from "./curve.ts";
export { ecdsa } from "./ecdsa.ts";
export { type Group, type PreparedGroup, secp256r1, secp384r1, secp521r1 } from "./group.ts";
export { secp256r1Auto, secp256r1AutoSmall, secp256r1Limbs, secp256r1LimbsSmall } from "./group-limbs.ts";
export type { HashAlgorithm, RunningHash } from "./hash.ts";
export type { ModularArithmetic, ModularArithmeticMaker, RsaArithmetic } from "./modular.ts";
export { pbes2 } from "./pbes2.ts";
export type * from "./provider.ts";
export { rsaLimbs, rsaLimbsAuto } from "./rsa-limbs.ts";
export { rsaPkcs1 } from "./rsa-pkcs1.ts";
export { rsaPss } from "./rsa-pss.ts";
export { sha1 } from "./sha1.ts";
export { sha256 } from "./sha256.ts";
export { sha256Auto } from "./sha256-auto.ts";
export { sha384, sha512 } from "./sha512.ts";
export type { SignatureContext, SignatureMethod } from "./signature.ts";
export {
  aes128CbcSmall,
  aes128GcmSmall,
  aes256CbcSmall,
  aes256GcmSmall,
  secp256r1Small,
  secp384r1Small,
  secp521r1Small,
} from "./small.ts";
export { x25519 } from "./x25519.ts";
