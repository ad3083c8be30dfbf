/**
 * Node's own TLS as a transport, beside ours: the same trust, the same errors, as far as Node tells them.
 *
 * It does not tell: an end without close_notify looks like an orderly end, and of a rejected chain only the first problem is
 * known. Needs certificates where `trust` holds keys only: Amazon's roots are found among those that Node brings.
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP, type OnReadOpts } from "node:net";
import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  rootCertificates,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
import { equal } from "../../bytes.ts";
import { type ThingwireError, UsageError } from "../../errors.ts";
import { Alert } from "../../tls/alerts.ts";
import { alertReceived, TlsError } from "../../tls/errors.ts";
import { certificateError } from "../../tls/x509/error-table.ts";
import type { CertificateErrorCode } from "../../tls/x509/errors.ts";
import type { TrustAnchor } from "../../tls/x509/trust.ts";
import type { NativeTlsInfo, NativeTlsOptions } from "../native-tls.ts";
import type { Transport } from "../transport.ts";
import { SocketTransport } from "./socket.ts";
import { checkAddress } from "./tcp.ts";

/**
 * TLS of Node over TCP, made when the transport is opened.
 *
 * @throws CertificateError where certificate, key or CA cannot be read, or do not belong together; UsageError where `trust` has an
 * anchor that Node has no certificate for.
 * @example
 * const transport = nativeTls({ host, port: 8883, trust: amazonTrust, certificate, privateKey });
 */
export function nativeTls(options: NativeTlsOptions): Transport {
  const { host, port } = options;
  checkAddress(host, port);
  const serverName = options.serverName ?? host;
  const secureContext = makeContext(options);
  const description = `native tls ${host}:${port}`;
  return new SocketTransport({
    description,
    timeoutMs: options.timeoutMs ?? 20_000,
    bufferBytes: options.bufferBytes,
    readyEvent: "secureConnect",
    connect: (onread) => {
      const settings: ConnectionOptions & { onread: OnReadOpts; noDelay: boolean; allowHalfOpen: boolean } = {
        host,
        port,
        secureContext,
        allowHalfOpen: true,
        noDelay: true,
        onread,
        checkServerIdentity: (_name, certificate) => nameProblem(serverName, certificate.raw),
        ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
        ...(options.alpn === undefined ? {} : { ALPNProtocols: [...options.alpn] }),
      };
      return connect(settings);
    },
    ready: (socket) => {
      const { alpn } = options;
      const chosen = (socket as TLSSocket).alpnProtocol;
      if (alpn !== undefined && typeof chosen === "string" && !alpn.includes(chosen))
        return new TlsError("TLS_UNOFFERED_ALPN");
      options.onSecured?.(describe(socket as TLSSocket));
      return undefined;
    },
    explain: (error, tcpConnected) => explain(error, tcpConnected, description),
  });
}

