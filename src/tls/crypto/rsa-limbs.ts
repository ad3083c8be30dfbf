/**
 * RSA's secret powers on limbs in doubles: a third faster than BigInt on a warm compiling engine, and with the same operations for
 * every exponent and base.
 *
 * A cell holds x·R modulo the prime (Montgomery's form) as blocks of eleven limbs of 24 bits, R being 2^264 for each block. The modulus
 * is a multiple of the prime that is -1 modulo 2^24, so that what must be added to clear a column of a product is the column times it.
 *
 * Bounds: limbs are at most 2^23 + 2^6 in absolute value, so that a column of five blocks, which is 2·55 products of two limbs and a
 * carry, stays below 2^53, where doubles are exact. Cells are between -N and N: N·16 < R, so that a product of two is below
 * N/16 + N/2 again and nothing is ever subtracted at the end. `test/unit/crypto/limb-bounds.test.ts` proves it by running this code on
 * intervals.
 *
 * Left out on purpose: numbers of more than five blocks, as RSA beyond 2,560 bits has: there BigInt is as fast. And RSA's public powers.
 *
 * @module
 */

import { mod } from "./integers.ts";
import { addProduct, COLUMNS, carryOnce, clearBlock, takeBlock } from "./limb-blocks.ts";
import { fromLimbs, LIMBS, LIMBS_BITS, type Limbs, newLimbs, toLimbs } from "./limbs.ts";
import { bigIntModular, type ModularArithmetic, type ModularArithmeticMaker, type RsaArithmetic } from "./modular.ts";

/** Above them a column could pass 2^53. */
const MAX_BLOCKS = 5;
/** What the multiple of the prime takes beside its bits, and the room between it and R. */
const EXTRA_BITS = 24 + 4;
/** Modulus, quotient, and the double of what is squared. */
const KEPT_CELLS = 3;
/** Those and what a power needs: 32 powers of the base, the result, and two to read it. */
const CELLS = KEPT_CELLS + 35;
/** Arithmetics that a provider keeps for its next powers: more are only there where that many are computed at the same time. */
const MAX_SPARE = 4;
const LIMB_MASK = 0xffffffn;
const BLOCK_MASK = (1n << LIMBS_BITS) - 1n;

/**
 * Signatures of one provider after which the limbs pay. A compiling engine needs some 75 ms to warm up to them, and they save it
 * three quarters of a millisecond a signature then.
 */
const MOVE_AFTER = 100;
const POWERS_OF_A_SIGNATURE = 2;

/** On BigInt until so much was signed that the limbs pay, and on them from then on. */
export const rsaLimbsAuto: RsaArithmetic = {
  prepare: () => {
    const onLimbs = prepareLimbs();
    let powers = 0;
    return (modulus, bits) =>
      powers++ < POWERS_OF_A_SIGNATURE * MOVE_AFTER ? bigIntModular(modulus, bits) : onLimbs(modulus, bits);
  },
};

/** On limbs from the first signature on. */
export const rsaLimbs: RsaArithmetic = { prepare: prepareLimbs };

/** Makes arithmetic on limbs; on BigInt where a number is too long for them. */
function prepareLimbs(): ModularArithmeticMaker {
  const spare: LimbModular[] = [];
  return (modulus, bits) => {
    const size = Math.ceil((bits + EXTRA_BITS) / Number(LIMBS_BITS));
    if (size > MAX_BLOCKS) return bigIntModular(modulus, bits);
    const at = spare.findIndex((arithmetic) => arithmetic.size === size);
    const arithmetic = at < 0 ? new LimbModular(size, spare) : spare.splice(at, 1)[0]!;
    arithmetic.start(modulus);
    return arithmetic;
  };
}

/** A residue: its blocks, lowest first, and all of their limbs. */
interface Cell {
  readonly blocks: readonly Limbs[];
  readonly limbs: Limbs;
}

class LimbModular implements ModularArithmetic<Cell> {
  /** Blocks of a cell. */
  readonly size: number;
  /** Where this object goes when it is wiped, since its cells are dear to make. */
  readonly #spare: LimbModular[];
  readonly #memory: Limbs;
  readonly #cells: readonly Cell[];
  #used = 0;
  readonly #columns: Limbs = new Float64Array(COLUMNS);
  readonly #modulus: Cell;
  readonly #quotient: Cell;
  readonly #doubled: Cell;
  #prime = 1n;
  /** The multiple of the prime that is -1 modulo 2^24. */
  #multiple = 1n;

