/**
 * The code on limbs run on intervals: a module is compiled with calls in the place of its sums, differences and products, and computes with all
 * values that a limb can have at once. Whatever leaves the range in which doubles are exact integers throws, so that no input of any size can.
 */

import { readFileSync } from "node:fs";
import ts from "typescript";
import type { Task } from "../../../src/task.ts";
import { p256 } from "../../../src/tls/crypto/curve-parameters.ts";
import type { Arithmetic, Field } from "../../../src/tls/crypto/field.ts";
import { LIMBS, LIMBS_BITS } from "../../../src/tls/crypto/limbs.ts";
import type { ModularArithmetic, RsaArithmetic } from "../../../src/tls/crypto/modular.ts";

/** All integers from `low` to `high`. `roundOf` is the value that this one was rounded from, to a multiple of 2^24. */
export interface Interval {
  readonly low: bigint;
  readonly high: bigint;
  readonly roundOf?: Interval;
}

/** A typed array of intervals. */
export interface IntervalCell extends ArrayLike<Interval> {
  readonly length: number;
  [index: number]: Interval;
  readonly buffer: Interval[];
  set(values: ArrayLike<Interval>): void;
  subarray(from: number, to: number): IntervalCell;
  fill(value: number, from?: number, to?: number): IntervalCell;
}

/** What the code adds and takes away to round, and multiplies with to hand on. */
const ROUND = Symbol("ROUND");
const CARRY = Symbol("CARRY");
type Value = number | bigint | Interval | typeof ROUND | typeof CARRY | { readonly pending: Interval };

const EXACT = 1n << 53n;
export const HALF = 1n << 23n;
const RADIX = 1n << 24n;

export function exactly(value: bigint): Interval {
  return { low: value, high: value };
}

export function upTo(bound: bigint): Interval {
  return { low: -bound, high: bound };
}

/** The last limb of a product. */
export const FRESH = 1n << 18n;
/** The last limb of a reduced cell: a product, or one less three others, as coordinates are. */
export const REDUCED = 1n << 19n;

/** A part of memory as a typed array shows it. */
function view(memory: Interval[], offset: number, length: number): IntervalCell {
  const at = (name: string | symbol) => (typeof name === "string" && /^\d+$/.test(name) ? offset + Number(name) : -1);
  const members: Pick<IntervalCell, "length" | "buffer" | "set" | "subarray" | "fill"> = {
    length,
    buffer: memory,
    set: (values) => {
      for (let i = 0; i < values.length; i++) memory[offset + i] = values[i]!;
    },
    subarray: (from, to) => view(memory, offset + from, to - from),
    fill(value, from = 0, to = length) {
      memory.fill(exactly(BigInt(value)), offset + from, offset + to);
      return whole;
    },
  };
  const whole = new Proxy(members as IntervalCell, {
    get: (target, name) => (at(name) < 0 ? Reflect.get(target, name) : memory[at(name)]),
    set: (_, name, value) => {
      memory[at(name)] = asInterval(value as Value);
      return true;
    },
  });
  return whole;
}

/** A cell whose last limb may have any value up to `last`: what is true of the outputs if it is true of the inputs is a proof. */
export function cell(last: bigint): IntervalCell {
  const limbs = Array.from({ length: LIMBS }, (_, i) => upTo(i < LIMBS - 1 ? HALF : last));
  return view(limbs, 0, LIMBS);
}

/** Whether all limbs are at most `limit` in absolute value, and the last one at most `last`. */
export function isWithin(value: ArrayLike<Interval>, last: bigint, limit = HALF): boolean {
  return Array.from(value).every(({ low, high }, i) => {
    const bound = i === value.length - 1 ? last : limit;
    return low >= -bound && high <= bound;
  });
}

function isInterval(value: unknown): value is Interval {
  return typeof value === "object" && value !== null && "low" in value;
}

function checked(low: bigint, high: bigint): Interval {
  if (low < -EXACT || high > EXACT) throw new RangeError(`${low} to ${high} is not exact`);
  return { low, high };
}

/** The multiples of 2^24 that a value may be rounded to: a tie may go either way. */
function rounded({ low, high }: Interval): Interval {
  return { low: -((HALF - low) >> 24n) << 24n, high: ((high + HALF) >> 24n) << 24n };
}