function makeContext(options: NativeTlsOptions): SecureContext {
  const { certificate, privateKey } = options;
  const ca = options.ca ?? certificatesOf(options.trust ?? []);
  if (ca.length === 0) throw new UsageError("USAGE_INVALID_ARGUMENT", "neither ca nor trust names a CA");
  const cert = certificate === undefined ? undefined : chainPem(certificate);
  const key = privateKey === undefined ? undefined : keyPem(privateKey);
  try {
    return createSecureContext({
      ca: ca as string | string[],
      minVersion: "TLSv1.2",
      maxVersion: options.maxVersion ?? "TLSv1.2",
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code?.includes("KEY_VALUES_MISMATCH") || code?.includes("KEY_TYPE_MISMATCH"))
      throw certificateError("X509_KEY_MISMATCH", undefined, {}, error);
    throw certificateError("X509_PEM", message, {}, error);
  }
}

/** The certificates of Node's own store for these anchors. */
function certificatesOf(trust: readonly TrustAnchor[]): string[] {
  const store = rootCertificates.map((pem) => ({
    pem,
    key: new Uint8Array(new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" })),
  }));
  return trust.map(({ subjectPublicKeyInfo, label }) => {
    const found = store.find(({ key }) => equal(key, subjectPublicKeyInfo));
    if (found === undefined)
      throw new UsageError(
        "USAGE_INVALID_ARGUMENT",
        `Node has no certificate for the trust anchor ${label}: pass the CA as PEM, or use thingwire's own TLS`,
      );
    return found.pem;
  });
}

function chainPem(certificate: string | Uint8Array | readonly Uint8Array[]): string {
  if (typeof certificate === "string") return certificate;
  const list = certificate instanceof Uint8Array ? [certificate] : certificate;
  try {
    return list.map((der) => new X509Certificate(der).toString()).join("");
  } catch (error) {
    throw certificateError("X509_WRONG_CONTENT", "the certificate", {}, error);
  }
}

function keyPem(key: string | Uint8Array): string {
  try {
    return readKey(key).export({ type: "pkcs8", format: "pem" }) as string;
  } catch (error) {
    const encrypted = typeof key === "string" && key.includes("ENCRYPTED");
    throw certificateError(encrypted ? "X509_KEY_ENCRYPTED" : "X509_KEY_MALFORMED", undefined, {}, error);
  }
}

function readKey(key: string | Uint8Array): ReturnType<typeof createPrivateKey> {
  if (typeof key === "string") return createPrivateKey(key);
  const der = Buffer.from(key);
  // PEM may come as bytes, too; otherwise the three forms tell themselves apart by being readable.
  if (der.subarray(0, 11).toString("latin1").includes("-----")) return createPrivateKey(der);
  for (const type of ["pkcs8", "pkcs1"] as const) {
    try {
      return createPrivateKey({ key: der, format: "der", type });
    } catch {
      // The next form.
    }
  }
  return createPrivateKey({ key: der, format: "der", type: "sec1" });
}

/** Only subjectAltName counts, as with our own TLS; Node's check would fall back to the common name. */
function nameProblem(serverName: string, der: Buffer): Error | undefined {
  const certificate = new X509Certificate(der);
  const matched =
    isIP(serverName) === 0
      ? certificate.checkHost(serverName, { subject: "never", partialWildcards: false })
      : certificate.checkIP(serverName);
  if (matched !== undefined) return undefined;
  const names = certificate.subjectAltName ?? "no name at all";
  return Object.assign(new Error(`${serverName} is wanted, the certificate is for ${names}`), {
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
  });
}

function describe(socket: TLSSocket): NativeTlsInfo {
  const certificates: Uint8Array[] = [];
  let certificate = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && certificates.length < 16) {
    certificates.push(new Uint8Array(certificate.raw));
    if (certificate.issuerCertificate === certificate) break;
    certificate = certificate.issuerCertificate;
  }
  return {
    protocol: socket.getProtocol() ?? "unknown",
    suite: socket.getCipher().standardName,
    alpn: typeof socket.alpnProtocol === "string" ? socket.alpnProtocol : undefined,
    certificates,
  };
}

/** What our own TLS would have said. */
function explain(error: Error, tcpConnected: boolean, description: string): ThingwireError | undefined {
  const code = String((error as { code?: unknown }).code ?? "");
  const alert = /alert number (\d+)/i.exec(error.message);
  if (alert !== null) return alertReceived(Number(alert[1]), "client");
  const certificateCode = certificateProblems[code];
  if (certificateCode !== undefined) {
    const problem = certificateError(certificateCode, error.message, {}, error);
    return new TlsError("TLS_CERTIFICATE_REJECTED", `${problem.message}. ${problem.hint}`, {
      data: { problems: [certificateCode] },
      cause: problem,
      alert: problem.alert ?? Alert.certificate_unknown,
    });
  }
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG")
    return new TlsError("TLS_INVALID_RECORD", description, { cause: error });
  if (code === "ERR_SSL_UNSUPPORTED_PROTOCOL")
    return new TlsError("TLS_UNSUPPORTED_VERSION", description, { cause: error });
  if (code === "ECONNRESET" && tcpConnected && error.message.includes("before secure TLS connection"))
    return new TlsError("TLS_CLOSED_WITHOUT_NOTIFY", description, { cause: error });
  if (code.startsWith("ERR_SSL_")) return new TlsError("TLS_DECODE_ERROR", code, { cause: error });
  return undefined;
}

/** OpenSSL's verification results, as Node names them. */
const certificateProblems: Readonly<Record<string, CertificateErrorCode>> = {
  UNABLE_TO_GET_ISSUER_CERT: "X509_NOT_TRUSTED",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "X509_NOT_TRUSTED",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "X509_NOT_TRUSTED",
  SELF_SIGNED_CERT_IN_CHAIN: "X509_NOT_TRUSTED",
  DEPTH_ZERO_SELF_SIGNED_CERT: "X509_NOT_TRUSTED",
  CERT_UNTRUSTED: "X509_NOT_TRUSTED",
  CERT_SIGNATURE_FAILURE: "X509_BAD_SIGNATURE",
  CERT_HAS_EXPIRED: "X509_EXPIRED",
  CERT_NOT_YET_VALID: "X509_NOT_YET_VALID",
  ERR_TLS_CERT_ALTNAME_INVALID: "X509_NAME_MISMATCH",
  HOSTNAME_MISMATCH: "X509_NAME_MISMATCH",
  IP_ADDRESS_MISMATCH: "X509_NAME_MISMATCH",
  INVALID_CA: "X509_NOT_A_CA",
  INVALID_PURPOSE: "X509_EXTENDED_KEY_USAGE",
  PATH_LENGTH_EXCEEDED: "X509_PATH_LENGTH",
  CERT_CHAIN_TOO_LONG: "X509_PATH_LENGTH",
  CA_MD_TOO_WEAK: "X509_WEAK_HASH",
  EE_KEY_TOO_SMALL: "X509_WEAK_KEY",
  CA_KEY_TOO_SMALL: "X509_WEAK_KEY",
};
