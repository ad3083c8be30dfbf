/**
 * The checks that make a TLS connection trustworthy, three for a client and two for a server, and the only place where their proofs are
 * made.
 *
 * `PeerVerified`, `SignatureValid`, `FinishedValid` and `ClientAdmitted` are classes with private fields that are exported as types only, so that nothing
 * else can make one. The state that passes application data on demands all of its role's: a skipped check does not compile.
 *
 * @module
 */

import { constantTimeEqual, equal } from "../bytes.ts";
import { chain, map, type Task } from "../task.ts";
import { Alert, alertForCertificateFlags } from "./alerts.ts";
import type { PublicKey } from "./crypto/provider.ts";
import { clientRefused, TlsError } from "./errors.ts";
import { keyText } from "./identity.ts";
import type { Randoms } from "./key-schedule.ts";
import type { ServerKeyExchange } from "./messages.ts";
import type { ServerResumable } from "./server-sessions.ts";
import type { ServerSettings } from "./server-settings.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import type { CipherSuite, SignatureScheme } from "./suites.ts";
import type { Certificate } from "./x509/certificate.ts";
import { dateRule } from "./x509/dates.ts";
import { verificationFlags } from "./x509/errors.ts";
import { recheckPath, type VerificationPolicy } from "./x509/policy.ts";
import { flagsOf } from "./x509/problem.ts";
import type { RevocationEvidence } from "./x509/revocation-context.ts";
import type { TrustAnchor } from "./x509/trust.ts";
import { certificateVerification, type VerificationResult } from "./x509/verify.ts";

/** Who decides which clients a server admits. */
type AdmissionSettings = Pick<ServerSettings, "crypto" | "clientCertificate" | "admit">;

class PeerProof {
  readonly #path: readonly Certificate[];
  readonly #anchor: TrustAnchor;
  readonly #publicKey: PublicKey;
  readonly #evidence: readonly RevocationEvidence[];
  #validity: VerificationResult["validity"];

  constructor(
    { path, anchor, evidence }: Pick<Session, "path" | "evidence"> & { readonly anchor: TrustAnchor },
    publicKey: PublicKey,
    validity: VerificationResult["validity"],
  ) {
    this.#path = path;
    this.#anchor = anchor;
    this.#publicKey = publicKey;
    this.#evidence = evidence;
    this.#validity = validity;
  }

  /** Leaf first; the last one's issuer is the anchor. */
  get path(): readonly Certificate[] {
    return this.#path;
  }

  get anchor(): TrustAnchor {
    return this.#anchor;
  }

  /** Whether the dates of the path were held against the time. */
  get validity(): VerificationResult["validity"] {
    return this.#validity;
  }

  /** What says that no certificate of the path is revoked, where that was asked for. */
  get evidence(): readonly RevocationEvidence[] {
    return this.#evidence;
  }

  /** Holds the dates against the time that is known now, and asks the app; throws where something is not right. */
  recheck(now: number, policy: VerificationPolicy): void {
    const problems = recheckPath(this, now, policy);
    if (problems.length > 0) throw rejected({ problems, flags: flagsOf(problems) });
    this.#validity = "checked";
  }

  /** The key in the peer's own certificate. */
  get publicKey(): PublicKey {
    return this.#publicKey;
  }
}

class SignatureProof {
  readonly #scheme: SignatureScheme;

  constructor(scheme: SignatureScheme) {
    this.#scheme = scheme;
  }

  get scheme(): SignatureScheme {
    return this.#scheme;
  }
}

class FinishedProof {
  readonly #verifyData: Uint8Array;

  constructor(verifyData: Uint8Array) {
    this.#verifyData = verifyData;
  }

  /** The peer's verify_data. */
  get verifyData(): Uint8Array {
    return this.#verifyData;
  }
}

class ClientProof {
  readonly #certificates: readonly Certificate[];
  readonly #scheme: SignatureScheme | undefined;

  constructor(certificates: readonly Certificate[], scheme: SignatureScheme | undefined) {
    this.#certificates = certificates;
    this.#scheme = scheme;
  }

  /** Leaf first; empty where the client showed none. */
  get certificates(): readonly Certificate[] {
    return this.#certificates;
  }

  /** The scheme of CertificateVerify. */
  get scheme(): SignatureScheme | undefined {
    return this.#scheme;
  }
}

