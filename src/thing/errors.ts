/**
 * Why a thing does not connect, told by the phase in which it failed: the same alert means one thing during the handshake and
 * another after CONNECT. The layer's own error is the `cause`.
 *
 * In the C SDK's terms: an alert within `mbedtls_ssl_handshake` is -0x7780; a connection that ends between the handshake and CONNACK is
 * -28, with -0x7780 below where an alert ended it; afterwards it is -13.
 *
 * @module
 */

import { type ErrorData, type ErrorRow, isThingwireError, ThingwireError } from "../errors.ts";
import { connectCauses, connectionFactors, handshakeCauses, numbered } from "./aws.ts";

/** How far it came: reading the credentials, finding the host, reaching it, TLS, MQTT's CONNECT, and everything afterwards. */
export type ThingPhase = "credentials" | "dns" | "tcp" | "handshake" | "connect" | "session";

/** A row of this table: as everywhere, plus the phase. */
export interface ThingErrorRow extends ErrorRow {
  readonly phase: ThingPhase;
}

const DOCTOR = "`npx thingwire doctor` checks all of it.";
const POLICY_OR_THING = `The policy or the thing is missing at the certificate, or the policy does not suffice. Check in this order: ${numbered(connectCauses)}.`;

/** All codes of errors of a thing, with the phase in which each happens. */
export const thingErrors = {
  THING_CERTIFICATE_UNUSABLE: {
    phase: "credentials",
    meaning: "the device's certificate cannot be used",
    blame: "caller",
    retry: false,
    hint: "Pass the text of the file that AWS names *-certificate.pem.crt, or its DER.",
    sdk: -20,
  },
  THING_KEY_UNUSABLE: {
    phase: "credentials",
    meaning: "the device's private key cannot be used",
    blame: "caller",
    retry: false,
    hint: "Pass the text of the file that AWS names *-private.pem.key, or its DER.",
    sdk: -21,
  },
  THING_KEY_MISMATCH: {
    phase: "credentials",
    meaning: "the private key does not belong to the certificate",
    blame: "caller",
    retry: false,
    hint: "Take certificate and key of the same download: their file names start with the same certificate id.",
    sdk: -21,
  },
  THING_TRUST_UNUSABLE: {
    phase: "credentials",
    meaning: "the CA certificates to trust cannot be used",
    blame: "caller",
    retry: false,
    hint: "Pass CA certificates in PEM, or leave `trust` out for AWS IoT: Amazon's roots are built in.",
    sdk: -19,
  },
  THING_FILE_UNREADABLE: {
    phase: "credentials",
    meaning: "a file with credentials cannot be read",
    blame: "caller",
    retry: false,
    hint: "Check the path and the permissions; AWS names the files *-certificate.pem.crt and *-private.pem.key.",
  },
  THING_KEY_TRACKED: {
    phase: "credentials",
    meaning: "version control has the device's private key, or is about to",
    blame: "caller",
    retry: false,
    hint: "Take it out of git with `git rm --cached FILE` and name it in .gitignore. Once it was committed it stays in the history: deactivate its certificate and make a new one.",
  },
  THING_ENDPOINT_NOT_FOUND: {
    phase: "dns",
    meaning: "the endpoint's host name was not found",
    blame: "network",
    retry: true,
    hint: "Compare the endpoint with the one in the AWS IoT console (Settings), letter by letter; then check the device's DNS.",
    sdk: -23,
  },
  THING_ENDPOINT_UNREACHABLE: {
    phase: "tcp",
    meaning: "the endpoint cannot be reached",
    blame: "network",
    retry: true,
    hint: "Check the port and whether a firewall lets it out; port 443 works in most networks.",
    sdk: -24,
  },
  THING_SERVER_REJECTED: {
    phase: "handshake",
    meaning: "the server's certificate was not accepted",
    blame: "peer",
    retry: false,
    hint: "Most often the clock, the host name or the trusted CA is wrong.",
    sdk: -4,
  },
  THING_HANDSHAKE_REFUSED: {
    phase: "handshake",
    meaning: "the server refused the handshake with an alert",
    blame: "peer",
    retry: false,
    hint: `The server does not take the device's certificate. Check in this order: ${numbered(handshakeCauses)}. ${DOCTOR}`,
    mbedtls: -0x7780,
    sdk: -4,
  },
  THING_HANDSHAKE_TIMEOUT: {
    phase: "handshake",
    meaning: "the server accepted the connection, but did not finish the handshake in time",
    blame: "network",
    retry: true,
    hint: "Something else than a TLS server may listen at that port: check endpoint and port. On a slow device raise `timeouts.handshakeMs`.",
    mbedtls: -0x6800,
    sdk: -6,
  },
  THING_HANDSHAKE_FAILED: {
    phase: "handshake",
    meaning: "the TLS handshake failed",
    blame: "peer",
    retry: true,
    hint: "See the cause: the server does not speak TLS 1.2 as it should, or something on the way changes the stream.",
    sdk: -4,
  },
  THING_ALERT_AFTER_HANDSHAKE: {
    phase: "connect",
    meaning: "the server recognised the certificate, and answered CONNECT with a TLS alert",
    blame: "caller",
    retry: true,
    hint: `${POLICY_OR_THING} ${DOCTOR}`,
    mbedtls: -0x7780,
    sdk: -28,
  },
  THING_CLOSED_AFTER_HANDSHAKE: {
    phase: "connect",
    meaning: "the server recognised the certificate, and closed the connection instead of answering CONNECT",
    blame: "caller",
    retry: true,
    hint: `${POLICY_OR_THING} ${DOCTOR}`,
    sdk: -28,
  },
  THING_CONNACK_TIMEOUT: {
    phase: "connect",
    meaning: "the server did not answer CONNECT in time",
    blame: "network",
    retry: true,
    hint: `TLS works, MQTT does not answer: check that the port is one for MQTT. On AWS IoT check in this order: ${numbered(connectionFactors)}.`,
    sdk: -28,
  },
  THING_CONNECT_REFUSED: {
    phase: "connect",
    meaning: "the server refused CONNECT",
    blame: "caller",
    retry: false,
    hint: "See the cause for the return code of CONNACK.",
  },
  THING_CONNECT_FAILED: {
    phase: "connect",
    meaning: "MQTT could not be started",
    blame: "peer",
    retry: true,
    hint: "See the cause: what answers may be no MQTT 3.1.1 broker.",
    sdk: -26,
  },
  THING_SESSION_LOST: {
    phase: "session",
    meaning: "the connection was lost",
    blame: "network",
    retry: true,
    hint: "Where it happens again and again soon after connecting: another device uses the same client id, or the policy forbids a topic that is used.",
    sdk: -13,
  },
} as const satisfies Record<string, ThingErrorRow>;

/** A key of {@link thingErrors}. */
export type ThingErrorCode = keyof typeof thingErrors;

/** Why a thing is not connected. `phase` says how far it came, `cause` is the error of the layer that failed. */
export class ThingError extends ThingwireError<ThingErrorCode> {
  readonly phase: ThingPhase;

  /** `hint` where the cause knows better than the row what to do. */
  constructor(code: ThingErrorCode, detail?: string, data?: ErrorData, cause?: unknown, hint?: string) {
    const row: ThingErrorRow = thingErrors[code];
    const sdk = row.sdk ?? (isThingwireError(cause) ? cause.sdk : undefined);
    super(
      "thing",
      code,
      { ...row, hint: hint ?? row.hint, ...(sdk === undefined ? {} : { sdk }) },
      detail,
      { phase: row.phase, ...data },
      cause,
    );
    this.name = "ThingError";
    this.phase = row.phase;
  }
}
