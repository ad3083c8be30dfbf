/**
 * The handshake's transcript: what Finished, CertificateVerify and the extended master secret are computed over (RFC 5246 §7.4.9,
 * §7.4.8, RFC 7627 §3).
 *
 * Which hash the suite wants is known at the ServerHello, and which one CertificateVerify wants only at the CertificateRequest. So
 * messages are retained (not copied) until then, and replayed into each hash that is started; no hash runs that nobody asks for. A
 * server learns the latter only from the CertificateVerify itself, which is not among the messages that it signs.
 *
 * @module
 */

import { done, map, type Task } from "../task.ts";
import type { CryptoProvider, Hash, HashName } from "./crypto/provider.ts";

/** Bytes that are hashed at a time. */
const SLICE_BYTES = 1024;

/** The hashes of all handshake messages so far (RFC 5246 §7.4.9). */
export class Transcript {
  readonly #crypto: CryptoProvider;
  readonly #hashes = new Map<HashName, Hash>();
  #retained: Uint8Array[] | undefined = [];

  constructor(crypto: CryptoProvider) {
    this.#crypto = crypto;
  }

  /** Adds a handshake message with its header. It must not change any more. */
  add(message: Uint8Array): Task<void> {
    this.#retained?.push(message);
    if (this.#hashes.size === 0) return done(undefined);
    return new Hashing(this.#crypto, [...this.#hashes.values()], [message]);
  }

  /** Starts a hash over all messages so far. Does nothing where it runs already. */
  start(name: HashName): Task<void> {
    if (this.#hashes.has(name)) return done(undefined);
    const hash = this.#crypto.hash(name);
    this.#hashes.set(name, hash);
    return new Hashing(this.#crypto, [hash], this.#retained ?? []);
  }

  /** Retains messages no longer: no hash will be started any more. */
  release(): void {
    this.#retained = undefined;
  }

  /** The digest of all messages so far, with a hash that was started. */
  digest(name: HashName): Uint8Array {
    return this.#hashes.get(name)!.digest();
  }

  /** The digest of all messages before the last one, while they are retained: what a CertificateVerify signs (RFC 5246 §7.4.8). */
  digestBeforeLast(name: HashName): Task<Uint8Array> {
    const hash = this.#crypto.hash(name);
    const messages = this.#retained!.slice(0, -1);
    return map(new Hashing(this.#crypto, [hash], messages), () => hash.digest());
  }

  wipe(): void {
    for (const hash of this.#hashes.values()) hash.wipe();
    this.#hashes.clear();
    this.#retained = undefined;
  }
}

/** Feeds messages to hashes, slice by slice. */
class Hashing implements Task<void> {
  readonly #crypto: CryptoProvider;
  readonly #hashes: readonly Hash[];
  readonly #messages: readonly Uint8Array[];
  #message = 0;
  #at = 0;
  #hash = 0;
  #spent = 0;
  readonly result: undefined;

  constructor(crypto: CryptoProvider, hashes: readonly Hash[], messages: readonly Uint8Array[]) {
    this.#crypto = crypto;
    this.#hashes = hashes;
    // A copy: the transcript's own list goes on growing.
    this.#messages = [...messages];
  }

  get spent(): number {
    return this.#spent;
  }

  step(units: number): boolean {
    const until = this.#spent + units;
    while (this.#hash < this.#hashes.length) {
      const message = this.#messages[this.#message];
      if (message === undefined) {
        this.#message = 0;
        this.#hash++;
        continue;
      }
      const hash = this.#hashes[this.#hash]!;
      const slice = message.subarray(this.#at, this.#at + SLICE_BYTES);
      hash.update(slice);
      this.#spent += Math.max(1, this.#crypto.hashUnits(hash.name, slice.length));
      this.#at += slice.length;
      if (this.#at === message.length) {
        this.#at = 0;
        this.#message++;
      }
      if (this.#spent >= until) break;
    }
    return this.#hash === this.#hashes.length;
  }
}
