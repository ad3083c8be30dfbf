/**
 * TCP and TLS, judged: from how a connection ended to the one cause that explains it.
 *
 * Where the end alone is ambiguous, another connection is made that differs in one thing: in ALPN, or in being no TLS at all.
 *
 * @module
 */

import { printableBytes } from "../../bytes.ts";
import type { ThingwireError } from "../../errors.ts";
import { certificateId } from "../../simulator/authority.ts";
import { AWS_MQTT_ALPN, alpnForPort } from "../../thing/aws.ts";
import { Alert } from "../../tls/alerts.ts";
import { TlsError } from "../../tls/errors.ts";
import { oneLine } from "../../tls/x509/describe.ts";
import type { CertificateErrorCode } from "../../tls/x509/errors.ts";
import { parseServerName } from "../../tls/x509/names.ts";
import { isSelfIssued } from "../../tls/x509/validate.ts";
import type { TransportErrorCode } from "../../transport/errors.ts";
import { connectOnce, type Outcome, type Target, wireError } from "./attempt.ts";
import type { Cause } from "./causes.ts";
import { timeText } from "./device-certificate.ts";
import { speaksPlainMqtt } from "./plain-mqtt.ts";
import type { CheckId, Findings } from "./report.ts";

const byTransport: Partial<Record<TransportErrorCode, Cause>> = {
  TRANSPORT_DNS: "DOCTOR_DNS_NOT_FOUND",
  TRANSPORT_REFUSED: "DOCTOR_TCP_REFUSED",
  TRANSPORT_TIMEOUT: "DOCTOR_TCP_TIMEOUT",
};

const byAlert: Readonly<Record<number, readonly [CheckId, Cause]>> = {
  [Alert.bad_certificate]: ["client-certificate", "DOCTOR_CERTIFICATE_REFUSED"],
  [Alert.unsupported_certificate]: ["client-certificate", "DOCTOR_CERTIFICATE_REFUSED"],
  [Alert.certificate_unknown]: ["client-certificate", "DOCTOR_CERTIFICATE_REFUSED"],
  [Alert.access_denied]: ["client-certificate", "DOCTOR_CERTIFICATE_REFUSED"],
  [Alert.certificate_required]: ["client-certificate", "DOCTOR_CERTIFICATE_REFUSED"],
  [Alert.certificate_revoked]: ["client-certificate", "DOCTOR_CERTIFICATE_REVOKED"],
  [Alert.certificate_expired]: ["client-certificate", "DOCTOR_CERTIFICATE_REFUSED_EXPIRED"],
  [Alert.unknown_ca]: ["client-certificate", "DOCTOR_ISSUER_UNKNOWN"],
  [Alert.decrypt_error]: ["client-certificate", "DOCTOR_KEY_PROOF_REFUSED"],
  [Alert.protocol_version]: ["handshake", "DOCTOR_TLS_VERSION"],
  [Alert.insufficient_security]: ["handshake", "DOCTOR_NO_COMMON_SUITE"],
  [Alert.unrecognized_name]: ["handshake", "DOCTOR_SERVER_NAME_UNKNOWN"],
};

const byProblem: Partial<Record<CertificateErrorCode, readonly [CheckId, Cause]>> = {
  X509_NOT_TRUSTED: ["server-certificate", "DOCTOR_SERVER_NOT_TRUSTED"],
  X509_EXPIRED: ["server-certificate", "DOCTOR_SERVER_EXPIRED"],
  X509_NOT_YET_VALID: ["server-certificate", "DOCTOR_SERVER_NOT_YET_VALID"],
  X509_NAME_MISMATCH: ["host-name", "DOCTOR_HOST_NAME_MISMATCH"],
};

/** Judges everything up to Finished; true where TLS is done. */
export async function judgeHandshake(target: Target, outcome: Outcome, findings: Findings): Promise<boolean> {
  const { raw, info } = outcome;
  if (!judgeReach(raw.connected ? undefined : wireError(outcome.error!), raw.description, findings)) return false;
  // Also where the server hangs up behind its Finished: that is no fault of the handshake.
  if (info !== undefined) {
    judgeSecured(target, outcome, findings);
    return true;
  }
  await judgeFailure(target, outcome, findings);
  return false;
}

/** Judges whether the port takes connections. */
export function judgeReach(error: ThingwireError | undefined, description: string, findings: Findings): boolean {
  if (error === undefined) {
    findings.ok("tcp", description);
    return true;
  }
  const cause = byTransport[error.code as TransportErrorCode] ?? "DOCTOR_TCP_UNREACHABLE";
  findings.found(cause === "DOCTOR_DNS_NOT_FOUND" ? "dns" : "tcp", cause, error.message, error);
  return false;
}

