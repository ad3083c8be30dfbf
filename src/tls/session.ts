/**
 * Sessions of a client: what a full handshake leaves, so that the next one can be abbreviated (RFC 5246 §7.3, RFC 5077), and the blob in
 * which an app keeps it.
 *
 * A session is bound to what it was made under: host name, ALPN offer, trust anchors, the client's certificates, policy of verification
 * and max_fragment_length are one digest, {@link sessionBinding}. It is offered under nothing else, and no longer than a day after its full handshake (RFC 5246 §F.1.4), the
 * server's hint, the certificates of the server's path, and the CRLs and the OCSP response that cleared them allow; `session-offer.ts` and `verify.ts` see to that. There are none without
 * the extended master secret, because they should not be resumed (RFC 7627 §5.3). ALPN and encrypt-then-MAC are not in it, because they are negotiated anew each time (RFC 7301 §3.1).
 *
 * The blob has a version and a checksum, and holds the master secret: whoever reads it can read the connections of the session. The checksum
 * finds accidents and proves nothing: whoever writes where it is kept can pass for the server.
 *
 * @module
 */

import { type ByteReader, ByteWriter, concat, copyOf, equal, utf8Encode } from "../bytes.ts";
import { chain, done, map, type Task } from "../task.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import { TlsError } from "./errors.ts";
import { type MaxFragmentLength, maxFragmentLengths } from "./extensions.ts";
import { MASTER_SECRET_BYTES } from "./key-schedule.ts";
import { messageReader } from "./messages.ts";
import { ParsingOfKept } from "./parsing.ts";
import type { Settings } from "./settings.ts";
import type { Certificate } from "./x509/certificate.ts";
import { readPins } from "./x509/pins.ts";
import type { VerificationPolicy } from "./x509/policy.ts";
import type { RevocationEvidence } from "./x509/revocation-context.ts";

/** Bytes of a ticket that is kept at most: a ClientHello must hold it, and a device its session. */
export const MAX_TICKET_BYTES = 16_384;
/** Bytes of a session ID at most (RFC 5246 §7.4.1.3). */
export const MAX_SESSION_ID_BYTES = 32;
/** RFC 5246 §F.1.4 suggests a day at most. */
const MAX_AGE_MS = 24 * 3_600_000;
/** Other layouts have other numbers. */
const BLOB_VERSION = 2;
const CHECKSUM_BYTES = 8;
const BINDING_BYTES = 32;
/** By their numbers in the blob. */
const evidenceKinds = ["crl", "ocsp"] as const satisfies readonly RevocationEvidence["kind"][];
/** Certificates of a path at most, as many as a verification follows. */
const MAX_PATH = 32;

/** What a server is shown to resume a session: the ID that it gave (RFC 5246 §7.4.1.3), or its ticket (RFC 5077 §3.3). */
export interface SessionHandle {
  readonly kind: "id" | "ticket";
  /** Not empty. */
  readonly value: Uint8Array;
}

/** What a full handshake leaves. */
export interface Session {
  readonly handle: SessionHandle;
  /** 48 bytes; whoever decodes a session wipes them. */
  readonly master: Uint8Array;
  /** The numbers of the cipher suite, and of group and scheme of the ServerKeyExchange. */
  readonly suite: number;
  readonly group: number;
  readonly signatureScheme: number;
  /** Applies to resumptions too (RFC 6066 §4). */
  readonly maxFragmentLength: MaxFragmentLength | undefined;
  /** Milliseconds since 1970: when the full handshake was, and from when on it is not offered any more. */
  readonly createdMs: number;
  readonly expiresMs: number;
  /** What {@link sessionBinding} gave. */
  readonly binding: Uint8Array;
  /** The server's verified path, leaf first, and which of the trust anchors it leads to. */
  readonly path: readonly Certificate[];
  readonly anchor: number;
  /** What said then that certificates of the path are not revoked. */
  readonly evidence: readonly RevocationEvidence[];
}

/** The digest of what a session is bound to. The parts are in the order of their lists: another order is another configuration. */
export function sessionBinding(settings: Settings): Task<Uint8Array> {
  const { serverName, alpn, maxFragmentLength, trust, identities, crypto, verification } = settings;
  const chains = identities.map(({ certificates }) => certificates.length);
  const writer = new ByteWriter(1024);
  const add = (part: Uint8Array) => writer.prefixed(3, () => writer.bytes(part));
  add(utf8Encode(JSON.stringify([serverName.toLowerCase(), alpn, maxFragmentLength ?? 0, trust.length, chains])));
  add(utf8Encode(policyText(verification)));
  for (const { subject, subjectPublicKeyInfo, label: _, certificate: __, ...limits } of trust) {
    add(subject);
    add(subjectPublicKeyInfo);
    add(utf8Encode(JSON.stringify(limits)));
  }
  for (const { certificates } of identities) for (const certificate of certificates) add(certificate);
  return crypto.digest("sha256", [writer.finish()]);
}

/** What a policy asks for; of functions and lists, whether they are there. Dates are looked at anew whenever a session is offered. */
function policyText({ pins, profile, ...policy }: VerificationPolicy): string {
  const { maxIntermediates, onCertificate, mayForgive, revocation } = policy;
  const algorithms = profile && [profile.minRsaBits, profile.curves, profile.hashes, profile.anchors, !profile.rules];
  const asked = [onCertificate === undefined, mayForgive, revocation?.binding];
  return JSON.stringify([pins && readPins(pins), algorithms, maxIntermediates, asked]);
}