/** The server's chain leads to a trust anchor, is valid now, and is for the name that was asked for. */
export type PeerVerified = PeerProof;
/** The server signed this handshake's key exchange with the key of its certificate. */
export type SignatureValid = SignatureProof;
/** The client holds the key of the certificate that it shows, if it shows one, and whoever runs the server admits it. */
export type ClientAdmitted = ClientProof;
/** The peer saw the same handshake as we did. */
export type FinishedValid = FinishedProof;

/** Verifies a server's chain (RFC 5280 §6, RFC 9525), its OCSP response where one was asked for, and that its key fits the suite. */
export function verifyPeer(
  settings: Settings,
  suite: CipherSuite,
  chain: readonly Uint8Array[],
  ocspResponse: Uint8Array | undefined,
): Task<PeerVerified> {
  if (chain.length === 0) throw new TlsError("TLS_CERTIFICATE_MISSING");
  const { trust, serverName, crypto } = settings;
  const verification = certificateVerification({
    ...settings.verification,
    purpose: "server",
    chain,
    trust,
    serverName,
    at: settings.wallMs(),
    crypto,
    ocspResponse,
  });
  return map(verification, (result) => {
    const leaf = result.path[0];
    if (!result.ok || result.anchor === undefined || leaf === undefined) throw rejected(result);
    const key = leaf.publicKey;
    if (key === undefined || (key.type === "rsa") !== (suite.authentication === "rsa"))
      throw new TlsError(
        "TLS_CERTIFICATE_KEY_TYPE",
        `${key === undefined ? "an unknown kind of key" : keyText(key)} for ${suite.name}`,
      );
    if (key.type === "ec" && !offersCurve(settings, key)) throw new TlsError("TLS_CERTIFICATE_CURVE", key.curve);
    const { path, anchor, evidence, validity } = result;
    return new PeerProof({ path, anchor, evidence }, key, validity);
  });
}

/** Once the time is known, holds a server's chain against it that was accepted without (see `unknownTime`). */
export function recheckPeer({ wallMs, verification, log }: Settings, peer: PeerVerified): void {
  if (peer.validity === "checked") return;
  const { kind, at } = dateRule(wallMs(), verification.unknownTime);
  if (kind !== "checked") return;
  peer.recheck(at, verification);
  if (log.enabled("info", "tls")) log.log("info", "tls", "the time is known now, and the server's chain is valid");
}

/** Verifies a ServerKeyExchange's signature over both randoms and its parameters (RFC 5246 §7.4.3). */
export function verifyKeyExchange(
  settings: Settings,
  peer: PeerVerified,
  scheme: SignatureScheme,
  randoms: Randoms,
  message: ServerKeyExchange,
): Task<SignatureValid> {
  if (scheme.key !== peer.publicKey.type)
    throw new TlsError("TLS_SIGNATURE_SCHEME_UNFIT", `${scheme.name} with a key of type ${keyText(peer.publicKey)}`);
  const { crypto } = settings;
  const digest = crypto.digest(scheme.hash, [randoms.client, randoms.server, message.parameters]);
  const verification = chain(digest, (value) => crypto.verify(scheme, peer.publicKey, value, message.signature));
  return map(verification, (isValid) => {
    if (!isValid) throw badSignature(scheme);
    return new SignatureProof(scheme);
  });
}

/** RFC 8422 §5.3: the curve of a certificate's key must be among the groups. */
function offersCurve({ groups }: Settings, key: PublicKey): boolean {
  return key.type !== "ec" || groups.some(({ name }) => name === key.curve);
}

/** What a client's full handshake has proved of the server. */
export interface SessionProofs {
  readonly peer: PeerVerified;
  readonly signature: SignatureValid;
}

/**
 * What the full handshake of a session has proved, as far as it still holds: the session is bound to the present configuration (`binding`, see
 * `sessionBinding`), is not over, no certificate, CRL or OCSP response that it rests on has run out, and the app does not object. `undefined` elsewhere, and where the time is not known.
 */
