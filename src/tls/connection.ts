/**
 * A TLS 1.2 connection (RFC 5246), without its role: what client and server share. Bytes in, bytes and events out, no socket, timer,
 * clock or promise.
 *
 * This file moves things between the parts: records come out of the deframer, are opened, and become messages for the present state
 * (`states.ts`, `server-states.ts`), alerts, or data; messages and data go into the framer, which seals them. Everything long is a task
 * that is stepped with what is left of the budget. All errors are caught at one place, {@link Connection.work}: the alert is queued, a
 * `fatal` event follows, and the engine is dead.
 *
 * Life: `feed`, `work`, `nextEvent` in turn; `write` or `reserve` and `commit` once the `secured` event came; `close()`; `end()` and
 * `fail()` tell how the transport below ended.
 *
 * Longer than 500 lines, because it is the one place where all parts of a connection meet: what comes in, what goes out and how it
 * ends share nearly all of its fields. Whatever stands alone is in a file of its own.
 *
 * @module
 */

import { copyOf, wipe } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import type { LogLevel } from "../ports.ts";
import { chain, done, finish, type Task } from "../task.ts";
import { Alert, AlertLevel, alertExplanation, alertName } from "./alerts.ts";
import { asTlsError } from "./boundary.ts";
import { Deframer, type RawRecord } from "./deframer.ts";
import { alertReceived, TlsError, type TlsPhase } from "./errors.ts";
import type { HandshakeStep, TlsConnectionInfo, TlsEvent, TlsStatistics, WorkState } from "./events.ts";
import { Framer } from "./framer.ts";
import { expectMessage, type Handshake, type Incoming, type State } from "./handshake.ts";
import type { CheckedIdentity } from "./identity.ts";
import { exportedKeys, ownLabels } from "./key-schedule.ts";
import { decodeEmpty, type HandshakeName, handshakeName } from "./messages.ts";
import { type Counts, PhaseMeter } from "./phases.ts";
import { HandshakeReassembly, MESSAGE_HEADER_BYTES } from "./reassembly.ts";
import { ContentType, HEADER_BYTES, type RecordProtection } from "./record.ts";
import type { CommonSettings } from "./settings.ts";
import { checkedSignature, ExternalSignature, OwnSignature } from "./signing.ts";
import type { SignatureScheme } from "./suites.ts";
import { annotatedAlert, annotatedChangeCipherSpec, annotatedMessage, annotatedRecord, bytesText } from "./trace.ts";
import { type ClientProofs, ExpectTraffic, type ServerProofs } from "./traffic.ts";
import { Transcript } from "./transcript.ts";

/** Log lines carry this tag. */
const TAG = "tls";
/** Warning alerts, requests to renegotiate and consecutive empty records that are put up with. */
const MAX_WARNINGS = 4;
const MAX_RENEGOTIATIONS = 4;
const MAX_EMPTY_RECORDS = 32;
/** What an event, a record header or a short message costs, so that a flood of them counts against the budget too. */
const SMALL_COST = 1;

/** A record whose plaintext is being read. */
interface OpenRecord {
  readonly raw: RawRecord;
  /** Where reading goes on, and where the plaintext ends, in the deframer's buffer. */
  at: number;
  readonly end: number;
}

/** A connection; {@link TlsClient} and {@link TlsServer} are its two roles. `S` is what a role's states know of the options, `I` what `secured` tells. */
export abstract class Connection<S extends CommonSettings, I extends Pick<TlsConnectionInfo, "suite">> {
  readonly #settings: S;
  readonly #handshake: Handshake<S, I>;
  readonly #deframer = new Deframer();
  readonly #framer: Framer;
  readonly #reassembly: HandshakeReassembly;
  readonly #events: TlsEvent<I>[] = [];
  readonly #secrets: (Uint8Array | { wipe(): void })[] = [];
  readonly #timeline: HandshakeStep[] = [];
  #state: State<Handshake<S, I>> | undefined;
  /** The computation that leads to the next state. */
  #operation: Task<State<Handshake<S, I>>> | undefined;
  #signature: ExternalSignature | undefined;
  #reading: RecordProtection | undefined;
  #opening: { readonly raw: RawRecord; readonly task: Task<number | undefined> } | undefined;
  #record: OpenRecord | undefined;
  /** The first byte of an alert whose second one has not come yet. */
  #alertLevel: number | undefined;
  /** Whether what is handed out is under keys, for the trace. */
  #isOutputProtected = false;
  /** Data events that were not taken yet: their views pin the buffer. */
  #undelivered = 0;
  #isEnded = false;
  #isClosing = false;
  #isOver = false;
  #error: TlsError | undefined;
  #ifFatal: (() => void) | undefined;
  #warnings = 0;
  #renegotiations = 0;
  #emptyRecords = 0;
  #signatures = 0;
  #startedMs = 0;
  #units = 0;
  /** What the operation had spent when its present step began; that much is in `#units`. */
  #operationCounted = 0;
  readonly #meter = new PhaseMeter();
  #bytesReceived = 0;
  #recordsReceived = 0;