/** One operation of the code, on numbers as they are, and on intervals. */
function operate(operator: string, a: Value, b: Value): Value {
  if (operator === "+" && b === ROUND && isInterval(a)) return { pending: a };
  if (operator === "-" && b === ROUND && typeof a === "object" && "pending" in a)
    return { ...rounded(a.pending), roundOf: a.pending };
  if (operator === "*" && b === CARRY && isInterval(a)) {
    if (a.roundOf === undefined) throw new RangeError("a carry that is no integer");
    return { low: a.low >> 24n, high: a.high >> 24n };
  }
  if (!isInterval(a) && !isInterval(b)) return native(operator, a as number, b as number);
  const [x, y] = [asInterval(a), asInterval(b)];
  if (operator === "-" && y.roundOf === x)
    return y.low === y.high ? { low: x.low - y.low, high: x.high - y.low } : upTo(HALF);
  if (operator === "+") return checked(x.low + y.low, x.high + y.high);
  if (operator === "-") return checked(x.low - y.high, x.high - y.low);
  const products = [x.low * y.low, x.low * y.high, x.high * y.low, x.high * y.high];
  const compare = (p: bigint, q: bigint) => (p < q ? -1 : p > q ? 1 : 0);
  products.sort(compare);
  return checked(products[0]!, products[3]!);
}

function native(operator: string, a: number, b: number): number {
  return operator === "+" ? a + b : operator === "-" ? a - b : a * b;
}

function asInterval(value: Value): Interval {
  if (isInterval(value)) return value;
  if (typeof value === "number") return exactly(BigInt(value));
  throw new RangeError(`${String(value)} where a limb is wanted`);
}

const OPERATORS: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.PlusToken, "+"],
  [ts.SyntaxKind.MinusToken, "-"],
  [ts.SyntaxKind.AsteriskToken, "*"],
  [ts.SyntaxKind.PlusEqualsToken, "+"],
]);

/** Puts calls of `operate` in the place of operators. */
const operators: ts.TransformerFactory<ts.SourceFile> = (context) => {
  const { factory } = context;
  const visit = (node: ts.Node): ts.Node => {
    const inner = ts.visitEachChild(node, visit, context);
    const operator = ts.isBinaryExpression(inner) ? OPERATORS.get(inner.operatorToken.kind) : undefined;
    if (!ts.isBinaryExpression(inner) || operator === undefined) return inner;
    const operands = [factory.createStringLiteral(operator), inner.left, inner.right];
    const call = factory.createCallExpression(factory.createIdentifier("operate"), undefined, operands);
    return inner.operatorToken.kind === ts.SyntaxKind.PlusEqualsToken
      ? factory.createAssignment(inner.left, call)
      : call;
  };
  return (file) => ts.visitEachChild(file, visit, context);
};

/** What `limbs.ts` exports, for intervals. */
function limbsModule(toLimbs: (limbs: IntervalCell) => void): object {
  const newLimbs = (count: number): IntervalCell[] => {
    const memory = new Array<Interval>(count * LIMBS).fill(exactly(0n));
    return Array.from({ length: count }, (_, i) => view(memory, i * LIMBS, LIMBS));
  };
  return { ROUND, CARRY, LIMBS, LIMBS_BITS, newLimbs, toLimbs };
}

type Modules = Readonly<Record<string, object>>;

/** Runs a module of `src/tls/crypto` on intervals, and returns its exports. */
function onIntervals(name: string, modules: Modules, change: (source: string) => string): object {
  const source = change(readFileSync(new URL(`../../../src/tls/crypto/${name}`, import.meta.url), "utf8"));
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    transformers: { before: [operators] },
  });
  const exported = {};
  const array = new Proxy(Float64Array, {
    construct: (_, [values]: [number | Interval[]]) => {
      const memory = typeof values === "number" ? new Array<Interval>(values).fill(exactly(0n)) : values;
      return view(memory, 0, memory.length);
    },
  });
  const run = new Function("exports", "require", "operate", "Float64Array", outputText);
  run(exported, (path: string) => modules[path] ?? {}, operate, array);
  return exported;
}

