import { describe, expect, it } from "vitest";
import { type Jacobian, Points } from "../../../src/tls/crypto/points.ts";
import {
  cell,
  FRESH,
  HALF,
  type IntervalCell,
  IntervalField,
  type IntervalResidue,
  intervalRsa,
  isWithin,
  REDUCED,
  RSA_LAST,
  upTo,
} from "./intervals.ts";

/** The sum of `count` cells. */
function sum(count: number, last = REDUCED): IntervalCell {
  const out = cell(last);
  for (let i = 0; i < out.length; i++) out[i] = upTo(out[i]!.high * BigInt(count));
  return out;
}

describe("the bounds of limbs of P-256", () => {
  it("products of sums of m and n reduced cells, m·n up to nine, are exact, and less than a reduced cell", () => {
    const field = new IntervalField();
    for (const [m, n] of [
      [1, 1],
      [1, 9],
      [2, 4],
      [3, 3],
    ] as const) {
      const out = field.zero();
      field.multiply(out, sum(n), sum(m));
      expect(isWithin(out, FRESH)).toBe(true);
      field.multiplySubtract(out, sum(m), sum(n), sum(3, FRESH));
      expect(isWithin(out, 2n * REDUCED)).toBe(true);
    }
    const out = field.zero();
    field.square(out, sum(3));
    expect(isWithin(out, FRESH)).toBe(true);
    field.squareSubtract(out, sum(3), sum(3, FRESH));
    expect(isWithin(out, 2n * REDUCED)).toBe(true);
    expect(() => field.multiply(out, sum(4), sum(4))).toThrow("not exact");
    expect(() => field.squareSubtract(out, sum(4), sum(1))).toThrow("not exact");
  });

  it("every point operation takes reduced coordinates to reduced ones, whatever they are", () => {
    const field = new IntervalField();
    const points = new Points<IntervalCell>(field);
    const point = (): Jacobian<IntervalCell> => ({ x: cell(REDUCED), y: cell(REDUCED), z: cell(REDUCED) });
    const check = (operation: (out: Jacobian<IntervalCell>) => void, ...zeros: boolean[]) => {
      const out = point();
      field.zeros.splice(0, Number.POSITIVE_INFINITY, ...zeros);
      operation(out);
      expect([out.x, out.y, out.z].map((value) => isWithin(value, REDUCED))).toEqual([true, true, true]);
    };
    check((out) => points.double(out, out));
    check((out) => points.add(out, out, point()));
    check((out) => points.add(out, out, point()), false, false, true, true); // meets itself
    check((out) => points.addAffine(out, out, point()));
    check((out) => points.addAffine(out, out, point()), false, true, true);
    check((out) => points.addDistinct(out, out, point()));
    check((out) => points.lift(out, point(), cell(REDUCED)));
  });

  it("a wrong shift, or a column that hands on too much, would show", () => {
    const fresh = (from: string, to: string) => {
      const field = new IntervalField((source) => source.replaceAll(from, to));
      const out = field.zero();
      field.multiply(out, sum(3), sum(3));
      return isWithin(out, FRESH);
    };
    expect(fresh("h * carry", "h * carry")).toBe(true);
    expect(fresh("* shift16", "* shift16 * shift8")).toBe(false);
    expect(() => fresh("h * carry;", "h;")).toThrow("not exact");
  });
});

describe("the bounds of limbs of RSA", () => {
  const limit = HALF + 64n;
  /** A residue of any value, with the largest limbs. */
  function residue(field: ReturnType<typeof intervalRsa>): IntervalResidue {
    const any = field.element(0n);
    for (let i = 0; i < any.limbs.length - 1; i++) any.limbs[i] = upTo(limit);
    any.limbs[any.limbs.length - 1] = upTo(RSA_LAST);
    return any;
  }

  it.each([1, 2, 3, 4, 5])(
    "%i blocks: products and squares of any residues are exact, and residues again",
    (blocks) => {
      const field = intervalRsa(blocks);
      expect(isWithin(field.element(0n).limbs, RSA_LAST + 2n, limit)).toBe(true);
      const product = field.multiply(residue(field), residue(field));
      expect(product.limbs).toHaveLength(11 * blocks);
      expect(isWithin(product.limbs, RSA_LAST, limit)).toBe(true);
      const square = residue(field);
      expect(isWithin(field.multiply(square, square).limbs, RSA_LAST, limit)).toBe(true);
      expect(isWithin(field.multiply(field.copy(square), field.element(1n)).limbs, RSA_LAST, limit)).toBe(true);
    },
  );

  it("a block more, a carry less, or a quotient that is not rounded would show", () => {
    const product = (blocks: number, from: string, to: string) => {
      const field = intervalRsa(blocks, (source) => source.replace(from, to));
      return isWithin(field.multiply(residue(field), residue(field)).limbs, RSA_LAST, limit);
    };
    expect(product(3, "", "")).toBe(true);
    expect(() => product(6, "MAX_BLOCKS = 5", "MAX_BLOCKS = 6")).toThrow("not exact");
    expect(product(3, "carryOnce(a.limbs)", "")).toBe(false);
    expect(() => product(3, "const q5 = column - carry;", "const q5 = column;")).toThrow("not exact");
  });
});
