/**
 * A server's answer to ClientHello: ServerHello, Certificate, CertificateStatus (RFC 6066 §8), ServerKeyExchange, CertificateRequest, ServerHelloDone (RFC 5246 §7.4.1
 * to §7.4.5), with the choices before it. Where a session is resumed it is ServerHello, NewSessionTicket, ChangeCipherSpec, Finished
 * (§7.3, RFC 5077 §3.3), which in a full handshake end our second flight.
 *
 * @module
 */

import { copyOf, NO_BYTES, printable, wipe } from "../bytes.ts";
import { chain, done, map, type Task } from "../task.ts";
import { deviatingParameters } from "./deviations.ts";
import { clientRefused, TlsError } from "./errors.ts";
import { type ClientExtensions, encodeServerExtensions, readClientExtensions } from "./extensions.ts";
import { type CheckedIdentity, signsWith } from "./identity.ts";
import { logMasterSecret, trafficKeys, verifyData } from "./key-schedule.ts";
import {
  ClientCertificateType,
  type ClientHello,
  encodeCertificate,
  encodeCertificateRequest,
  encodeCertificateStatus,
  encodeEcdheParameters,
  encodeFinished,
  encodeNewSessionTicket,
  encodeServerHello,
  encodeServerHelloDone,
  encodeServerKeyExchange,
} from "./messages.ts";
import { TLS_1_2 } from "./record.ts";
import {
  encodeServerSession,
  findSession,
  isKeepable,
  remainingSeconds,
  type ServerResumable,
  sealTicket,
  sessionOf,
} from "./server-sessions.ts";
import type { ServerSettings } from "./server-settings.ts";
import type { Offered, Resumed, ServerHandshake, ServerKeyed, ServerNegotiated } from "./server-states.ts";
import { MAX_SESSION_ID_BYTES } from "./session.ts";
import {
  type CipherSuite,
  idText,
  type NamedGroup,
  type SignatureScheme,
  secp256r1,
  secp384r1,
  secp521r1,
} from "./suites.ts";
import { type ClientAdmitted, readmitClient } from "./verify.ts";

/** TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 §3.3). */
const RENEGOTIATION_SCSV = 0x00ff;

/** Those that a certificate's key can be on. */
const curves: readonly NamedGroup[] = /* @__PURE__ */ Object.freeze([secp256r1, secp384r1, secp521r1]);

interface Choice {
  readonly suite: CipherSuite;
  readonly group: NamedGroup;
  readonly signatureScheme: SignatureScheme;
}

/** Chooses and answers; the result is what the rest of the handshake needs, which is less where a session is resumed. */
export function sendServerFlight(hello: ClientHello, handshake: ServerHandshake): Task<Offered | Resumed> {
  const { settings, clientRandom } = handshake;
  const asked = readClientExtensions(hello.extensions ?? []);
  checkHello(hello, asked);
  handshake.fixVersion();
  clientRandom.set(hello.random);
  const { serverName } = asked;
  const selection = settings.select({ serverName, alpn: asked.alpn });
  if ("alert" in selection)
    throw clientRefused(
      `host name ${serverName === undefined ? "(none)" : `"${printable(serverName)}"`} or protocols ${protocolsText(asked)}`,
      selection.alert,
    );
  const { identity, alpn, ocspResponse } = selection;
  return chain<ServerResumable | undefined, Offered | Resumed>(findSession(hello, asked, handshake), (resumable) => {
    if (resumable !== undefined) {
      const admitted = readmitClient(settings, resumable);
      const negotiated = negotiate(hello, asked, resumable, hello.sessionId, alpn, undefined, handshake);
      return sendAbbreviatedFlight(negotiated, asked, resumable, admitted, handshake);
    }
    const choice = choose(hello, asked, identity, handshake);
    const negotiated = negotiate(hello, asked, choice, undefined, alpn, ocspResponse, handshake);
    return sendFullFlight(negotiated, asked, identity, handshake);
  });
}

