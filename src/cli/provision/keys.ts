/**
 * Keys for `thingwire provision`: new ones of the kinds that AWS IoT takes, those in files, and a CA's with its certificate.
 *
 * @module
 */

import { readInput } from "../../runtime/node-credentials.ts";
import { nodeRuntime } from "../../runtime/node-ports.ts";
import { generateRsaKey } from "../../runtime/node-rsa.ts";
import { finish } from "../../task.ts";
import { createCrypto } from "../../tls/crypto/index.ts";
import type { PrivateKey, PublicKey } from "../../tls/crypto/provider.ts";
import type { IssuedCertificate, IssuingPorts } from "../../tls/x509/authority.ts";
import { parseCertificate } from "../../tls/x509/certificate.ts";
import { type CertificateRequest, parseCertificateRequest, verifyCertificateRequest } from "../../tls/x509/csr.ts";
import { certificateError } from "../../tls/x509/error-table.ts";
import { parsePrivateKey, requireKeyOf } from "../../tls/x509/keys.ts";
import { bitLength } from "../../tls/x509/spki.ts";
import { parseCertificateChain } from "../../tls/x509/trust.ts";
import { CliError, type CommandContext, type CommandOption, stringOption } from "../command.ts";

/** `--type` */
export const keyTypeOption: CommandOption = {
  type: "string",
  value: "p256|rsa",
  help: "The kind of key: P-256 (default), or RSA with 2048 bits.",
};

/** What issuing needs, from Node. */
export function issuingPorts(): IssuingPorts {
  return { crypto: createCrypto(), random: nodeRuntime.random, clock: nodeRuntime.clock };
}

/** A new key of the kind that `--type` names. */
export function newKey(values: CommandContext["values"], { crypto, random }: IssuingPorts): PrivateKey {
  const type = stringOption(values, "type") ?? "p256";
  if (type === "rsa") return generateRsaKey(2048);
  if (type === "p256") return finish(crypto.generateKey("secp256r1", random));
  throw new CliError(`--type takes p256 or rsa, not "${type}"`);
}

/** The key in a file. */
export function readKey(file: string): PrivateKey {
  return parsePrivateKey(readInput(file, "private key"));
}

/** The public half of a key. */
export function publicHalf(key: PrivateKey, { crypto, random }: IssuingPorts): PublicKey {
  return finish(crypto.publicKey(key, random));
}

/**
 * A CA out of its two files.
 *
 * @throws CertificateError `X509_KEY_MISMATCH`, `X509_NOT_A_CA`, `X509_EXPIRED`, `X509_NOT_YET_VALID`, and those of reading.
 */
export function readAuthority(certificateFile: string, keyFile: string, ports: IssuingPorts): IssuedCertificate {
  const der = parseCertificateChain(readInput(certificateFile, "CA certificate"))[0]!;
  const certificate = parseCertificate(der);
  const privateKey = readKey(keyFile);
  finish(requireKeyOf(certificate, privateKey, ports.crypto, ports.random));
  const { basicConstraints, keyUsage, notBefore, notAfter } = certificate;
  const now = ports.clock.wallMs() ?? 0;
  if (basicConstraints?.ca !== true || keyUsage?.includes("keyCertSign") === false)
    throw certificateError("X509_NOT_A_CA", `${certificateFile}, ${certificate.subject.toString()}`);
  if (notAfter < now)
    throw certificateError("X509_EXPIRED", `${certificateFile}, on ${new Date(notAfter).toISOString()}`);
  if (notBefore > now)
    throw certificateError("X509_NOT_YET_VALID", `${certificateFile}, before ${new Date(notBefore).toISOString()}`);
  return { certificate: der, privateKey };
}

/** A request whose sender has proved to hold a key that AWS IoT takes. */
export interface AcceptedRequest extends CertificateRequest {
  readonly publicKey: PublicKey;
}

/** RSA keys below are refused by AWS IoT. */
const MIN_RSA_BITS = 2048;

/**
 * Reads a request for a device's certificate.
 *
 * @throws CertificateError `X509_REQUEST_SIGNATURE`, `X509_UNSUPPORTED_ALGORITHM`, `X509_WEAK_HASH`, `X509_WEAK_KEY`, and those of reading.
 */
export function readRequest(file: string, { crypto }: IssuingPorts): AcceptedRequest {
  const request = parseCertificateRequest(readInput(file, "certificate signing request"));
  const { publicKey, publicKeyAlgorithm, signatureAlgorithm, signatureAlgorithmName, weakSignature } = request;
  if (publicKey === undefined) throw certificateError("X509_UNSUPPORTED_ALGORITHM", `${file}, ${publicKeyAlgorithm}`);
  if (publicKey.type === "rsa" && bitLength(publicKey.modulus) < MIN_RSA_BITS)
    throw certificateError("X509_WEAK_KEY", `${file}, ${publicKeyAlgorithm}`);
  if (weakSignature) throw certificateError("X509_WEAK_HASH", `${file}, ${signatureAlgorithmName}`);
  if (signatureAlgorithm === undefined)
    throw certificateError("X509_UNSUPPORTED_ALGORITHM", `${file}, ${signatureAlgorithmName}`);
  if (!finish(verifyCertificateRequest(request, crypto)))
    throw certificateError("X509_REQUEST_SIGNATURE", `${file}, ${publicKeyAlgorithm}, ${signatureAlgorithmName}`);
  return { ...request, publicKey };
}
