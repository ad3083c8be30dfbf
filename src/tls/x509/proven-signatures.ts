/**
 * A memory of certificate signatures that were right, for who meets the same chains again and again: three verifications of a full
 * handshake become one, that of the handshake itself.
 *
 * What is remembered is a fact that does not change: that the key in one SubjectPublicKeyInfo signed one certificate, both compared byte by
 * byte. All else (dates, names, revocation, strength of keys and algorithms, pins, the app's opinion) is looked at each time.
 *
 * @module
 */

import { equal } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import { done, map, type Task } from "../../task.ts";

/** Signatures found right by the verifications that it was given to. */
export interface ProvenSignatures {
  /** Certificates that are remembered now. */
  readonly size: number;
  /** Verifications that were saved so far. */
  readonly hits: number;
  /**
   * Whether a key signed a certificate: at once where it is remembered, else what `verify` finds, which is remembered where it is true.
   *
   * @param certificate - the whole of it in DER.
   * @param issuerKey - the DER `SubjectPublicKeyInfo` of the key that `verify` verifies with.
   */
  check(certificate: Uint8Array, issuerKey: Uint8Array, verify: () => Task<boolean>): Task<boolean>;
  /** Forgets all of them. */
  clear(): void;
}

/** Longer certificates are verified each time, so that `max` bounds the memory: real ones have some 1,000 bytes. */
const MAX_BYTES = 8192;

/**
 * Makes a memory for the option `provenSignatures` of verifications and TLS clients that use one crypto provider. Each entry takes the
 * bytes of a certificate and of a key.
 *
 * @param options - `max`: certificates to remember, 16 by default; the one that was not met for longest makes room.
 * @throws UsageError `USAGE_INVALID_ARGUMENT` where `max` is not from 1 to 1,024.
 * @example
 * const verification = { provenSignatures: provenSignatures() };
 * connect({ ...options, verification }); // and again, with the same value
 */
export function provenSignatures({ max = 16 }: { readonly max?: number | undefined } = {}): ProvenSignatures {
  if (!(Number.isInteger(max) && max >= 1 && max <= 1024))
    throw new UsageError("USAGE_INVALID_ARGUMENT", "provenSignatures: max is a whole number from 1 to 1,024");
  return new SignatureMemory(max);
}

interface Proven {
  readonly certificate: Uint8Array;
  readonly issuerKey: Uint8Array;
}

class SignatureMemory implements ProvenSignatures {
  readonly #max: number;
  /** Those met last first. */
  readonly #proven: Proven[] = [];
  #hits = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#proven.length;
  }

  get hits(): number {
    return this.#hits;
  }

  check(certificate: Uint8Array, issuerKey: Uint8Array, verify: () => Task<boolean>): Task<boolean> {
    const found = this.#take(certificate, issuerKey);
    if (found !== undefined) {
      this.#hits++;
      this.#proven.unshift(found);
      return done(true);
    }
    return map(verify(), (isRight) => {
      if (isRight) this.#add(certificate, issuerKey);
      return isRight;
    });
  }

  clear(): void {
    this.#proven.length = 0;
  }

  /** Takes an entry out of the list. */
  #take(certificate: Uint8Array, issuerKey: Uint8Array): Proven | undefined {
    const index = this.#proven.findIndex(
      (one) => equal(one.certificate, certificate) && equal(one.issuerKey, issuerKey),
    );
    return index < 0 ? undefined : this.#proven.splice(index, 1)[0];
  }

  #add(certificate: Uint8Array, issuerKey: Uint8Array): void {
    if (certificate.length + issuerKey.length > MAX_BYTES) return;
    // Another verification may have found the same meanwhile.
    const entry = this.#take(certificate, issuerKey) ?? {
      certificate: certificate.slice(),
      issuerKey: issuerKey.slice(),
    };
    this.#proven.unshift(entry);
    this.#proven.length = Math.min(this.#proven.length, this.#max);
  }
}