/** `resumedId`: the session ID that is echoed, where a session is resumed. */
function negotiate(
  hello: ClientHello,
  asked: ClientExtensions,
  { suite, group, signatureScheme }: Choice,
  resumedId: Uint8Array | undefined,
  alpn: string | undefined,
  ocspResponse: Uint8Array | undefined,
  handshake: ServerHandshake,
): ServerNegotiated {
  const { settings, clientRandom } = handshake;
  const { serverName, maxFragmentLength } = asked;
  const random = new Uint8Array(32);
  settings.random.fill(random, "server_random");
  const extendedMasterSecret = asked.extendedMasterSecret && settings.extendedMasterSecret;
  if (maxFragmentLength !== undefined) handshake.limitFragments(maxFragmentLength);
  // Without a clock a session could not end, and without RFC 7627 it should not be resumed.
  const mayResume = extendedMasterSecret && settings.resumption?.wallMs() !== undefined;
  const isTicketPromised = mayResume && asked.ticket !== undefined && settings.resumption?.ticketKey !== undefined;
  const isCached = mayResume && !isTicketPromised && settings.resumption?.cache !== undefined;
  handshake.log(
    "debug",
    () =>
      `chosen: ${suite.name}, ${group.name}, signed with ${signatureScheme.name}, ALPN ${alpn ?? "none"}, ` +
      `SNI ${serverName === undefined ? "none" : printable(serverName)}`,
  );
  return {
    suite,
    group,
    signatureScheme,
    randoms: { client: clientRandom, server: random },
    serverName,
    alpn,
    ocspResponse: asked.ocsp ? ocspResponse : undefined,
    extendedMasterSecret,
    encryptThenMac: asked.encryptThenMac && settings.encryptThenMac && suite.kind === "cbc",
    maxFragmentLength,
    sessionId: resumedId === undefined ? newSessionId(isCached, settings) : copyOf(resumedId),
    isTicketPromised,
    secureRenegotiation: asked.secureRenegotiation || hello.suites.includes(RENEGOTIATION_SCSV),
  };
}

/** Empty for a session that is not cached (RFC 5246 §7.4.1.3). */
function newSessionId(isCached: boolean, { random }: ServerSettings): Uint8Array {
  const id = new Uint8Array(isCached ? MAX_SESSION_ID_BYTES : 0);
  if (isCached) random.fill(id, "session_id");
  return id;
}

function sendServerHello(
  negotiated: ServerNegotiated,
  { pointFormats }: ClientExtensions,
  { transcript, send }: ServerHandshake,
): Task<void> {
  const { suite, randoms, sessionId, serverName } = negotiated;
  const message = encodeServerHello({
    version: TLS_1_2,
    random: randoms.server,
    sessionId,
    suite: suite.id,
    compression: 0,
    extensions: encodeServerExtensions({
      ...negotiated,
      isNamed: serverName !== undefined,
      isStapled: negotiated.ocspResponse !== undefined,
      pointFormats,
    }),
  });
  return chain(transcript.start(suite.hash), () => send(message));
}

function sendFullFlight(
  negotiated: ServerNegotiated,
  asked: ClientExtensions,
  identity: CheckedIdentity,
  handshake: ServerHandshake,
): Task<Offered> {
  const { settings } = handshake;
  const { group, signatureScheme: scheme, randoms } = negotiated;
  handshake.holdFlight();
  const started = sendServerHello(negotiated, asked, handshake);
  const certified = chain(started, () => handshake.send(encodeCertificate(identity.certificates)));
  const { ocspResponse } = negotiated;
  const shown =
    ocspResponse === undefined
      ? certified
      : chain(certified, () => handshake.send(encodeCertificateStatus(ocspResponse)));
  const exchange = chain(shown, () => settings.crypto.keyExchange(group.name, settings.random));
  return chain(exchange, (ours) => {
    handshake.wipeAtEnd(ours);
    const right = { group: group.id, publicKey: ours.publicKey };
    const parameters = encodeEcdheParameters(deviatingParameters(settings.deviations, right));
    const digest = settings.crypto.digest(scheme.hash, [randoms.client, randoms.server, parameters]);
    const signed = chain(digest, (value) => handshake.sign(identity, scheme, value));
    const signedSent = chain(signed, (signature) =>
      handshake.send(encodeServerKeyExchange({ parameters, scheme: scheme.id, signature })),
    );
    return map(
      chain(signedSent, () => sendRequestAndDone(handshake)),
      () => {
        handshake.releaseFlight();
        return { ...negotiated, ours };
      },
    );
  });
}

/** RFC 5246 §7.3: the keys follow from the session's master secret, and we have the first word. */
function sendAbbreviatedFlight(
  negotiated: ServerNegotiated,
  asked: ClientExtensions,
  { session }: ServerResumable,
  admitted: ClientAdmitted,
  handshake: ServerHandshake,
): Task<Resumed> {
  const { settings, clientRandom } = handshake;
  const { master } = session;
  logMasterSecret(settings, clientRandom, master);
  handshake.holdFlight();
  return chain(sendServerHello(negotiated, asked, handshake), () => {
    handshake.enterPhase("keyDerivation");
    return chain(trafficKeys(settings, negotiated, master), (keys) => {
      handshake.wipeAtEnd(keys.client, keys.server);
      const keyed: ServerKeyed = { ...negotiated, master, keys, resumed: session };
      return map(sendLastMessages(keyed, admitted, handshake), () => ({ keyed, admitted }));
    });
  });
}

