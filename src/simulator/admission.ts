/**
 * Whom the endpoint lets in: the conditions of a client's names and certificate, held against the registry (AWS IoT Developer Guide,
 * "X.509 client certificates", "Transport security", "Device communication protocols"). What follows from a condition is `treatment.ts`.
 *
 * @module
 */

import { AWS_MQTT_ALPN } from "../thing/aws.ts";
import type { CryptoProvider } from "../tls/crypto/provider.ts";
import type { Certificate } from "../tls/x509/certificate.ts";
import { verificationFlags } from "../tls/x509/errors.ts";
import { trustAnchors } from "../tls/x509/trust.ts";
import { verifyCertificate } from "../tls/x509/verify.ts";
import { certificateId } from "./authority.ts";
import type { Registry } from "./registry.ts";
import type { Treatments } from "./treatment.ts";

/** Why a client is not like the others; a key of {@link Treatments}. */
export type Condition = keyof Treatments;

/** A condition, and what was found, for the log. */
export interface Finding {
  readonly condition: Condition;
  readonly detail: string;
}

/** The two ports of AWS IoT for MQTT with client certificates. On 443 the device must name the protocol by ALPN. */
export type EndpointPort = 8883 | 443;

/** Protocol names that AWS IoT serves on 443 and the simulator does not, with what they are for. */
const notSimulated: Readonly<Record<string, string>> = /* @__PURE__ */ Object.freeze({
  mqtt: "custom authentication",
  "x-amzn-http-ca": "HTTPS with client certificates",
});

/** What a ClientHello asks for, held against the rules of a port. */
export function checkHello(
  { serverName, alpn }: { readonly serverName: string | undefined; readonly alpn: readonly string[] },
  { port, serverNames }: { readonly port: EndpointPort; readonly serverNames: readonly string[] },
): { readonly alpn: string | undefined; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  if (serverName === undefined)
    findings.push({ condition: "noServerName", detail: "its ClientHello names no server (SNI)" });
  else if (!serverNames.includes(serverName.toLowerCase()))
    findings.push({
      condition: "wrongServerName",
      detail: `it asks for the server ${serverName} (SNI), this is ${serverNames.join(", ")}`,
    });
  const chosen = alpn.includes(AWS_MQTT_ALPN) ? AWS_MQTT_ALPN : undefined;
  if (alpn.length === 0 && port === 443)
    findings.push({ condition: "noAlpn", detail: `port 443 wants ALPN ${AWS_MQTT_ALPN}, it offers none` });
  if (alpn.length > 0 && chosen === undefined) {
    const purpose = alpn.map((name) => notSimulated[name]).find((text) => text !== undefined);
    const suffix = purpose === undefined ? "" : ` (${purpose}, which is not simulated)`;
    findings.push({ condition: "unknownAlpn", detail: `it offers ALPN ${alpn.join(", ")}${suffix}` });
  }
  return { alpn: chosen, findings };
}

/** What a certificate is checked against. */
export interface AdmissionPorts {
  readonly registry: Registry;
  /** The CA whose certificates AWS IoT would have made itself, in DER. */
  readonly ownAuthority: Uint8Array;
  readonly crypto: CryptoProvider;
  /** Milliseconds since 1970. */
  readonly at: number | undefined;
}

/** A certificate that was looked at. */
export interface CheckedCertificate {
  readonly certificateId: string;
  /** In the order in which they count; empty where nothing is wrong. */
  readonly findings: readonly Finding[];
  /** The registered CA that issued it, where it is not registered itself and its CA registers at the first connection. */
  readonly registerUnder: string | undefined;
}

/** Looks at the chain of a client that has proved to have the leaf's key. The leaf is there. */
export function checkCertificate(chain: readonly Certificate[], ports: AdmissionPorts): CheckedCertificate {
  const { registry, crypto } = ports;
  const leaf = chain[0]!;
  const id = certificateId(leaf.der, crypto);
  const status = registry.certificates.find(id)?.status;
  const { caCertificateId, findings } = checkChain(chain, status !== undefined, ports);
  const who = `its certificate ${leaf.subject.toString()} (${id.slice(0, 8)}...)`;
  if (status !== undefined && status !== "ACTIVE") findings.push({ condition: status, detail: `${who} is ${status}` });
  const isFlawless = findings.length === 0;
  const isForged = findings.some(({ condition }) => condition === "unknownAuthority" || condition === "badSignature");
  if (status === undefined && !isForged)
    findings.push({ condition: "notRegistered", detail: `${who} is not registered` });
  const authority = caCertificateId === undefined ? undefined : registry.authorities.find(caCertificateId);
  const registers = status === undefined && isFlawless && authority?.status === "ACTIVE" && authority.autoRegistration;
  return { certificateId: id, findings, registerUnder: registers ? caCertificateId : undefined };
}

const flag = verificationFlags;

/** The chain against our own CA and the registered ones; their dates and status do not count here, as at AWS IoT. */
function checkChain(
  chain: readonly Certificate[],
  isRegistered: boolean,
  { registry, ownAuthority, crypto, at }: AdmissionPorts,
): { readonly caCertificateId: string | undefined; readonly findings: Finding[] } {
  const registered = registry.authorities.list.flatMap(({ certificatePem, caCertificateId }) =>
    trustAnchors(certificatePem).map((anchor) => ({ anchor, caCertificateId })),
  );
  const trust = [...trustAnchors(ownAuthority), ...registered.map(({ anchor }) => anchor)];
  const { anchor, problems } = verifyCertificate({
    purpose: "any",
    chain: chain.map(({ der }) => der),
    trust,
    at,
    crypto,
  });
  const findings = problems.map(({ code, message, flag: flags }): Finding => {
    const untrusted = isRegistered ? "authorityNotRegistered" : "unknownAuthority";
    const condition =
      code === "X509_BAD_SIGNATURE"
        ? "badSignature"
        : (flags & flag.NOT_TRUSTED) !== 0
          ? untrusted
          : (flags & flag.EXPIRED) !== 0
            ? "expired"
            : (flags & flag.FUTURE) !== 0
              ? "notYetValid"
              : "unsupported";
    return { condition, detail: message };
  });
  return { caCertificateId: registered.find((one) => one.anchor === anchor)?.caCertificateId, findings };
}
