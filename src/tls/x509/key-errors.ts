/**
 * The codes of the user's own private keys and certificate signing requests. Apart from the others, so that who only verifies carries no text for
 * them.
 *
 * @module
 */

import type { ErrorData } from "../../errors.ts";
import { CertificateError, type CertificateErrorRow } from "./errors.ts";

/** All codes of private keys and requests. */
export const keyErrors = {
  X509_REQUEST: {
    meaning: "the certificate signing request cannot be read",
    blame: "caller",
    retry: false,
    hint: "Expected is PKCS#10, in PEM or DER. The message says where it is wrong: make it again: `thingwire provision csr NAME`.",
    mbedtls: -0x2180,
  },
  X509_REQUEST_SIGNATURE: {
    meaning: "the certificate signing request is not signed by its own key",
    blame: "caller",
    retry: false,
    hint: "Whoever asks for a certificate must prove that the key is theirs. The request was changed, or signed with a broken or unknown algorithm: make it again.",
  },
  X509_KEY_MALFORMED: {
    meaning: "the private key cannot be read",
    blame: "caller",
    retry: false,
    hint: "Expected is PKCS#8, PKCS#1 (RSA) or SEC1 (EC), in PEM or DER. `openssl pkey -in FILE -check -noout` tells whether the file is whole.",
    mbedtls: -0x3d00,
  },
  X509_KEY_ENCRYPTED: {
    meaning: "the private key is encrypted",
    blame: "caller",
    retry: false,
    hint: "Decrypt it once (`openssl pkey -in FILE -out device.key`): a device could only keep the password beside the key. An app that asks a person for it calls `decryptPrivateKey`.",
    mbedtls: -0x3c00,
  },
  X509_KEY_ENCRYPTION: {
    meaning: "the private key is encrypted in a way that is not supported",
    blame: "caller",
    retry: false,
    hint: "Encrypt it anew with AES and PBKDF2: `openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -in FILE -out device.key`.",
    mbedtls: -0x3980,
  },
  X509_KEY_PASSWORD: {
    meaning: "the password does not open the private key",
    blame: "caller",
    retry: false,
    hint: "Check the password; `openssl pkey -in FILE -noout` asks for it and tells whether it is right. A damaged file looks the same.",
    mbedtls: -0x3b80,
  },
  X509_KEY_UNSUPPORTED: {
    meaning: "the private key is of a kind that is not supported",
    blame: "caller",
    retry: false,
    hint: "Use RSA (2048 bits or more), P-256, P-384 or P-521. AWS IoT accepts no other kind either.",
    mbedtls: -0x3c80,
  },
  X509_KEY_MISMATCH: {
    meaning: "the private key does not belong to the certificate",
    blame: "caller",
    retry: false,
    hint: "Take certificate and key of the same download: the two names start with the same certificate id.",
  },
} as const satisfies Record<string, CertificateErrorRow>;

/** A key of {@link keyErrors}. */
export type KeyErrorCode = keyof typeof keyErrors;

/** The error of a code. */
export function keyError(code: KeyErrorCode, detail?: string, data?: ErrorData, cause?: unknown): CertificateError {
  return new CertificateError(code, detail, data, cause, keyErrors[code]);
}
