/**
 * The framer of a server that follows a script of {@link Deviation}s: what `deviations.ts` describes is done here.
 *
 * Slower than the framer that it extends, because every record is copied: only servers with a script have it.
 *
 * @module
 */

import { concat, NO_BYTES } from "../bytes.ts";
import { type Deviation, type InsertedRecord, joinDeviations, type OutgoingName } from "./deviations.ts";
import { Framer } from "./framer.ts";
import { ContentType, HEADER_BYTES, MAX_PLAINTEXT, type RecordProtection } from "./record.ts";

/** A message that waits for another one. */
interface Postponed {
  readonly type: ContentType;
  readonly message: Uint8Array;
  readonly deviation: Deviation;
  /** That of its own time. */
  readonly protection: RecordProtection | undefined;
}

/** A record on its way, with what is still to happen to it. */
interface WireRecord {
  readonly bytes: Uint8Array;
  delayMs: number | undefined;
  untilClientSpeaks: boolean;
  endAfter: number | undefined;
}

/** What happens to a message's records on the wire: on the first one, and on those behind it. */
interface Mark {
  readonly deviation: Deviation | undefined;
  readonly isFirst: boolean;
}

/** A {@link Framer} that does what a script says. */
export class DeviatingFramer extends Framer {
  readonly #script: readonly Deviation[];
  readonly #counts = new Map<OutgoingName, number>();
  readonly #postponed: Postponed[] = [];
  /** Messages that wait for the next one of their type, to be in one record with it. */
  #joined: Uint8Array = NO_BYTES;
  #joinedType: ContentType = ContentType.handshake;
  /** Where application data is written before the script has its way with it. */
  #room: Uint8Array = NO_BYTES;
  /** One for each record that was made and is not on the wire yet. */
  readonly #marks: Mark[] = [];
  readonly #wire: WireRecord[] = [];
  #delayMs: number | undefined;
  #isDelayed = false;
  #spoken = 0;
  /** How often the client had spoken when the first record in line began to wait for it. */
  #waitingSince: number | undefined;
  #endAfter: number | undefined;
  #isCut = false;

  constructor(script: readonly Deviation[]) {
    super();
    this.#script = script;
  }

  /** Whether the script ended the stream: nothing comes any more. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Milliseconds that everything must wait, said once; {@link endDelay} ends it. */
  takeDelay(): number | undefined {
    const delay = this.#delayMs;
    this.#delayMs = undefined;
    return delay;
  }

  endDelay(): void {
    this.#isDelayed = false;
  }

  /** The client sent something. */
  clientSpoke(): void {
    this.#spoken++;
  }

