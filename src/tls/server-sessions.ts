/**
 * Sessions of a server: what it remembers of a client, in a cache by session ID (RFC 5246 §7.4.1.3) or sealed in a ticket that the client
 * keeps (RFC 5077 §4), and when a session may be resumed.
 *
 * Only sessions with the extended master secret are made (RFC 7627 §5.3). One is resumed under the same SNI (RFC 6066 §3) and
 * max_fragment_length (§4), with a suite that is still offered on both sides, and no longer than its lifetime from the full handshake on; else
 * there is a full handshake.
 *
 * @module
 */

import { ByteWriter, copyOf, NO_BYTES, toHex, utf8Decode, utf8Encode, wipe } from "../bytes.ts";
import type { Clock, Random } from "../ports.ts";
import { chain, done, map, type Task } from "../task.ts";
import { Alert } from "./alerts.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import { TlsError } from "./errors.ts";
import { type ClientExtensions, type MaxFragmentLength, maxFragmentLengths } from "./extensions.ts";
import { MASTER_SECRET_BYTES } from "./key-schedule.ts";
import type { ClientHello } from "./messages.ts";
import { ParsingOfKept } from "./parsing.ts";
import type { ServerSettings } from "./server-settings.ts";
import type { ServerHandshake, ServerKeyed } from "./server-states.ts";
import { MAX_TICKET_BYTES, readStored, readTime, writeTime } from "./session.ts";
import type { CipherSuite, NamedGroup, SignatureScheme } from "./suites.ts";
import type { ClientAdmitted } from "./verify.ts";
import type { Certificate } from "./x509/certificate.ts";

/** Bytes of a ticket key: AES-128. */
export const TICKET_KEY_BYTES = 16;
/** Ticket keys of before that are tried at most, so that a ticket from anywhere costs little. */
export const MAX_PREVIOUS_TICKET_KEYS = 3;
/** Sessions that a cache holds by default. */
const DEFAULT_LIMIT = 256;
/** Other layouts have other numbers: a ticket outlives the program that made it. */
const STATE_VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** How a server resumes sessions. */
export interface ServerResumption {
  /** Remembers sessions by their ID; shared by the connections of one server. */
  readonly cache?: SessionCache | undefined;
  /** 16 secret bytes: seals tickets with AES-128-GCM, for clients that ask for them. Change it every day or so: see {@link previousTicketKeys}. */
  readonly ticketKey?: Uint8Array | undefined;
  /**
   * Keys that sealed tickets before, latest first, three at most: their tickets are still taken, and answered with one under `ticketKey`. Keep a
   * key here for `lifetimeSeconds` after its change, then wipe it. Both are read for each connection anew, so that a getter or an object
   * that is changed turns the keys while a server runs.
   */
  readonly previousTicketKeys?: readonly Uint8Array[] | undefined;
  readonly wallMs: Clock["wallMs"];
  /** Seconds that a session may be resumed after its full handshake, up to a day; 7,200 by default. */
  readonly lifetimeSeconds?: number | undefined;
}

/** Sessions by ID, a bounded number: the oldest makes room. */
export class SessionCache {
  readonly #limit: number;
  readonly #states = new Map<string, Uint8Array>();