function judgeSecured({ files, ports, alpn: offered, port }: Target, { info }: Outcome, findings: Findings): void {
  const { suite, group, alpn, peer, clientSignatureScheme } = info!;
  if (wantsAlpn(port) === offered.includes(AWS_MQTT_ALPN) || alpn !== undefined)
    findings.ok("alpn", `port ${port}, offered ${offered.join(", ") || "none"}, the server chose ${alpn ?? "none"}`);
  findings.ok("handshake", `${suite.name}, ${group.name}`);
  findings.ok("server-certificate", `${oneLine(peer.path[0]!)}; trusted by ${peer.anchor.label}`);
  findings.ok("host-name", `the certificate covers it`);
  const leaf = files.certificates?.[0];
  if (clientSignatureScheme === undefined || leaf === undefined)
    findings.skip("client-certificate", "the server did not ask for one");
  else findings.ok("client-certificate", `certificate ${certificateId(leaf.der, ports.crypto)} was taken`);
}

async function judgeFailure(target: Target, outcome: Outcome, findings: Findings): Promise<void> {
  const error = wireError(outcome.error!) ?? outcome.error!;
  switch (error.code) {
    case "TLS_CERTIFICATE_REJECTED":
      judgeServerCertificate(target, error, findings);
      return;
    case "TLS_ALERT_RECEIVED":
      await judgeAlert(target, error as TlsError, findings);
      return;
    case "TLS_UNSUPPORTED_VERSION":
      if (looksLikeTls(outcome.raw.first)) findings.found("handshake", "DOCTOR_TLS_VERSION", error.message, error);
      else findings.found("handshake", "DOCTOR_NOT_TLS", `it answers ${answer(outcome.raw.first)}`, error);
      return;
    case "TRANSPORT_HANDSHAKE_TIMEOUT":
      await judgeSilence(target, outcome, error, findings);
      return;
    case "TLS_CLOSED_WITHOUT_NOTIFY":
    case "TLS_CLOSED_IN_HANDSHAKE":
    case "TLS_TRANSPORT_FAILED":
    case "TRANSPORT_RESET":
      await judgeClosed(target, outcome, error, findings);
      return;
    default:
      if (looksLikeTls(outcome.raw.first)) findings.found("handshake", "DOCTOR_HANDSHAKE_FAILED", error.message, error);
      else findings.found("handshake", "DOCTOR_NOT_TLS", `it answers ${answer(outcome.raw.first)}`, error);
  }
}

function judgeServerCertificate({ ports, options }: Target, error: ThingwireError, findings: Findings): void {
  findings.ok("handshake", "the server answers with TLS 1.2");
  const problems = (error.data["problems"] as readonly CertificateErrorCode[] | undefined) ?? [];
  const told = new Set<Cause>();
  const wallMs = ports.runtime.clock.wallMs();
  const now = wallMs === undefined ? "" : `; the clock says ${timeText(wallMs)}`;
  const trusted = options.ca === undefined ? "Amazon's roots are trusted" : `${options.ca} is trusted`;
  for (const problem of problems) {
    const [check, cause] = byProblem[problem] ?? ["server-certificate", "DOCTOR_SERVER_UNFIT"];
    if (told.has(cause)) continue;
    told.add(cause);
    const more =
      cause === "DOCTOR_SERVER_NOT_TRUSTED" ? `; ${trusted}` : cause === "DOCTOR_HOST_NAME_MISMATCH" ? "" : now;
    findings.found(check, cause, `${error.message}${more}`, error);
  }
}

async function judgeAlert(target: Target, error: TlsError, findings: Findings): Promise<void> {
  const { data } = error;
  const alert = error.alert ?? -1;
  const evidence = `alert ${data["name"]} (${alert}) ${beforeAnswer(error) ? "in answer to ClientHello" : "after our certificate"}: ${data["explanation"]}`;
  if (alert === Alert.no_application_protocol) {
    const cause = target.alpn.includes(AWS_MQTT_ALPN) ? "DOCTOR_ALPN_REFUSED" : "DOCTOR_ALPN_NEEDED";
    findings.found("alpn", cause, evidence, error);
    return;
  }
  if (beforeAnswer(error) && (await judgeAlpn(target, evidence, error, findings))) return;
  const [check, cause] = withoutName(target, error) ?? byAlert[alert] ?? byPlace(alert, error);
  findings.ok("handshake", "the server answers with TLS");
  if (check !== "client-certificate") {
    findings.found(check, cause, evidence, error);
    return;
  }
  judgeRefusedCertificate(target, cause, evidence, error, findings);
}

/** A server that chooses by name, and was asked by address. */
function withoutName({ options }: Target, error: TlsError): readonly [CheckId, Cause] | undefined {
  const { alert } = error;
  const isOfName = alert === Alert.handshake_failure || alert === Alert.unrecognized_name;
  return beforeAnswer(error) && isOfName && parseServerName(options.endpoint)?.type === "ip"
    ? ["handshake", "DOCTOR_SERVER_NAME_MISSING"]
    : undefined;
}

/** Whether AWS IoT wants a protocol name at this port. */
export function wantsAlpn(port: number): boolean {
  return alpnForPort(port) !== undefined;
}