  protected constructor(settings: S, framer: Framer = new Framer()) {
    this.#settings = settings;
    this.#framer = framer;
    this.#framer.maxPlaintext = settings.maxSendFragment;
    this.#reassembly = new HandshakeReassembly(settings.maxHandshakeBytes);
    this.#handshake = this.#asHandshake();
  }

  /** Starts in `state`; or in what `first` leads to, whose messages are sent meanwhile. Called once, by the role. */
  protected begin(
    state: State<Handshake<S, I>>,
    first?: (handshake: Handshake<S, I>) => Task<State<Handshake<S, I>>>,
  ): void {
    this.#startedMs = this.#settings.now();
    this.#state = state;
    if (first === undefined) return;
    this.#attempt(() => {
      this.#operation = first(this.#handshake);
    });
  }

  /**
   * Takes in bytes from the peer and says how many it took; feed the rest after `work` and `nextEvent`. The bytes are copied.
   *
   * @throws TlsError the error of the `fatal` event, once there was one.
   */
  feed(chunk: Uint8Array): number {
    this.#assertAlive();
    if (this.#state === undefined) throw new UsageError("USAGE_WRONG_STATE", "feed() before start()");
    if (this.#isOver) return chunk.length;
    this.#deframer.pinned = this.#isPinned;
    const taken = this.#deframer.feed(chunk);
    this.#bytesReceived += taken;
    return taken;
  }

  /**
   * Computes for about `units` units (one is about a P-256 field multiplication), at least one indivisible step. `idle`: nothing to do
   * until bytes come; `waiting`: the same until {@link resume}.
   *
   * @throws TlsError the error of the `fatal` event, once there was one.
   */
  work(units: number): WorkState {
    this.#assertAlive();
    let left = Math.max(units || 1, 1);
    let state: WorkState = "idle";
    this.#attempt(() => {
      if (this.#state instanceof ExpectTraffic && !this.#isOver) this.watch(this.#state.proofs);
      while (left > 0) {
        const spent = this.#advance(left);
        if (typeof spent === "string") {
          state = spent;
          return;
        }
        left -= spent;
        this.#units += spent;
      }
      state = "more";
    });
    return state;
  }

  /** What a role looks at before each step once data passes; what it throws ends the connection. */
  protected watch(_proofs: ClientProofs | ServerProofs): void {}

  /** What happened: output first, in the order in which it must be written. */
  nextEvent(): TlsEvent<I> | undefined {
    const bytes = this.#framer.take();
    if (bytes !== undefined) this.#traceOutput(bytes);
    if (bytes !== undefined) return { type: "output", bytes };
    const event = this.#events.shift();
    if (event?.type === "data") this.#undelivered--;
    if (event === undefined) {
      this.#framer.recycle();
      if (!this.#isPinned) this.#deframer.release();
    }
    return event;
  }

  /** Bytes of memory that the buffers of records hold. They grow with what a record needs, and are given back once all events were taken. */
  get bufferBytes(): number {
    return this.#deframer.buffer.length + this.#framer.capacity;
  }

  /** Bytes that {@link write} would accept now; 0 before `secured` and after `close`. */
  get room(): number {
    return this.#canWrite() ? this.#framer.room : 0;
  }

  /** Takes plaintext for the peer, as much as there is room for (one record), and says how much. */
  write(bytes: Uint8Array): number {
    const room = this.reserve(bytes.length);
    room.set(bytes.subarray(0, room.length));
    this.commit(room.length);
    return room.length;
  }

  /** Room for up to `length` bytes of plaintext in the record buffer, to write into; empty where there is none. Valid until the next call. */
  reserve(length: number): Uint8Array {
    this.#assertAlive();
    if (this.#isClosing) throw new UsageError("USAGE_WRONG_STATE", "write after close()");
    return this.#framer.reserve(this.#canWrite() ? length : 0);
  }

  /**
   * Makes a record of the first `length` bytes of what was reserved; `work` seals it.
   *
   * @throws UsageError for more than was reserved, which is nothing once something else was sent or the connection ended meanwhile.
   */
  commit(length: number): void {
    this.#assertAlive();
    if (!(length >= 0) || !this.#framer.commit(length))
      throw new UsageError("USAGE_INVALID_ARGUMENT", `commit(${length}): more than was reserved`);
  }

  /** The peer ended the stream below. Without close_notify that is a truncation and shows as such. */
  end(): void {
    this.#isEnded = true;
  }

  /** The stream below failed: ends in a `fatal` event with `TLS_TRANSPORT_FAILED`. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    const message = error instanceof Error ? error.message : String(error);
    this.#die(new TlsError("TLS_TRANSPORT_FAILED", message, { cause: error }));
  }

  /** Says close_notify. What was written before still leaves; in a handshake it is given up. Safe to call again. */
  close(): void {
    if (this.#isOver || this.#isClosing) return;
    this.#isClosing = true;
    if (this.#state === undefined) {
      this.#isOver = true;
      return;
    }
    this.#sendAlert(AlertLevel.warning, Alert.close_notify);
    if (!this.#isTraffic()) this.#finishClosed(false);
  }

  /**
   * Forgets all keys, for an owner that drops the connection: what was written before is still there as `output`, nothing else follows,
   * and the peer is told nothing. Safe to call again.
   */
  destroy(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#dropSessions();
    this.#events.length = 0;
  }

  /** Sends a fatal alert and forgets all keys: the alert leaves as `output`, nothing else follows. Does nothing after the end. */
  protected refuse(alert: number): void {
    if (this.#isOver) return;
    this.#sendAlert(AlertLevel.fatal, alert);
    this.#ifFatal?.();
    this.destroy();
  }

  /** Answers a `sign` event with the signature, or with whatever went wrong. */
  resume(id: number, answer: Uint8Array | unknown): void {
    if (this.#isOver) return;
    if (this.#signature?.id !== id || this.#signature.isAnswered)
      throw new UsageError("USAGE_INVALID_ARGUMENT", `resume(${id}): no such question is open`);
    this.#signature.answer(answer);
  }

  /**
   * Keying material for another protocol (RFC 5705), computed at once. A `context` of no bytes differs from `undefined`.
   *
   * @throws UsageError before `secured` and after the end; for a `length` that is no whole number from 1 to 65,535, or a longer `context`;
   * for a label of TLS itself (RFC 5705 §4).
   */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array {
    this.#assertAlive();
    if (ownLabels.includes(label))
      throw new UsageError("USAGE_INVALID_ARGUMENT", `"${label}" is a label of TLS itself`);
    if (!(Number.isInteger(length) && length > 0 && length < 2 ** 16 && (context?.length ?? 0) < 2 ** 16))
      throw new UsageError(
        "USAGE_INVALID_ARGUMENT",
        `no key of ${length} bytes for a context of ${context?.length} bytes`,
      );
    const state = this.#state;
    if (!(state instanceof ExpectTraffic) || this.#isOver)
      throw new UsageError("USAGE_WRONG_STATE", `no keys to export in ${this.stateName}`);
    const { suite, master, randoms } = state;
    return finish(exportedKeys(this.#settings.crypto, suite, master, randoms, label, context, length));
  }

  /** `ExpectServerHello`, …, `ExpectTraffic`; `Idle` before `start()`, `Closed` and `Dead` at the end. */
  get stateName(): string {
    if (this.#error !== undefined) return "Dead";
    return this.#isOver ? "Closed" : (this.#state?.name ?? "Idle");
  }

  get statistics(): TlsStatistics {
    const { ms: _, ...counts } = this.#counts();
    return { timeline: [...this.#timeline], ...counts, phases: this.#meter.statistics(this.#counts()) };
  }

  /** What was counted until now, in the middle of a step too. */
  #counts(): Counts {
    return {
      ms: this.#elapsedMs(),
      units: this.#units + (this.#operation === undefined ? 0 : this.#operation.spent - this.#operationCounted),
      bytesSent: this.#framer.bytes,
      bytesReceived: this.#bytesReceived,
      recordsSent: this.#framer.records,
      recordsReceived: this.#recordsReceived,
    };
  }

  #elapsedMs(): number {
    return this.#settings.now() - this.#startedMs;
  }

  // ——— the loop ———

  /** Does one thing and says how many units it took, or why there is nothing to do. */
  #advance(units: number): number | "idle" | "waiting" {
    if (this.#framer.isBusy) return this.#framer.step(units);
    if (this.#isOver) return "idle";
    if (this.#operation !== undefined) {
      if (this.#signature === undefined || this.#signature.isAnswered) return this.#stepOperation(units);
      return this.#readWhileWaiting() ?? "waiting";
    }
    if (this.#opening !== undefined) return this.#stepOpening(units);
    if (this.#record !== undefined) return this.#readRecord(this.#record);
    const raw = this.#deframer.next();
    if (raw !== undefined) return this.#startRecord(raw);
    if (!this.#isEnded || this.#state === undefined) return "idle";
    this.#endOfStream();
    return SMALL_COST;
  }

  #stepOperation(units: number): number {
    const operation = this.#operation!;
    const before = operation.spent;
    this.#operationCounted = before;
    const isDone = operation.step(units);
    const spent = Math.max(SMALL_COST, operation.spent - before);
    // What this step spends is in `#units` once it is over.
    this.#operationCounted = isDone ? 0 : operation.spent;
    if (isDone) {
      this.#operation = undefined;
      this.#signature = undefined;
      this.#enter(operation.result, spent);
    }
    return spent;
  }

  /** `spent`: what the step that led here has spent, which is not counted yet. */
  #enter(state: State<Handshake<S, I>>, spent: number): void {
    this.#meter.enterState(state.name, () => {
      const counts = this.#counts();
      return { ...counts, units: counts.units + spent };
    });
    if (state.name !== this.#state?.name) this.#log("info", () => `state ${this.#state?.name} to ${state.name}`);
    this.#state = state;
  }

  /** While somebody else signs, alerts and the end of the stream still count; other records wait. */
  #readWhileWaiting(): number | undefined {
    // The read direction has no keys yet, so that an alert here is in the clear.
    if (this.#record !== undefined)
      return this.#record.raw.type === ContentType.alert ? this.#readRecord(this.#record) : undefined;
    const raw = this.#deframer.next();
    if (raw?.type === ContentType.alert) return this.#startRecord(raw);
    if (raw !== undefined || !this.#isEnded) return undefined;
    this.#endOfStream();
    return SMALL_COST;
  }

  #startRecord(raw: RawRecord): number {
    this.#recordsReceived++;
    const { buffer } = this.#deframer;
    this.#trace("received record", () => {
      const record = buffer.subarray(raw.start, raw.start + HEADER_BYTES + raw.length);
      return [record.length, annotatedRecord(record, this.#reading !== undefined, this.#settings)];
    });
    if (this.#reading === undefined) {
      const at = raw.start + HEADER_BYTES;
      this.#record = { raw, at, end: at + raw.length };
      this.#checkLength(raw, raw.length);
    } else this.#opening = { raw, task: this.#reading.open(this.#deframer.buffer, raw.start, raw.length) };
    return SMALL_COST;
  }

  #stepOpening(units: number): number {
    const { raw, task } = this.#opening!;
    const before = task.spent;
    if (task.step(units)) {
      const length = task.result;
      if (length === undefined) throw new TlsError("TLS_BAD_RECORD_MAC");
      this.#opening = undefined;
      const at = raw.start + HEADER_BYTES + this.#reading!.prefixBytes;
      this.#record = { raw, at, end: at + length };
      this.#checkLength(raw, length);
    }
    return Math.max(SMALL_COST, task.spent - before);
  }

  /** RFC 5246 §6.2.1: plaintext of at most 2^14 bytes, or what was negotiated (RFC 6066 §4), and none empty but data's. */
  #checkLength(raw: RawRecord, length: number): void {
    const most = this.#deframer.maxPlaintext;
    if (length > most)
      throw new TlsError("TLS_RECORD_OVERFLOW", `${length} bytes of plaintext, ${most} allowed`, {
        data: { length, most },
      });
    if (length > 0) {
      this.#emptyRecords = 0;
      return;
    }
    if (raw.type !== ContentType.application_data)
      throw new TlsError("TLS_INVALID_RECORD", `an empty record of type ${raw.type}`);
    if (++this.#emptyRecords > MAX_EMPTY_RECORDS) throw new TlsError("TLS_EMPTY_RECORD_FLOOD");
  }

  /** Reads one message, alert or piece of data out of the record. */
  #readRecord(record: OpenRecord): number {
    const { buffer } = this.#deframer;
    switch (record.raw.type) {
      case ContentType.handshake: {
        record.at = this.#reassembly.add(buffer, record.at, record.end);
        const message = this.#reassembly.take();
        if (message !== undefined) this.#receiveHandshake(message);
        break;
      }
      case ContentType.change_cipher_spec:
        this.#receiveChangeCipherSpec(buffer.subarray(record.at, record.end));
        record.at = record.end;
        break;
      case ContentType.alert:
        this.#receiveAlertByte(buffer[record.at++]!);
        break;
      default:
        this.#receiveData(buffer.subarray(record.at, record.end));
        record.at = record.end;
    }
    if (record.at === record.end) {
      this.#record = undefined;
      this.#deframer.consume(record.raw);
    }
    return SMALL_COST;
  }

  // ——— what comes in ———

  #receiveHandshake(message: Uint8Array): void {
    const name = handshakeName(message[0]!);
    const body = message.subarray(MESSAGE_HEADER_BYTES);
    if (this.#isRenegotiation(name)) {
      this.#refuseRenegotiation(name, body);
      return;
    }
    this.#note("received", name, message);
    const incoming: Incoming = { name, body };
    const state = this.#state!;
    // Checked before the message costs anything; the state checks again.
    expectMessage(state, incoming);
    const { transcript } = this.#handshake;
    this.#operation = chain(transcript.add(message), () => state.handle(incoming, this.#handshake));
  }

  /** A server's HelloRequest at any time (RFC 5246 §7.4.1.1), a client's second ClientHello. */
  #isRenegotiation(name: string): boolean {
    return this.#settings.role === "client" ? name === "HelloRequest" : name === "ClientHello" && this.#isTraffic();
  }

  /** RFC 5246 §7.4.1.1, §7.2.2: not part of the transcript; ignored in a handshake, refused after it. */
  #refuseRenegotiation(name: string, body: Uint8Array): void {
    if (name === "HelloRequest") decodeEmpty(body, name);
    if (++this.#renegotiations > MAX_RENEGOTIATIONS) throw new TlsError("TLS_HELLO_REQUEST_FLOOD");
    this.#log("info", () => `${name}: renegotiation is not supported`);
    if (this.#isTraffic() && !this.#isClosing) this.#sendAlert(AlertLevel.warning, Alert.no_renegotiation);
  }

  #receiveChangeCipherSpec(body: Uint8Array): void {
    this.#note("received", "ChangeCipherSpec", body);
    if (body.length !== 1 || body[0] !== 1) throw new TlsError("TLS_DECODE_ERROR", "a malformed ChangeCipherSpec");
    const incoming: Incoming = { name: "ChangeCipherSpec", body };
    expectMessage(this.#state!, incoming);
    // A message that straddles the change of keys would be half protected (CVE-2014-0224 and its kind).
    if (this.#reassembly.isPartial || this.#alertLevel !== undefined)
      throw new TlsError("TLS_UNEXPECTED_MESSAGE", "ChangeCipherSpec inside of another message");
    this.#operation = this.#state!.handle(incoming, this.#handshake);
  }

  #receiveAlertByte(byte: number): void {
    if (this.#alertLevel === undefined) {
      this.#alertLevel = byte;
      return;
    }
    const level = this.#alertLevel;
    this.#alertLevel = undefined;
    this.#trace("received Alert", () => [2, annotatedAlert(Uint8Array.of(level, byte), this.#settings)]);
    this.#log("info", () => {
      // The explanations are for someone who runs a device.
      const explanation = this.#settings.role === "client" ? `: ${alertExplanation(byte)}` : "";
      return `alert received: ${alertName(byte)} (${byte})${explanation}`;
    });
    if (level !== AlertLevel.warning && level !== AlertLevel.fatal)
      throw new TlsError("TLS_ILLEGAL_ALERT", `level ${level}`, { data: { level, alert: byte } });
    if (byte === Alert.close_notify) {
      if (!this.#isClosing) this.#sendAlert(AlertLevel.warning, Alert.close_notify);
      if (!this.#isTraffic()) throw new TlsError("TLS_CLOSED_IN_HANDSHAKE");
      this.#finishClosed(true);
      return;
    }
    if (level === AlertLevel.fatal) throw alertReceived(byte, this.#settings.role);
    if (++this.#warnings > MAX_WARNINGS) throw new TlsError("TLS_WARNING_FLOOD");
    this.#events.push({ type: "warning", alert: byte });
  }

  #receiveData(bytes: Uint8Array): void {
    expectMessage(this.#state!, { name: "ApplicationData", body: bytes });
    if (bytes.length === 0) return;
    this.#undelivered++;
    this.#events.push({ type: "data", bytes });
  }

  #endOfStream(): void {
    if (!this.#isTraffic())
      throw new TlsError("TLS_CLOSED_WITHOUT_NOTIFY", undefined, { data: { bytesReceived: this.#bytesReceived } });
    this.#finishClosed(false);
  }

  // ——— what goes out ———

  /** The engine as its states see it. */
  #asHandshake(): Handshake<S, I> {
    const settings = this.#settings;
    const transcript = new Transcript(settings.crypto);
    this.#secrets.push(transcript);
    return {
      settings,
      transcript,
      clientRandom: new Uint8Array(32),
      holdFlight: () => this.#framer.hold(),
      releaseFlight: () => this.#framer.release(),
      send: (message) => {
        const name = handshakeName(message[0]!);
        this.#note("sent", name, message);
        const said = this.#framer.addMessage(name as HandshakeName, ContentType.handshake, message);
        return said.reduce<Task<void>>((before, one) => chain(before, () => transcript.add(one)), done(undefined));
      },
      sendChangeCipherSpec: (keys) => {
        const message = Uint8Array.of(1);
        this.#note("sent", "ChangeCipherSpec", message);
        this.#framer.addMessage("ChangeCipherSpec", ContentType.change_cipher_spec, message);
        this.#framer.protection = keys;
      },
      protectReading: (keys) => {
        this.#reading = keys;
        this.#deframer.leastBytes = keys.leastBytes;
      },
      fixVersion: () => {
        this.#deframer.isVersionKnown = true;
      },
      limitFragments: (bytes) => {
        this.#deframer.maxPlaintext = bytes;
        this.#framer.maxPlaintext = Math.min(bytes, this.#framer.maxPlaintext);
      },
      sign: (identity, scheme, digest) => this.#sign(identity, scheme, digest),
      enterPhase: (phase) => this.#meter.enter(phase, this.#counts()),
      secured: (info) => this.#secured(info),
      ifFatal: (action) => {
        this.#ifFatal = action;
      },
      keepSession: (session) => {
        this.#dropSessions();
        this.#events.push({ type: "session", session });
      },
      wipeAtEnd: (...secrets) => {
        this.#secrets.push(...secrets);
      },
      log: (level, message) => this.#log(level, message),
    };
  }

  #sign(identity: CheckedIdentity, scheme: SignatureScheme, digest: Uint8Array): Task<Uint8Array> {
    const { privateKey, publicKey, signer } = identity;
    if (privateKey !== undefined) return new OwnSignature(this.#settings, scheme, privateKey, digest);
    const signature = new ExternalSignature(++this.#signatures, scheme, digest, signer!);
    this.#signature = signature;
    this.#events.push({ type: "sign", id: signature.id, scheme, input: copyOf(digest), signer: signature.signer });
    if (signer?.verified === false) return signature;
    return chain(signature, (value) => checkedSignature(this.#settings.crypto, scheme, publicKey, digest, value));
  }

  #secured(info: Omit<I, "statistics">): void {
    this.#log("info", () => `secured with ${this.#settings.peerName}: ${info.suite.name}`);
    // `I` is what was omitted and this; the compiler cannot know it of a type parameter.
    const complete = { ...info, statistics: this.statistics } as unknown as I;
    this.#events.push({ type: "secured", ...complete });
  }

  #sendAlert(level: number, alert: number): void {
    this.#log("info", () => `alert sent: ${alertName(alert)} (${alert})`);
    this.#trace("sent Alert", () => [2, annotatedAlert(Uint8Array.of(level, alert), this.#settings)]);
    this.#framer.addMessage("Alert", ContentType.alert, Uint8Array.of(level, alert));
    this.#framer.release();
  }

  // ——— the end ———

  /** The one place where errors are caught. */
  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#die(asTlsError(error));
    }
  }

  #die(error: TlsError): void {
    const located = error.within(this.stateName, this.#phase());
    // A received alert is the last word (RFC 5246 §7.2.2), and who neither got nor sent anything gets no alert.
    const isUnderWay = this.#timeline.length > 0 || this.#bytesReceived > 0;
    if (isUnderWay && error.alert !== undefined && error.code !== "TLS_ALERT_RECEIVED")
      this.#sendAlert(AlertLevel.fatal, error.alert);
    if (error.alert !== undefined) this.#ifFatal?.();
    this.#log("error", () => `${located.code}: ${located.message} (${located.rfc})`);
    this.#finish();
    this.#error = located;
    this.#events.push({ type: "fatal", error: located });
  }

  /** Sessions that were not taken yet: nobody else wipes them. */
  #dropSessions(): void {
    for (let at = this.#events.length - 1; at >= 0; at--) {
      const event = this.#events[at]!;
      if (event.type !== "session") continue;
      if (event.session !== undefined) wipe(event.session);
      this.#events.splice(at, 1);
    }
  }

  #finishClosed(cleanly: boolean): void {
    this.#finish();
    this.#log("info", () => (cleanly ? "closed" : "closed without close_notify of the peer"));
    this.#events.push({ type: "closed", cleanly });
  }

  /** Seals what is left at once (it is one buffer at most), then forgets all keys. Data that was not taken yet stays. */
  #finish(): void {
    this.#isOver = true;
    try {
      while (this.#framer.isBusy) this.#framer.step(Number.MAX_SAFE_INTEGER);
    } catch {
      // Sealing itself failed: nothing more can be sent, and the error that led here is the one to report.
    }
    // What was reserved cannot be sealed any more.
    this.#framer.reserve(0);
    this.#operation = this.#signature = this.#opening = this.#record = undefined;
    for (const secret of this.#secrets.splice(0)) {
      if (secret instanceof Uint8Array) wipe(secret);
      else secret.wipe();
    }
  }

  #assertAlive(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  #phase(): TlsPhase {
    if (!this.#isTraffic()) return "handshake";
    return this.#isClosing ? "closing" : "traffic";
  }

  #isTraffic(): boolean {
    return this.#state instanceof ExpectTraffic;
  }

  /** Whether someone holds views of what came in. */
  get #isPinned(): boolean {
    return this.#record !== undefined || this.#opening !== undefined || this.#undelivered > 0;
  }

  #canWrite(): boolean {
    return this.#isTraffic() && !this.#isClosing && !this.#isOver;
  }

  // ——— records of what happened ———

  #note(direction: HandshakeStep["direction"], message: string, bytes: Uint8Array): void {
    this.#timeline.push({ direction, message, bytes: bytes.length, atMs: this.#elapsedMs() });
    const annotated = message === "ChangeCipherSpec" ? annotatedChangeCipherSpec : annotatedMessage;
    this.#trace(`${direction} ${message}`, () => [bytes.length, annotated(bytes, this.#settings)]);
  }

  /** Each record of what is handed out. */
  #traceOutput(bytes: Uint8Array): void {
    if (!this.#settings.log.enabled("verbose", TAG)) return;
    for (let at = 0; at < bytes.length; ) {
      const end = at + HEADER_BYTES + (bytes[at + 3]! << 8) + bytes[at + 4]!;
      const record = bytes.subarray(at, end);
      this.#trace("sent record", () => [end - at, annotatedRecord(record, this.#isOutputProtected, this.#settings)]);
      // All that follows a ChangeCipherSpec is under the new keys.
      this.#isOutputProtected ||= record[0] === ContentType.change_cipher_spec;
      at = end;
    }
  }

  /** What is of interest at the level verbose only, and made only there. */
  #trace(what: string, annotated: () => readonly [length: number, annotation: string]): void {
    this.#log("verbose", () => {
      const [length, annotation] = annotated();
      return `${what}, ${bytesText(length)}${annotation}`;
    });
  }

  #log(level: LogLevel, message: () => string): void {
    const { log } = this.#settings;
    if (log.enabled(level, TAG)) log.log(level, TAG, message());
  }
}