/** The source as it is. */
const unchanged = (source: string): string => source;

/** The field of `p256-limbs.ts` on intervals, out of its source. */
export class IntervalField implements Field<IntervalCell> {
  readonly modulus = 0n;
  readonly units = 1;
  readonly uniform = true;
  /** Answers of `isZero`, in turn; false when they have run out. */
  readonly zeros: boolean[] = [];
  readonly #field: Field<IntervalCell>;

  constructor(change = unchanged) {
    const limbs = limbsModule((out) => out.set(cell(FRESH)));
    const modules = { "./limbs.ts": limbs, "./curve-parameters.ts": { p256 }, "./integers.ts": { mod: () => 0n } };
    const { p256LimbArithmetic } = onIntervals("p256-limbs.ts", modules, change) as {
      p256LimbArithmetic: Arithmetic<IntervalCell>;
    };
    this.#field = p256LimbArithmetic(0n, 0);
  }

  zero(): IntervalCell {
    return this.#field.zero();
  }

  /** Any integer of the field. */
  element(): IntervalCell {
    return this.#field.element(0n);
  }

  integer(): bigint {
    throw new TypeError("an interval is no integer");
  }

  inverse(): Task<bigint | undefined> {
    throw new TypeError("an interval has no inverse");
  }

  copy(out: IntervalCell, a: IntervalCell): void {
    this.#field.copy(out, a);
  }

  select(): void {
    throw new TypeError("not needed");
  }

  choose(): void {
    throw new TypeError("not needed");
  }

  negateWhen(): void {
    throw new TypeError("not needed");
  }

  isZero(a: IntervalCell): boolean {
    // A reduced cell, or the difference of two.
    if (!isWithin(a, 2n * REDUCED)) throw new RangeError("isZero of what is not reduced");
    return this.zeros.shift() ?? false;
  }

  add(out: IntervalCell, a: IntervalCell, b: IntervalCell): void {
    this.#field.add(out, a, b);
  }

  subtract(out: IntervalCell, a: IntervalCell, b: IntervalCell): void {
    this.#field.subtract(out, a, b);
  }

  multiply(out: IntervalCell, a: IntervalCell, b: IntervalCell): void {
    this.#field.multiply(out, a, b);
  }

  square(out: IntervalCell, a: IntervalCell): void {
    this.#field.square(out, a);
  }

  multiplySubtract(out: IntervalCell, a: IntervalCell, b: IntervalCell, c: IntervalCell): void {
    this.#field.multiplySubtract(out, a, b, c);
  }

  squareSubtract(out: IntervalCell, a: IntervalCell, b: IntervalCell): void {
    this.#field.squareSubtract(out, a, b);
  }

  multiplyTwiceSubtract(out: IntervalCell, a: IntervalCell, b: IntervalCell, c: IntervalCell, d: IntervalCell): void {
    this.#field.multiplyTwiceSubtract(out, a, b, c, d);
  }
}

/** The last limb of a residue of RSA: N·16 is below R. */
export const RSA_LAST = 1n << 20n;

/** A residue of `rsa-limbs.ts` on intervals. */
export interface IntervalResidue {
  readonly limbs: IntervalCell;
}

/** The arithmetic of `rsa-limbs.ts` and `limb-blocks.ts` with moduli of so many blocks on intervals, out of their source. */
export function intervalRsa(blocks: number, change = unchanged): ModularArithmetic<IntervalResidue> {
  let written = 0;
  // A number is written block by block: all bits of a block may be set, but for the last one's, which is the room below R.
  const limbs = limbsModule((out) => out.set(cell(++written % blocks === 0 ? RSA_LAST : RADIX)));
  const modules: Record<string, object> = { "./limbs.ts": limbs };
  modules["./limb-blocks.ts"] = onIntervals("limb-blocks.ts", modules, change);
  const { rsaLimbs } = onIntervals("rsa-limbs.ts", modules, change) as { rsaLimbs: RsaArithmetic };
  const bits = Number(LIMBS_BITS) * blocks - 28;
  return rsaLimbs.prepare()((1n << BigInt(bits)) - 1n, bits) as ModularArithmetic<IntervalResidue>;
}