/** handshake_failure (40) and others that say little: what came before tells. */
function byPlace(alert: number, error: TlsError): readonly [CheckId, Cause] {
  if (!beforeAnswer(error) && alert !== Alert.internal_error && alert !== Alert.decode_error)
    return ["client-certificate", "DOCTOR_CERTIFICATE_REFUSED"];
  return ["handshake", alert === Alert.handshake_failure ? "DOCTOR_NO_COMMON_SUITE" : "DOCTOR_SERVER_ALERT"];
}

/** A refused certificate, with what is known of it. */
function judgeRefusedCertificate(
  { files, ports }: Target,
  cause: Cause,
  evidence: string,
  error: ThingwireError,
  findings: Findings,
): void {
  const leaf = files.certificates?.[0];
  const identified = leaf === undefined ? "" : `; certificate ${certificateId(leaf.der, ports.crypto)}`;
  const selfSigned = leaf !== undefined && isSelfIssued(leaf);
  const isVague = cause === "DOCTOR_CERTIFICATE_REFUSED" || cause === "DOCTOR_ISSUER_UNKNOWN";
  const code = selfSigned && isVague ? "DOCTOR_SELF_SIGNED_REFUSED" : cause;
  findings.found("client-certificate", code, `${evidence}${identified}`, error);
}

/** Before ServerHello the server had nothing of us but ClientHello. */
function beforeAnswer(error: ThingwireError): boolean {
  return error.data["state"] === "ExpectServerHello";
}

async function judgeSilence(
  target: Target,
  outcome: Outcome,
  error: ThingwireError,
  findings: Findings,
): Promise<void> {
  const { raw } = outcome;
  if (raw.received > 0 && !looksLikeTls(raw.first)) {
    findings.found("handshake", "DOCTOR_NOT_TLS", `it answers ${answer(raw.first)}`, error);
    return;
  }
  if (raw.received === 0 && (await judgePlainMqtt(target, error, findings))) return;
  const evidence =
    raw.received === 0 ? "not one byte came in answer to ClientHello" : `${raw.received} bytes came, then nothing more`;
  findings.found("handshake", "DOCTOR_HANDSHAKE_HANGS", `${evidence}, for ${target.timeoutMs} ms`, error);
}

async function judgeClosed(target: Target, outcome: Outcome, error: ThingwireError, findings: Findings): Promise<void> {
  const { raw } = outcome;
  if (raw.received > 0 && !looksLikeTls(raw.first)) {
    findings.found("handshake", "DOCTOR_NOT_TLS", `it answers ${answer(raw.first)}`, error);
    return;
  }
  if (raw.received > 0) {
    findings.ok("handshake", "the server answers with TLS");
    const evidence = `closed without an alert after ${raw.received} bytes of the server's handshake`;
    judgeRefusedCertificate(target, "DOCTOR_CERTIFICATE_REFUSED_SILENTLY", evidence, error, findings);
    return;
  }
  const evidence = "closed without an alert in answer to ClientHello";
  if (await judgeAlpn(target, evidence, error, findings)) return;
  if (await judgePlainMqtt(target, error, findings)) return;
  findings.found("handshake", "DOCTOR_HANDSHAKE_CLOSED", evidence, error);
}

/** Tries again with the other choice of ALPN; true where that comes further, which is then the cause. */
async function judgeAlpn(
  target: Target,
  evidence: string,
  error: ThingwireError,
  findings: Findings,
): Promise<boolean> {
  const offered = target.alpn.includes(AWS_MQTT_ALPN);
  const other = await connectOnce(target, { alpn: offered ? [] : [AWS_MQTT_ALPN] });
  void other.client?.close();
  const wire = other.error === undefined ? undefined : wireError(other.error);
  const further =
    other.info !== undefined || (wire instanceof TlsError && !beforeAnswer(wire) && looksLikeTls(other.raw.first));
  if (!further) return false;
  const cause = offered ? "DOCTOR_ALPN_REFUSED" : "DOCTOR_ALPN_NEEDED";
  findings.found(
    "alpn",
    cause,
    `${evidence}; ${offered ? "without ALPN" : `with ALPN ${AWS_MQTT_ALPN}`} the server goes on`,
    error,
  );
  return true;
}

async function judgePlainMqtt(target: Target, error: ThingwireError, findings: Findings): Promise<boolean> {
  if (!(await speaksPlainMqtt(target))) return false;
  findings.found("handshake", "DOCTOR_NOT_TLS", "it answers CONNECT without TLS: plain MQTT", error);
  return true;
}

/** The content type of a record of the handshake or an alert, and version 3.x, as far as they came. */
function looksLikeTls(first: Uint8Array): boolean {
  return (first[0] === 0x16 || first[0] === 0x15) && (first[1] === undefined || first[1] === 3);
}

/** What came instead of TLS, for people. */
export function answer(first: Uint8Array): string {
  const text = printableBytes(first.subarray(0, 40), 40);
  if (/^HTTP\//.test(text)) return `"${text}": an HTTP server`;
  if (/^SSH-/.test(text)) return `"${text}": an SSH server`;
  if (/^(220|\* OK|\+OK)/.test(text)) return `"${text}": a mail or FTP server`;
  return `"${text}"`;
}