  /** @param limit - sessions that are kept at most. */
  constructor(limit: number = DEFAULT_LIMIT) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#states.size;
  }

  /** What was kept under that ID; `undefined` where that is nothing. Not to be changed. */
  get(id: Uint8Array): Uint8Array | undefined {
    return this.#states.get(toHex(id));
  }

  /** Keeps the state of a session, which is the cache's from then on. */
  set(id: Uint8Array, state: Uint8Array): void {
    this.#states.set(toHex(id), state);
    for (const oldest of this.#states.keys()) {
      if (this.#states.size <= this.#limit) break;
      this.#delete(oldest);
    }
  }

  /** Forgets what was kept under that ID, if anything. */
  delete(id: Uint8Array): void {
    this.#delete(toHex(id));
  }

  /** Forgets everything. */
  clear(): void {
    for (const id of this.#states.keys()) this.#delete(id);
  }

  #delete(id: string): void {
    wipe(this.#states.get(id));
    this.#states.delete(id);
  }
}

/** What a server remembers of a full handshake; `C` is a certificate. */
export interface ServerSession<C = Certificate> {
  /** 48 bytes; whoever decodes a session wipes them. */
  readonly master: Uint8Array;
  /** Numbers; `clientScheme` is 0 where the client showed no certificate. */
  readonly suite: number;
  readonly group: number;
  readonly signatureScheme: number;
  readonly clientScheme: number;
  readonly maxFragmentLength: MaxFragmentLength | undefined;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  readonly serverName: string | undefined;
  /** The client's, leaf first. */
  readonly certificates: readonly C[];
}

/** A session that the client may resume now. */
export interface ServerResumable {
  readonly session: ServerSession;
  readonly suite: CipherSuite;
  readonly group: NamedGroup;
  readonly signatureScheme: SignatureScheme;
  readonly clientScheme: SignatureScheme | undefined;
}

/** The session that a handshake leaves; `undefined` where the time is not known. A resumed one stays as old as its full handshake. */
export function sessionOf(
  keyed: ServerKeyed,
  client: ClientAdmitted,
  { resumption }: ServerSettings,
): ServerSession | undefined {
  const now = resumption?.wallMs();
  if (now === undefined || now < 0) return undefined;
  const { master, suite, group, signatureScheme, maxFragmentLength, serverName } = keyed;
  return {
    ...{ master, maxFragmentLength, serverName },
    suite: suite.id,
    group: group.id,
    signatureScheme: signatureScheme.id,
    clientScheme: client.scheme?.id ?? 0,
    createdMs: keyed.resumed?.createdMs ?? Math.floor(now),
    certificates: client.certificates,
  };
}

/** Keeps the session of a full handshake in the cache, where its ID says so. */
export function cacheSession(keyed: ServerKeyed, client: ClientAdmitted, settings: ServerSettings): void {
  const session = keyed.sessionId.length === 0 ? undefined : sessionOf(keyed, client, settings);
  if (session === undefined) return;
  const state = encodeServerSession(session);
  if (isKeepable(state)) settings.resumption?.cache?.set(keyed.sessionId, state);
  else wipe(state);
}

/** The state of a session, as a cache or a ticket holds it. */
export function encodeServerSession(session: ServerSession): Uint8Array {
  const { maxFragmentLength, serverName } = session;
  const writer = new ByteWriter(1024);
  writer.uint8(STATE_VERSION);
  writer.uint16(session.suite).uint16(session.group).uint16(session.signatureScheme).uint16(session.clientScheme);
  writer.uint8(maxFragmentLength === undefined ? 0 : 1 + maxFragmentLengths.indexOf(maxFragmentLength));
  writeTime(writer, session.createdMs);
  // No host name is empty (RFC 6066 §3).
  writer.prefixed(2, () => writer.bytes(utf8Encode(serverName ?? "")));
  for (const { der } of session.certificates) writer.prefixed(3, () => writer.bytes(der));
  writer.bytes(session.master);
  const state = writer.finish();
  writer.wipe();
  return state;
}

/** The other direction, with certificates in DER; `undefined` for what is none, or of another version. */
export function decodeServerSession(state: Uint8Array): ServerSession<Uint8Array> | undefined {
  return readStored(state, (reader) => {
    if (reader.uint8() !== STATE_VERSION) reader.fail("another version");
    const [suite, group, signatureScheme, clientScheme] = [
      reader.uint16(),
      reader.uint16(),
      reader.uint16(),
      reader.uint16(),
    ];
    const maxFragmentLength = maxFragmentLengths[reader.uint8() - 1];
    const createdMs = readTime(reader);
    const serverName = utf8Decode(reader.bytes(reader.uint16())) || undefined;
    const certificates: Uint8Array[] = [];
    while (reader.remaining > MASTER_SECRET_BYTES) certificates.push(copyOf(reader.bytes(reader.uint24())));
    return {
      ...{ suite, group, signatureScheme, clientScheme, maxFragmentLength, createdMs, serverName, certificates },
      master: copyOf(reader.bytes(MASTER_SECRET_BYTES)),
    };
  });
}

/** RFC 5077 §4: nonce, ciphertext, tag. A random nonce is good for 2^32 tickets of one key. The state is wiped. */
export function sealTicket(
  state: Uint8Array,
  key: Uint8Array,
  { crypto, random }: { readonly crypto: CryptoProvider; readonly random: Random },
): Task<Uint8Array> {
  const end = NONCE_BYTES + state.length;
  const ticket = new Uint8Array(end + TAG_BYTES);
  const nonce = ticket.subarray(0, NONCE_BYTES);
  random.fill(nonce, "ticket_nonce");
  ticket.set(state, NONCE_BYTES);
  wipe(state);
  const aead = crypto.aead("aes-128-gcm", key);
  return map(aead.seal(ticket, NONCE_BYTES, end, nonce, NO_BYTES), () => {
    aead.wipe();
    return ticket;
  });
}

/** The state in a ticket; `undefined` where it was not sealed with this key. */
export function openTicket(ticket: Uint8Array, key: Uint8Array, crypto: CryptoProvider): Task<Uint8Array | undefined> {
  const end = ticket.length - TAG_BYTES;
  if (end < NONCE_BYTES) return done(undefined);
  const buffer = copyOf(ticket);
  const aead = crypto.aead("aes-128-gcm", key);
  return map(aead.open(buffer, NONCE_BYTES, end, buffer.subarray(0, NONCE_BYTES), NO_BYTES), (isRight) => {
    aead.wipe();
    return isRight ? buffer.subarray(NONCE_BYTES, end) : undefined;
  });
}

/** The state in a ticket; `undefined` where it was sealed with none of these keys. */
function openWithAny(
  ticket: Uint8Array,
  [key, ...others]: readonly Uint8Array[],
  crypto: CryptoProvider,
): Task<Uint8Array | undefined> {
  if (key === undefined) return done(undefined);
  return chain(openTicket(ticket, key, crypto), (state) =>
    state === undefined ? openWithAny(ticket, others, crypto) : done(state),
  );
}

/** The session that a ClientHello asks for, where it may be resumed; the master secret is wiped when the connection ends. */
export function findSession(
  hello: ClientHello,
  asked: ClientExtensions,
  handshake: ServerHandshake,
): Task<ServerResumable | undefined> {
  const { settings, log, wipeAtEnd } = handshake;
  return chain<ServerSession<Uint8Array> | undefined, ServerResumable | undefined>(
    readState(hello, asked, settings),
    (stored) => {
      if (stored === undefined) return done(undefined);
      wipeAtEnd(stored.master);
      return map(new ParsingOfKept(stored.certificates), (certificates) => {
        const resumable =
          certificates === undefined
            ? undefined
            : resumableSession({ ...stored, certificates }, hello, asked, settings);
        log("debug", () => (resumable === undefined ? "the session is not resumed" : "a session is resumed"));
        return resumable;
      });
    },
  );
}

/** The state of a session that is in the cache, or in the ticket, which is wiped once it was read. */
function readState(
  { sessionId }: ClientHello,
  { ticket }: ClientExtensions,
  { resumption, crypto, extendedMasterSecret }: ServerSettings,
): Task<ServerSession<Uint8Array> | undefined> {
  // Without an ID a client could not see that its ticket is taken (RFC 5077 §3.4).
  if (resumption === undefined || !extendedMasterSecret || sessionId.length === 0) return done(undefined);
  const { ticketKey, previousTicketKeys = [], cache } = resumption;
  if (ticket === undefined || ticket.length === 0) {
    const state = cache?.get(sessionId);
    return done(state === undefined ? undefined : decodeServerSession(state));
  }
  if (ticketKey === undefined) return done(undefined);
  return map(openWithAny(ticket, [ticketKey, ...previousTicketKeys], crypto), (state) => {
    const session = state === undefined ? undefined : decodeServerSession(state);
    wipe(state);
    return session;
  });
}

function resumableSession(
  session: ServerSession,
  { suites }: ClientHello,
  asked: ClientExtensions,
  settings: ServerSettings,
): ServerResumable | undefined {
  const { clientCertificate, signatureSchemes } = settings;
  if (remainingSeconds(session.createdMs, settings) === undefined) return undefined;
  if (session.serverName !== asked.serverName || session.maxFragmentLength !== asked.maxFragmentLength)
    return undefined;
  if (clientCertificate === (session.certificates.length === 0 ? "require" : "none")) return undefined;
  const suite = settings.suites.find(({ id }) => id === session.suite && suites.includes(id));
  const group = settings.groups.find(({ id }) => id === session.group);
  const signatureScheme = signatureSchemes.find(({ id }) => id === session.signatureScheme);
  const clientScheme = signatureSchemes.find(({ id }) => id === session.clientScheme);
  if (suite === undefined || group === undefined || signatureScheme === undefined) return undefined;
  if (session.certificates.length > 0 && clientScheme === undefined) return undefined;
  if (!asked.extendedMasterSecret)
    throw new TlsError("TLS_SESSION_MISMATCH", "the client goes without the extended master secret of the session", {
      alert: Alert.handshake_failure,
      rfc: "RFC 7627 §5.3",
    });
  return { session, suite, group, signatureScheme, clientScheme };
}

/** Whole seconds, more than none, for which a session may still be resumed; `undefined` where it is over, or the time is not known. */
export function remainingSeconds(createdMs: number, { resumption }: ServerSettings): number | undefined {
  const now = resumption?.wallMs();
  if (resumption === undefined || now === undefined || now < createdMs) return undefined;
  const left = Math.ceil((createdMs - now) / 1000 + resumption.lifetimeSeconds);
  return left > 0 ? left : undefined;
}

/** Whether a state is kept: a client's chain can make it long. */
export function isKeepable(state: Uint8Array): boolean {
  return state.length + NONCE_BYTES + TAG_BYTES <= MAX_TICKET_BYTES;
}