  override addMessage(name: OutgoingName, type: ContentType, message: Uint8Array): readonly Uint8Array[] {
    const deviation = this.#deviationOf(name);
    const said: Uint8Array[] = [];
    const { protection } = this;
    if (deviation.postponeBehind !== undefined) this.#postponed.push({ type, message, deviation, protection });
    else this.#say({ type, message, deviation, protection }, said);
    for (const one of [...this.#postponed])
      if (one.deviation.postponeBehind === name && one.message !== message) {
        this.#postponed.splice(this.#postponed.indexOf(one), 1);
        this.#say(one, said);
      }
    return said;
  }

  override add(type: ContentType, message: Uint8Array): void {
    this.#room = NO_BYTES;
    try {
      // A script may add more than there is room for, and a record that is being sealed cannot move to a larger buffer.
      while (this.isBusy) this.step(Number.MAX_SAFE_INTEGER);
    } catch {
      // What cannot be sealed fails once more where it is stepped in turn, and is reported from there.
    }
    super.add(type, message);
  }

  override reserve(length: number): Uint8Array {
    this.#room = super.reserve(length);
    return this.#room;
  }

  override commit(length: number): boolean {
    if (length > this.#room.length) return false;
    const data = this.#room.slice(0, length);
    this.#room = NO_BYTES;
    super.reserve(0);
    if (length > 0) this.addMessage("ApplicationData", ContentType.application_data, data);
    return true;
  }

  override take(): Uint8Array | undefined {
    this.#collect();
    const ready: Uint8Array[] = [];
    while (!this.#isCut) {
      const record = this.#wire[0];
      if (record === undefined || this.#isHeld(record, ready.length > 0)) break;
      this.#wire.shift();
      this.#isCut = record.endAfter !== undefined;
      ready.push(record.bytes.subarray(0, record.endAfter));
    }
    const bytes = concat(ready);
    return bytes.length === 0 ? undefined : bytes;
  }

  #deviationOf(name: OutgoingName): Deviation {
    const nth = this.#counts.get(name) ?? 0;
    this.#counts.set(name, nth + 1);
    return joinDeviations(
      name,
      this.#script.filter((one) => one.on === name && (one.nth ?? 0) === nth),
    );
  }

  /** Makes records of a message, and notes in `said` what the transcript has of it. */
  #say({ type, message, deviation, protection }: Postponed, said: Uint8Array[]): void {
    const { times = 1, before = [], behind = [] } = deviation;
    const present = this.protection;
    this.protection = deviation.plain === true ? undefined : protection;
    if (type !== this.#joinedType) this.#flushJoined();
    this.#joinedType = type;
    this.#insert(before);
    const content = deviation.alter?.(message) ?? message;
    for (let i = 0; i < times && content.length > 0; i++) {
      if (!deviation.onlyOnWire) said.push(content);
      const bytes = concat([this.#joined, content]);
      this.#joined = deviation.join === true ? bytes : NO_BYTES;
      if (deviation.join !== true) this.#addRecords(type, bytes, deviation);
    }
    if (deviation.onlyOnWire) said.push(message);
    this.#insert(behind);
    this.protection = present;
  }

  #insert(records: readonly InsertedRecord[]): void {
    for (const { type, bytes } of records) {
      this.#flushJoined();
      this.#addRecord(type, bytes, undefined, true);
    }
  }

  #flushJoined(): void {
    const joined = this.#joined;
    this.#joined = NO_BYTES;
    if (joined.length > 0) this.#addRecord(this.#joinedType, joined, undefined, true);
  }

  #addRecords(type: ContentType, bytes: Uint8Array, deviation: Deviation): void {
    const sizes = deviation.fragments ?? [];
    const whole = type === ContentType.alert ? MAX_PLAINTEXT : this.maxPlaintext;
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = sizes[i] ?? (sizes.at(-1) || whole);
      this.#addRecord(type, bytes.subarray(at, at + size), deviation, i === 0);
      at += size;
    }
  }

  #addRecord(type: ContentType, bytes: Uint8Array, deviation: Deviation | undefined, isFirst: boolean): void {
    // A script may send longer records than were negotiated.
    const { maxPlaintext } = this;
    this.maxPlaintext = MAX_PLAINTEXT;
    this.add(type, bytes);
    this.maxPlaintext = maxPlaintext;
    this.#marks.push({ deviation, isFirst });
    for (let at = MAX_PLAINTEXT; at < bytes.length; at += MAX_PLAINTEXT)
      this.#marks.push({ deviation, isFirst: false });
  }

  /** Takes the records that are sealed, and does to them what is done on the wire. */
  #collect(): void {
    for (let view = super.take(); view !== undefined; view = super.take())
      for (let at = 0; at < view.length; ) {
        const end = at + HEADER_BYTES + ((view[at + 3]! << 8) | view[at + 4]!);
        this.#putOnWire(view.slice(at, end), this.#marks.shift()!);
        at = end;
      }
  }

  #putOnWire(record: Uint8Array, { deviation, isFirst }: Mark): void {
    const { header = {}, wire, delayMs, untilClientSpeaks = false, endAfter } = deviation ?? {};
    const { type, version, length } = header;
    if (type !== undefined) record[0] = type;
    if (version !== undefined) record.set([version >> 8, version & 0xff], 1);
    if (length !== undefined) record.set([length >> 8, length & 0xff], 3);
    const bytes = wire?.(record) ?? record;
    if (isFirst) this.#endAfter = endAfter;
    // A message of several records may end within a later one.
    const ends = this.#endAfter !== undefined && this.#endAfter <= bytes.length;
    this.#wire.push({
      bytes,
      delayMs: isFirst ? delayMs : undefined,
      untilClientSpeaks: isFirst && untilClientSpeaks,
      endAfter: ends ? this.#endAfter : undefined,
    });
    if (this.#endAfter !== undefined) this.#endAfter -= bytes.length;
  }

  /** Whether a record must wait; what is `ready` before it leaves first. */
  #isHeld(record: WireRecord, hasReady: boolean): boolean {
    if (this.#isDelayed) return true;
    if (record.delayMs !== undefined) {
      if (hasReady) return true;
      this.#delayMs = record.delayMs;
      record.delayMs = undefined;
      this.#isDelayed = true;
      return true;
    }
    if (!record.untilClientSpeaks) return false;
    if (hasReady) return true;
    this.#waitingSince ??= this.#spoken;
    if (this.#spoken === this.#waitingSince) return true;
    this.#waitingSince = undefined;
    record.untilClientSpeaks = false;
    return false;
  }
}