  constructor(size: number, spare: LimbModular[]) {
    this.size = size;
    this.#spare = spare;
    const blocks = newLimbs(CELLS * size);
    this.#memory = new Float64Array(blocks[0]!.buffer);
    this.#cells = Array.from({ length: CELLS }, (_, i) => ({
      blocks: blocks.slice(i * size, (i + 1) * size),
      limbs: this.#memory.subarray(i * size * LIMBS, (i + 1) * size * LIMBS),
    }));
    this.#modulus = this.#cell();
    this.#quotient = this.#cell();
    this.#doubled = this.#cell();
  }

  start(prime: bigint): void {
    this.#prime = prime;
    // Newton's iteration for the inverse modulo 2^24: the prime is its own modulo 8, and each step doubles the bits.
    let inverse = prime & LIMB_MASK;
    for (let bits = 3; bits < 24; bits *= 2) inverse = (inverse * (2n - prime * inverse)) & LIMB_MASK;
    this.#multiple = prime * (-inverse & LIMB_MASK);
    write(this.#modulus, this.#multiple);
  }

  element(value: bigint): Cell {
    return write(this.#cell(), (value << (LIMBS_BITS * BigInt(this.size))) % this.#multiple);
  }

  copy(a: Cell): Cell {
    const cell = this.#cell();
    cell.limbs.set(a.limbs);
    return cell;
  }

  multiply(a: Cell, b: Cell): Cell {
    const { size } = this;
    const columns = this.#columns;
    const x = a.blocks;
    const y = b.blocks;
    const n = this.#modulus.blocks;
    const q = this.#quotient.blocks;
    const doubled = this.#doubled.blocks;
    const square = a === b;
    if (square) double(this.#doubled.limbs, a.limbs);
    // Block by block of the product, from the lowest: the lower half is cleared, the upper one is the result. It takes the place of blocks
    // of `a` that are not needed any more.
    for (let i = 0; i < 2 * size - 1; i++) {
      const first = i < size ? 0 : i - size + 1;
      let j = first;
      if (square) {
        // Each product of two different blocks is there twice.
        for (; 2 * j < i; j++) addProduct(columns, doubled[j]!, x[i - j]!);
        if (2 * j === i) addProduct(columns, x[j]!, x[j]!);
      } else for (; j <= i - first; j++) addProduct(columns, x[j]!, y[i - j]!);
      for (j = first; j < i && j < size; j++) addProduct(columns, q[j]!, n[i - j]!);
      if (i < size) clearBlock(columns, n[0]!, q[i]!);
      else takeBlock(columns, x[i - size]!);
    }
    // Its last limb is far below 2^23 (`EXTRA_BITS`) and hands no carry on.
    takeBlock(columns, x[size - 1]!);
    carryOnce(a.limbs);
    return a;
  }

  integer(a: Cell): bigint {
    const { blocks } = this.multiply(this.copy(a), write(this.#cell(), 1n));
    let value = 0n;
    for (let i = blocks.length - 1; i >= 0; i--) value = (value << LIMBS_BITS) + fromLimbs(blocks[i]!);
    return mod(value, this.#prime);
  }

  wipe(): void {
    this.#memory.fill(0);
    this.#columns.fill(0);
    this.#prime = this.#multiple = 1n;
    this.#used = KEPT_CELLS;
    this.#spare.unshift(this);
    this.#spare.length = Math.min(this.#spare.length, MAX_SPARE);
  }

  #cell(): Cell {
    return this.#cells[this.#used++]!;
  }
}

function double(out: Limbs, limbs: Limbs): void {
  for (let i = 0; i < limbs.length; i++) out[i] = 2 * limbs[i]!;
}

/** Writes a number from 0 up to the modulus. */
function write(cell: Cell, value: bigint): Cell {
  let rest = value;
  for (const block of cell.blocks) {
    toLimbs(block, rest & BLOCK_MASK);
    rest >>= LIMBS_BITS;
  }
  carryOnce(cell.limbs);
  return cell;
}
