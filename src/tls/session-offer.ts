/**
 * Which session a client offers, and which one it keeps (RFC 5246 §7.4.1.2, RFC 5077 §3.4).
 *
 * A ticket goes with a random session ID, so that its acceptance shows in the ServerHello already; an ID goes as it is.
 *
 * @module
 */

import { copyOf, NO_BYTES } from "../bytes.ts";
import { chain, done, map, type Task } from "../task.ts";
import type { NewSessionTicket } from "./messages.ts";
import {
  decodeSession,
  encodeSession,
  MAX_SESSION_ID_BYTES,
  MAX_TICKET_BYTES,
  type Session,
  type SessionHandle,
  sessionBinding,
  sessionExpiry,
} from "./session.ts";
import type { Settings } from "./settings.ts";
import type { ClientHandshake, Keyed } from "./states.ts";
import type { CipherSuite, NamedGroup } from "./suites.ts";
import { proofsOfSession, type SessionProofs } from "./verify.ts";

/** A session that may be resumed now. */
export interface Resumable {
  readonly session: Session;
  readonly suite: CipherSuite;
  readonly group: NamedGroup;
  readonly proofs: SessionProofs;
}

/** What a ClientHello says of sessions. */
export interface SessionOffer {
  /** What a new session will be bound to. */
  readonly binding: Uint8Array;
  /** Empty where no session is offered. */
  readonly sessionId: Uint8Array;
  readonly ticket: Uint8Array;
  readonly resumable: Resumable | undefined;
}

/** What is offered; `undefined` where the app wants no resumption. */
export function offerSession(handshake: ClientHandshake): Task<SessionOffer> {
  const { settings, log } = handshake;
  const bound = chain(sessionBinding(settings), (binding) =>
    map(resumableSession(binding, handshake), (resumable) => ({ binding, resumable })),
  );
  return map(bound, ({ binding, resumable }) => {
    if (resumable === undefined) return { binding, sessionId: NO_BYTES, ticket: NO_BYTES, resumable };
    forgetIfFatal(handshake);
    const { kind, value } = resumable.session.handle;
    log("debug", () => `a session is offered by its ${kind}`);
    if (kind === "id") return { binding, sessionId: value, ticket: NO_BYTES, resumable };
    const sessionId = new Uint8Array(MAX_SESSION_ID_BYTES);
    settings.random.fill(sessionId, "session_id");
    return { binding, sessionId, ticket: value, resumable };
  });
}

function resumableSession(
  binding: Uint8Array,
  { settings, log, wipeAtEnd }: ClientHandshake,
): Task<Resumable | undefined> {
  if (settings.session === undefined) return done(undefined);
  return map(decodeSession(settings.session, settings.crypto), (session) => {
    if (session === undefined) {
      log("warn", () => "the session is damaged or of another version: full handshake");
      return undefined;
    }
    wipeAtEnd(session.master);
    const suite = settings.suites.find(({ id }) => id === session.suite);
    const group = settings.groups.find(({ id }) => id === session.group);
    const proofs = proofsOfSession(settings, session, binding);
    if (suite === undefined || group === undefined || proofs === undefined) {
      log("info", () => "the session is over or was made under other options: full handshake");
      return undefined;
    }
    return { session, suite, group, proofs };
  });
}

/** RFC 5246 §7.2.2: what ended with a fatal alert must not be resumed, so that the app hears of it. */
export function forgetIfFatal({ ifFatal, keepSession }: ClientHandshake): void {
  ifFatal(() => keepSession(undefined));
}

/** The blob of the session that a handshake leaves; `undefined` where there is nothing to resume, or nothing new. */
export function keptSession(
  keyed: Keyed,
  ticket: NewSessionTicket | undefined,
  settings: Settings,
): Task<Uint8Array | undefined> {
  const { peer, sessionTerms, resumed } = keyed;
  const nowMs = settings.wallMs();
  if (sessionTerms === undefined || !keyed.extendedMasterSecret || nowMs === undefined || nowMs < 0)
    return done(undefined);
  const handle = handleOf(sessionTerms.sessionId, ticket, resumed !== undefined);
  if (handle === undefined) return done(undefined);
  const createdMs = resumed?.createdMs ?? Math.floor(nowMs);
  const session: Session = {
    handle,
    master: keyed.master,
    suite: keyed.suite.id,
    group: keyed.group.id,
    signatureScheme: keyed.signature.scheme.id,
    maxFragmentLength: keyed.maxFragmentLength,
    createdMs,
    expiresMs: sessionExpiry(createdMs, Math.floor(nowMs), ticket?.lifetimeHint ?? 0),
    binding: sessionTerms.binding,
    path: peer.path,
    anchor: settings.trust.indexOf(peer.anchor),
    evidence: peer.evidence,
  };
  return encodeSession(session, settings.crypto);
}

/** RFC 5077 §3.4: where there is a ticket the session ID does not count. A resumed session is new only by its ticket. */
function handleOf(
  sessionId: Uint8Array,
  ticket: NewSessionTicket | undefined,
  isResumed: boolean,
): SessionHandle | undefined {
  if (ticket !== undefined && ticket.ticket.length > 0)
    return ticket.ticket.length > MAX_TICKET_BYTES ? undefined : { kind: "ticket", value: copyOf(ticket.ticket) };
  return isResumed || sessionId.length === 0 ? undefined : { kind: "id", value: sessionId };
}