/** NewSessionTicket where it was promised, ChangeCipherSpec, Finished: the end of our flight, which leaves then. */
export function sendLastMessages(keyed: ServerKeyed, client: ClientAdmitted, handshake: ServerHandshake): Task<void> {
  const { settings, transcript } = handshake;
  const { suite, master, keys } = keyed;
  handshake.holdFlight();
  const ticketSent = keyed.isTicketPromised ? sendTicket(keyed, client, handshake) : done(undefined);
  const finished = chain(ticketSent, () =>
    verifyData(settings.crypto, suite, master, "server", transcript.digest(suite.hash)),
  );
  return chain(finished, (value) => {
    handshake.sendChangeCipherSpec(keys.server);
    return map(handshake.send(encodeFinished(value)), () => handshake.releaseFlight());
  });
}

/** RFC 5077 §3.3. A renewed ticket is good for what is left of its session; an empty one says that there is none. */
function sendTicket(keyed: ServerKeyed, client: ClientAdmitted, handshake: ServerHandshake): Task<void> {
  const { settings } = handshake;
  const session = sessionOf(keyed, client, settings);
  const state = session === undefined ? undefined : encodeServerSession(session);
  const lifetimeHint = session === undefined ? undefined : remainingSeconds(session.createdMs, settings);
  const key = settings.resumption?.ticketKey;
  if (state === undefined || lifetimeHint === undefined || key === undefined || !isKeepable(state)) {
    wipe(state);
    return handshake.send(encodeNewSessionTicket({ lifetimeHint: 0, ticket: NO_BYTES }));
  }
  return chain(sealTicket(state, key, settings), (ticket) =>
    handshake.send(encodeNewSessionTicket({ lifetimeHint, ticket })),
  );
}

function sendRequestAndDone(handshake: ServerHandshake): Task<void> {
  const { clientCertificate, certificateAuthorities, signatureSchemes } = handshake.settings;
  const sendDone = (): Task<void> => handshake.send(encodeServerHelloDone());
  if (clientCertificate === "none") return sendDone();
  const request = encodeCertificateRequest({
    types: [ClientCertificateType.rsa_sign, ClientCertificateType.ecdsa_sign],
    schemes: signatureSchemes.map(({ id }) => id),
    authorities: certificateAuthorities,
  });
  return chain(handshake.send(request), sendDone);
}

/** RFC 5246 §7.4.1.2 and §E.1; who knows TLS 1.3 says in supported_versions what it takes (RFC 8446 §4.2.1). */
function checkHello({ version, compressions }: ClientHello, { versions }: ClientExtensions): void {
  if (version < TLS_1_2 || (versions !== undefined && !versions.includes(TLS_1_2))) {
    const offered = versions === undefined ? idText(version) : versions.map((one) => idText(one)).join(", ");
    throw new TlsError("TLS_UNSUPPORTED_VERSION", `the client offers ${offered}`, { data: { version: offered } });
  }
  if (!compressions.includes(0)) throw new TlsError("TLS_NO_NULL_COMPRESSION", `only ${compressions.join(", ")}`);
}

/** Our first suite, group and scheme that the client takes and that fit the identity's key (RFC 5246 §7.4.2, RFC 8422 §5.1, §5.3). */
function choose(
  hello: ClientHello,
  { groups, signatureSchemes }: ClientExtensions,
  identity: CheckedIdentity,
  { settings }: ServerHandshake,
): Choice {
  const { publicKey } = identity;
  const authentication = publicKey.type === "rsa" ? "rsa" : "ecdsa";
  if (
    publicKey.type === "ec" &&
    groups !== undefined &&
    !curves.some(({ id, name }) => name === publicKey.curve && groups.includes(id))
  )
    throw nothingInCommon(`curve for a certificate on ${publicKey.curve}`);
  const suite = settings.suites.find(
    (ours) => ours.authentication === authentication && hello.suites.includes(ours.id),
  );
  if (suite === undefined) throw nothingInCommon(`cipher suite for an ${authentication.toUpperCase()} certificate`);
  const group = settings.groups.find((ours) => groups?.includes(ours.id) ?? true);
  if (group === undefined) throw nothingInCommon("group");
  const signatureScheme = settings.signatureSchemes.find(
    (ours) => signatureSchemes.includes(ours.id) && signsWith(identity, ours),
  );
  if (signatureScheme === undefined) throw nothingInCommon("signature scheme");
  return { suite, group, signatureScheme };
}

function nothingInCommon(what: string): TlsError {
  return new TlsError("TLS_NOTHING_IN_COMMON", `no ${what}`);
}

function protocolsText({ alpn }: ClientExtensions): string {
  return alpn.length === 0 ? "(none)" : alpn.map((protocol) => `"${printable(protocol)}"`).join(", ");
}
