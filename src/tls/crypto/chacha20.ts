/**
 * The stream cipher ChaCha20 (RFC 8439 §2.3, §2.4). No table and no branch depends on a secret.
 *
 * @module
 */

/** The words "expand 32-byte k" (RFC 8439 §2.3), little-endian. */
const CONSTANTS: readonly number[] = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];

/** ChaCha20 with one key of 32 bytes. */
export class ChaCha20 {
  /** Constants, key, counter, nonce. */
  readonly #state = new Int32Array(16);

  constructor(key: Uint8Array) {
    for (let i = 0; i < 4; i++) this.#state[i] = CONSTANTS[i]!;
    for (let i = 0; i < 8; i++) this.#state[4 + i] = readLittleWord(key, 4 * i);
  }

  /** Takes a nonce of 12 bytes, and sets the block counter to 0. */
  start(nonce: Uint8Array): void {
    this.#state[12] = 0;
    for (let i = 0; i < 3; i++) this.#state[13 + i] = readLittleWord(nonce, 4 * i);
  }

  /** Writes the next block of key stream, sixteen little-endian words, and counts it. */
  next(out: Int32Array): void {
    const s = this.#state;
    let x0 = s[0]!;
    let x1 = s[1]!;
    let x2 = s[2]!;
    let x3 = s[3]!;
    let x4 = s[4]!;
    let x5 = s[5]!;
    let x6 = s[6]!;
    let x7 = s[7]!;
    let x8 = s[8]!;
    let x9 = s[9]!;
    let xa = s[10]!;
    let xb = s[11]!;
    let xc = s[12]!;
    let xd = s[13]!;
    let xe = s[14]!;
    let xf = s[15]!;
    // Four columns, then four diagonals, a line of the RFC's quarter round each.
    // biome-ignore format: a line a step shows what repeats
    for (let round = 0; round < 20; round += 2) {
      x0 = (x0 + x4) | 0; xc ^= x0; xc = (xc << 16) | (xc >>> 16);
      x8 = (x8 + xc) | 0; x4 ^= x8; x4 = (x4 << 12) | (x4 >>> 20);
      x0 = (x0 + x4) | 0; xc ^= x0; xc = (xc << 8) | (xc >>> 24);
      x8 = (x8 + xc) | 0; x4 ^= x8; x4 = (x4 << 7) | (x4 >>> 25);
      x1 = (x1 + x5) | 0; xd ^= x1; xd = (xd << 16) | (xd >>> 16);
      x9 = (x9 + xd) | 0; x5 ^= x9; x5 = (x5 << 12) | (x5 >>> 20);
      x1 = (x1 + x5) | 0; xd ^= x1; xd = (xd << 8) | (xd >>> 24);
      x9 = (x9 + xd) | 0; x5 ^= x9; x5 = (x5 << 7) | (x5 >>> 25);
      x2 = (x2 + x6) | 0; xe ^= x2; xe = (xe << 16) | (xe >>> 16);
      xa = (xa + xe) | 0; x6 ^= xa; x6 = (x6 << 12) | (x6 >>> 20);
      x2 = (x2 + x6) | 0; xe ^= x2; xe = (xe << 8) | (xe >>> 24);
      xa = (xa + xe) | 0; x6 ^= xa; x6 = (x6 << 7) | (x6 >>> 25);
      x3 = (x3 + x7) | 0; xf ^= x3; xf = (xf << 16) | (xf >>> 16);
      xb = (xb + xf) | 0; x7 ^= xb; x7 = (x7 << 12) | (x7 >>> 20);
      x3 = (x3 + x7) | 0; xf ^= x3; xf = (xf << 8) | (xf >>> 24);
      xb = (xb + xf) | 0; x7 ^= xb; x7 = (x7 << 7) | (x7 >>> 25);
      x0 = (x0 + x5) | 0; xf ^= x0; xf = (xf << 16) | (xf >>> 16);
      xa = (xa + xf) | 0; x5 ^= xa; x5 = (x5 << 12) | (x5 >>> 20);
      x0 = (x0 + x5) | 0; xf ^= x0; xf = (xf << 8) | (xf >>> 24);
      xa = (xa + xf) | 0; x5 ^= xa; x5 = (x5 << 7) | (x5 >>> 25);
      x1 = (x1 + x6) | 0; xc ^= x1; xc = (xc << 16) | (xc >>> 16);
      xb = (xb + xc) | 0; x6 ^= xb; x6 = (x6 << 12) | (x6 >>> 20);
      x1 = (x1 + x6) | 0; xc ^= x1; xc = (xc << 8) | (xc >>> 24);
      xb = (xb + xc) | 0; x6 ^= xb; x6 = (x6 << 7) | (x6 >>> 25);
      x2 = (x2 + x7) | 0; xd ^= x2; xd = (xd << 16) | (xd >>> 16);
      x8 = (x8 + xd) | 0; x7 ^= x8; x7 = (x7 << 12) | (x7 >>> 20);
      x2 = (x2 + x7) | 0; xd ^= x2; xd = (xd << 8) | (xd >>> 24);
      x8 = (x8 + xd) | 0; x7 ^= x8; x7 = (x7 << 7) | (x7 >>> 25);
      x3 = (x3 + x4) | 0; xe ^= x3; xe = (xe << 16) | (xe >>> 16);
      x9 = (x9 + xe) | 0; x4 ^= x9; x4 = (x4 << 12) | (x4 >>> 20);
      x3 = (x3 + x4) | 0; xe ^= x3; xe = (xe << 8) | (xe >>> 24);
      x9 = (x9 + xe) | 0; x4 ^= x9; x4 = (x4 << 7) | (x4 >>> 25);
    }
    out[0] = x0 + s[0]!;
    out[1] = x1 + s[1]!;
    out[2] = x2 + s[2]!;
    out[3] = x3 + s[3]!;
    out[4] = x4 + s[4]!;
    out[5] = x5 + s[5]!;
    out[6] = x6 + s[6]!;
    out[7] = x7 + s[7]!;
    out[8] = x8 + s[8]!;
    out[9] = x9 + s[9]!;
    out[10] = xa + s[10]!;
    out[11] = xb + s[11]!;
    out[12] = xc + s[12]!;
    out[13] = xd + s[13]!;
    out[14] = xe + s[14]!;
    out[15] = xf + s[15]!;
    s[12]!++;
  }

  wipe(): void {
    this.#state.fill(0);
  }
}

/** The little-endian word at `bytes[at]` on. */
export function readLittleWord(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