export function proofsOfSession(settings: Settings, session: Session, binding: Uint8Array): SessionProofs | undefined {
  if (!equal(session.binding, binding)) return undefined;
  const { verification } = settings;
  const { kind, at: now } = dateRule(settings.wallMs(), verification.unknownTime);
  if (kind !== "checked" || now < session.createdMs || now >= session.expiresMs) return undefined;
  const { path, evidence } = session;
  const anchor = settings.trust[session.anchor];
  if (recheckPath({ path, anchor, evidence }, now, verification).length > 0) return undefined;
  const key = path[0]?.publicKey;
  const scheme = settings.signatureSchemes.find(({ id }) => id === session.signatureScheme);
  if (anchor === undefined || key === undefined || scheme === undefined || !offersCurve(settings, key))
    return undefined;
  return { peer: new PeerProof({ path, anchor, evidence }, key, "checked"), signature: new SignatureProof(scheme) };
}

/**
 * Verifies a CertificateVerify over the digest of all messages before it (RFC 5246 §7.4.8), then asks whether the client is admitted.
 * `certificates` is not empty, and its leaf has a key.
 */
export function verifyClient(
  settings: AdmissionSettings,
  certificates: readonly Certificate[],
  scheme: SignatureScheme,
  digest: Uint8Array,
  signature: Uint8Array,
): Task<ClientAdmitted> {
  const key = certificates[0]!.publicKey!;
  if (scheme.key !== key.type)
    throw new TlsError("TLS_SIGNATURE_SCHEME_UNFIT", `${scheme.name} with a key of type ${keyText(key)}`);
  return map(settings.crypto.verify(scheme, key, digest, signature), (isValid) => {
    if (!isValid) throw badSignature(scheme);
    return admitted(settings, certificates, scheme);
  });
}

/** A client without a certificate, where that is allowed (RFC 5246 §7.4.6). `isAsked`: it sent an empty list. */
export function admitWithoutCertificate(settings: AdmissionSettings, isAsked: boolean): ClientAdmitted {
  if (settings.clientCertificate === "require") throw new TlsError("TLS_CLIENT_CERTIFICATE_MISSING");
  return isAsked ? admitted(settings, [], undefined) : new ClientProof([], undefined);
}

/** A client whose session is resumed: that it holds the key of its certificate was proved then; whether it is admitted is asked again. */
export function readmitClient(settings: AdmissionSettings, { session, clientScheme }: ServerResumable): ClientAdmitted {
  if (session.certificates.length > 0) return admitted(settings, session.certificates, clientScheme);
  return admitWithoutCertificate(settings, settings.clientCertificate !== "none");
}

function admitted(
  settings: AdmissionSettings,
  certificates: readonly Certificate[],
  scheme: SignatureScheme | undefined,
): ClientAdmitted {
  const alert = settings.admit(certificates);
  if (alert !== undefined) throw clientRefused("certificate", alert);
  return new ClientProof(certificates, scheme);
}

/** Compares a Finished's verify_data with what it must be (RFC 5246 §7.4.9). */
export function verifyFinished(expected: Uint8Array, received: Uint8Array): FinishedValid {
  if (!constantTimeEqual(expected, received)) throw new TlsError("TLS_BAD_FINISHED");
  return new FinishedProof(received);
}

/** mbedTLS names the failure after the algorithm: RSA_VERIFY_FAILED, ECP_VERIFY_FAILED. */
function badSignature(scheme: SignatureScheme): TlsError {
  return new TlsError("TLS_BAD_SIGNATURE", scheme.name, { mbedtls: scheme.key === "rsa" ? -0x4380 : -0x4e00 });
}

/** The error for a chain that was not accepted, with mbedTLS's flags and all problems. */
function rejected(result: Pick<VerificationResult, "flags" | "problems">): TlsError {
  const first = result.problems[0];
  // A certificate that cannot be read at all has an alert and a code of its own, as in mbedTLS, whatever the flags say.
  const unreadable = result.problems.find(({ flag }) => flag === verificationFlags.OTHER);
  return new TlsError("TLS_CERTIFICATE_REJECTED", result.problems.map((problem) => problem.message).join("; "), {
    alert:
      unreadable === undefined ? alertForCertificateFlags(result.flags) : (unreadable.alert ?? Alert.bad_certificate),
    mbedtls: unreadable?.mbedtls,
    hint: first?.hint,
    data: {
      flags: `0x${result.flags.toString(16)}`,
      problems: result.problems.map((problem) => problem.code),
      hints: result.problems.map((problem) => problem.hint),
      certificate: first?.certificate,
    },
  });
}