/** When a session ends: a day after its full handshake, or when the lifetime that the server hints at is over (in seconds; 0 for none: RFC 5077 §3.3). */
export function sessionExpiry(createdMs: number, nowMs: number, hintSeconds: number): number {
  const end = createdMs + MAX_AGE_MS;
  return hintSeconds === 0 ? end : Math.min(end, nowMs + 1000 * hintSeconds);
}

/** The blob of a session. The master secret is copied in the last step, so that what is broken off before leaves no copy. */
export function encodeSession(session: Session, crypto: CryptoProvider): Task<Uint8Array> {
  const { handle, maxFragmentLength, path, evidence, master } = session;
  const writer = new ByteWriter(1024);
  writer.uint8(BLOB_VERSION).uint8(handle.kind === "id" ? 0 : 1);
  writer.prefixed(2, () => writer.bytes(handle.value));
  writer.uint16(session.suite).uint16(session.group).uint16(session.signatureScheme);
  writer.uint8(maxFragmentLength === undefined ? 0 : 1 + maxFragmentLengths.indexOf(maxFragmentLength));
  writeTime(writer, session.createdMs);
  writeTime(writer, session.expiresMs);
  writer.bytes(session.binding).uint32(session.anchor).uint8(path.length);
  for (const { der } of path) writer.prefixed(3, () => writer.bytes(der));
  writer.uint8(evidence.length);
  for (const one of evidence) {
    writer.uint8(evidenceKinds.indexOf(one.kind)).uint8(one.depth);
    writeTime(writer, one.notBefore);
    writeTime(writer, one.notAfter);
  }
  const head = writer.finish();
  return map(checksum([head, master], crypto), (sum) => concat([head, master, sum]));
}

/** The session of a blob; `undefined` where it is none, or one of another version, or was changed. Nothing of the blob is kept. */
export function decodeSession(blob: Uint8Array, crypto: CryptoProvider): Task<Session | undefined> {
  if (blob.length <= CHECKSUM_BYTES || blob[0] !== BLOB_VERSION) return done(undefined);
  const content = blob.subarray(0, blob.length - CHECKSUM_BYTES);
  return chain<Uint8Array, Session | undefined>(checksum([content], crypto), (sum) => {
    const stored = equal(sum, blob.subarray(content.length)) ? readStored(content, readSession) : undefined;
    if (stored === undefined) return done(undefined);
    return map(new ParsingOfKept(stored.path), (path) => path && { ...stored, master: copyOf(stored.master), path });
  });
}

/** What `read` makes of bytes that were kept; `undefined` where it fails. */
export function readStored<T>(content: Uint8Array, read: (reader: ByteReader) => T): T | undefined {
  try {
    return read(messageReader(content, "session"));
  } catch (error) {
    if (error instanceof TlsError) return undefined;
    throw error;
  }
}

/** The master secret is a view of what is read, and the path is in DER. */
function readSession(reader: ByteReader): Omit<Session, "path"> & { readonly path: readonly Uint8Array[] } {
  reader.uint8();
  const kind = reader.uint8();
  const value = copyOf(reader.bytes(reader.uint16()));
  const most = kind === 0 ? MAX_SESSION_ID_BYTES : MAX_TICKET_BYTES;
  if (kind > 1 || value.length === 0 || value.length > most) reader.fail(`a handle of kind ${kind}`);
  const [suite, group, signatureScheme] = [reader.uint16(), reader.uint16(), reader.uint16()];
  const fragments = reader.uint8();
  if (fragments > maxFragmentLengths.length) reader.fail(`max_fragment_length ${fragments}`);
  const createdMs = readTime(reader);
  const expiresMs = readTime(reader);
  const binding = copyOf(reader.bytes(BINDING_BYTES));
  const anchor = reader.uint32();
  const count = reader.uint8();
  if (count === 0 || count > MAX_PATH) reader.fail(`${count} certificates`);
  const path: Uint8Array[] = [];
  while (path.length < count) path.push(copyOf(reader.bytes(reader.uint24())));
  const evidence: RevocationEvidence[] = [];
  for (let left = reader.uint8(); left > 0; left--) {
    const kind = evidenceKinds[reader.uint8()] ?? reader.fail("evidence of another kind");
    evidence.push({ kind, depth: reader.uint8(), notBefore: readTime(reader), notAfter: readTime(reader) });
  }
  if (reader.remaining !== MASTER_SECRET_BYTES) reader.fail(`a master secret of ${reader.remaining} bytes`);
  return {
    handle: { kind: kind === 0 ? "id" : "ticket", value },
    master: reader.rest(),
    ...{ suite, group, signatureScheme },
    maxFragmentLength: maxFragmentLengths[fragments - 1],
    ...{ createdMs, expiresMs, binding, path, anchor, evidence },
  };
}

/** Milliseconds since 1970, in six bytes. */
export function writeTime(writer: ByteWriter, ms: number): void {
  writer.uint16(Math.floor(ms / 2 ** 32)).uint32(ms % 2 ** 32);
}

/** The other direction of {@link writeTime}. */
export function readTime(reader: ByteReader): number {
  return reader.uint16() * 2 ** 32 + reader.uint32();
}

/** Against accidents of the memory that it is kept in, not against anyone who writes there. */
function checksum(parts: readonly Uint8Array[], crypto: CryptoProvider): Task<Uint8Array> {
  return map(crypto.digest("sha256", parts), (digest) => digest.subarray(0, CHECKSUM_BYTES));
}
