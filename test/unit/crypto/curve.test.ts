import { createECDH } from "node:crypto";
import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/bytes.ts";
import type { Random } from "../../../src/ports.ts";
import { finish } from "../../../src/task.ts";
import { BigIntPoints } from "../../../src/tls/crypto/bigint-points.ts";
import { type Coordinates, type Curve, createCurve } from "../../../src/tls/crypto/curve.ts";
import { type CurveParameters, p256, p384, p521 } from "../../../src/tls/crypto/curve-parameters.ts";
import { type Arithmetic, type BigIntCell, bigintArithmetic, type Field } from "../../../src/tls/crypto/field.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { bitLength, InverseTask, toBytes, toInteger } from "../../../src/tls/crypto/integers.ts";
import {
  fastShapes,
  MultiplesTable,
  Multiplication,
  type Shapes,
  smallShapes,
} from "../../../src/tls/crypto/multiplication.ts";
import { p256LimbArithmetic } from "../../../src/tls/crypto/p256-limbs.ts";
import { type Affine, type Jacobian, OddMultiples, Points, ToAffine } from "../../../src/tls/crypto/points.ts";
import {
  digitIndex,
  digitSign,
  plainScalar,
  regularDigits,
  scalarDigits,
  sparseDigits,
} from "../../../src/tls/crypto/recoding.ts";
import { labelled, nodeCurves, random } from "./support.ts";

const curves = [p256, p384, p521];

interface On {
  readonly title: string;
  readonly parameters: CurveParameters;
  /** A new curve; `around` may put something between it and its field and group law. */
  create(around?: (field: object) => object): Curve;
}

function on<E>(
  title: string,
  parameters: CurveParameters,
  arithmetic: Arithmetic<E>,
  law: new (field: Field<E>) => Points<E> = Points<E>,
  shapes: Shapes = fastShapes,
): On {
  const create = (around = (part: object) => part) =>
    createCurve<E>(
      parameters,
      (modulus, bits) => around(arithmetic(modulus, bits)) as Field<E>,
      new Proxy(law, { construct: (target, [field]) => around(new target(field)) }),
      shapes,
    );
  return { title: `${parameters.name} on ${title}`, parameters, create };
}

const everyCurve = [
  ...curves.map((curve) => on("BigInt", curve, bigintArithmetic, BigIntPoints)),
  on("BigInt, by calls", p256, bigintArithmetic),
  on("limbs", p256, p256LimbArithmetic),
];
const smallCurves = [
  ...[p256, p384].map((curve) => on("BigInt, small tables", curve, bigintArithmetic, BigIntPoints, smallShapes)),
  on("limbs, small tables", p256, p256LimbArithmetic, Points, smallShapes),
];

describe("the rows of the generator's table that stand in the source", () => {
  const withRows = curves.filter(({ generatorRows }) => generatorRows !== undefined);
  it.each(withRows)("$name: what doublings make of the generator, as many as the shape wants", (parameters) => {
    const { bits, blindingBytes, generatorRows = [] } = parameters;
    const { baseWindow, baseStride } = fastShapes.blinded;
    const points = new BigIntPoints(bigintArithmetic(parameters.prime, bits));
    const row = points.at(parameters);
    for (const known of generatorRows) {
      for (let i = 0; i < baseWindow * baseStride; i++) points.double(row, row);
      const copy = points.infinity();
      points.copy(copy, row);
      const [affine] = finish(new ToAffine(points, [copy]));
      expect({ x: points.field.integer(affine!.x), y: points.field.integer(affine!.y) }).toEqual(known);
    }
    const digits = scalarDigits(baseWindow, bits + 8 * blindingBytes + 1);
    expect(generatorRows).toHaveLength(Math.ceil(digits / baseStride) - 1);
  });

  it("P-256 has them", () => expect(withRows).toEqual([p256]));
});

describe("integers", () => {
  it("bytes of every length and back", () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 83 + length * 29 + 1) & 255);
      const value = toInteger(bytes);
      expect(value).toBe(length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`));
      expect(toBytes(value, length)).toEqual(bytes);
    }
    expect(toBytes(0x123456n, 2)).toEqual(Uint8Array.of(0x34, 0x56));
    expect(bitLength(Uint8Array.of(0, 0, 1, 0))).toBe(9);
    expect(bitLength(new Uint8Array(3))).toBe(0);
  });

  it("the inverse of everything modulo a small number, and none where there is none", () => {
    for (const modulus of [17n, 36n]) {
      for (let value = -5n; value < 40n; value++) {
        const inverse = finish(new InverseTask(value, modulus));
        const residue = ((value % modulus) + modulus) % modulus;
        const expected = [...Array(Number(modulus)).keys()].map(BigInt).find((i) => (i * residue) % modulus === 1n);
        expect(inverse).toBe(expected);
      }
    }
  });
});

describe("recoding", () => {
  it("regular digits stand for the scalar, and none is zero", () => {
    for (const [width, count] of [
      [4, 7],
      [5, 5],
    ] as const) {
      for (const scalar of [1n, 3n, 5n, 0xabcdefn, 0xffffffn, 0x800001n, 2n ** 25n - 1n]) {
        let sum = 0n;
        regularDigits(scalar, width, count).forEach((digit, i) => {
          const odd = 2 * digitIndex(digit, width) + 1;
          sum += BigInt(digitSign(digit, width) === 1 ? -odd : odd) << BigInt(width * i);
        });
        expect(sum).toBe(scalar);
      }
    }
  });

  it("a plain scalar is recoded by way of its negative where that is smaller, and one is made odd", () => {
    const { order } = p256;
    for (const scalar of [1n, 2n, 3n, order / 2n, order / 2n + 1n, order - 2n, order - 1n, 0x123456n]) {
      const { digits, even, negative } = plainScalar(scalar, order, 4, 256);
      expect(digits).toHaveLength(64);
      let sum = BigInt(-even);
      digits.forEach((digit, i) => {
        const odd = 2 * digitIndex(digit, 4) + 1;
        sum += BigInt(digitSign(digit, 4) === 1 ? -odd : odd) << BigInt(4 * i);
      });
      expect(sum <= order / 2n).toBe(true);
      expect(negative === 1 ? order - sum : sum).toBe(scalar);
    }
  });

  it("sparse digits stand for the scalar and are far apart", () => {
    for (const scalar of [0n, 1n, 15n, 16n, 17n, 0xffffffn, 0x123457n, 0x555555n]) {
      const digits = sparseDigits(scalar, 5, 24);
      let sum = 0n;
      let last = -5;
      digits.forEach((digit, i) => {
        sum += BigInt(digit) << BigInt(i);
        if (digit === 0) return;
        expect(Math.abs(digit) % 2).toBe(1);
        expect(Math.abs(digit)).toBeLessThan(16);
        expect(i - last).toBeGreaterThanOrEqual(5);
        last = i;
      });
      expect(sum).toBe(scalar);
    }
  });
});

describe.each([...everyCurve, ...smallCurves])("$title", ({ parameters, create }) => {
  const curve = create();
  const { order, prime } = parameters;
  const generator: Coordinates = parameters;

  it("SEC 1 §3.2.2.1 a public key is uncompressed, in range and on the curve", () => {
    const good = curve.encodePoint(generator);
    expect(curve.decodePoint(good)).toEqual({ x: generator.x, y: generator.y });
    const bytes = curve.bytes;
    const changed = (at: number, value: number) => {
      const copy = good.slice();
      copy[at] = value;
      return copy;
    };
    const compressed = Uint8Array.of(2 + Number(generator.y & 1n), ...good.subarray(1, 1 + bytes));
    for (const bad of [
      new Uint8Array(0),
      Uint8Array.of(0), // infinity
      compressed,
      good.subarray(0, good.length - 1),
      Uint8Array.of(...good, 0),
      changed(0, 6), // hybrid
      changed(0, 0),
      changed(2 * bytes, good[2 * bytes]! ^ 1), // not on the curve
      new Uint8Array(1 + 2 * bytes).fill(4, 0, 1), // (0, 0)
      curve.encodePoint({ x: generator.x, y: prime }),
    ])
      expect(curve.decodePoint(bad)).toBeUndefined();
  });

  it("SEC 1 §3.2.2.1 a coordinate that is not reduced is refused, though it is on the curve modulo the prime", () => {
    // A point with a small x, whose x + prime still fits in the field's bytes.
    for (let x = 0n; ; x++) {
      const square = (x * x * x - 3n * x + parameters.b) % prime;
      const y = power(square < 0n ? square + prime : square, (prime + 1n) / 4n, prime);
      if (curve.decodePoint(curve.encodePoint({ x, y })) === undefined) continue;
      if (x + prime < 1n << BigInt(8 * curve.bytes))
        expect(curve.decodePoint(curve.encodePoint({ x: x + prime, y }))).toBeUndefined();
      expect(curve.decodePoint(curve.encodePoint({ x, y: prime - y }))).toBeDefined();
      break;
    }
  });

  it("scalars at the edges: both multiplications agree with node:crypto", () => {
    const node = createECDH(nodeCurves[parameters.name]);
    const edges = [...Array(parameters === p256 ? 66 : 20).keys()].slice(1).map(BigInt);
    edges.push(order / 2n, order / 2n + 1n, order / 2n - 1n, (1n << 224n) + 1n, 1n << 255n, (order - 1n) / 4n);
    for (const scalar of [...edges, ...edges.map((edge) => order - edge)]) {
      node.setPrivateKey(toBytes(scalar, curve.bytes));
      const expected = node.getPublicKey("hex");
      for (const use of ["kept", "ephemeral"] as const)
        expect(toHex(curve.encodePoint(finish(curve.multiplyGenerator(scalar, random, use))))).toBe(expected);
      expect(toHex(curve.encodePoint(finish(curve.multiply(scalar, generator, random))))).toBe(expected);
    }
  });

  it("blinding that makes an addition meet equal or opposite points", () => {
    // With this blinding the last digits of small scalars equal what the sum stands at, modulo the order.
    const node = createECDH(nodeCurves[parameters.name]);
    for (let low = 0; low < 4; low++) {
      const blinding = new Uint8Array(parameters.blindingBytes);
      blinding[blinding.length - 1] = low;
      const source = {
        fill: (out: Uint8Array, purpose: string) =>
          out.length === blinding.length ? out.set(blinding) : random.fill(out, purpose),
      };
      for (const scalar of [2n, 6n, 18n, 30n, 62n, order - 2n, order - 6n, order - 30n]) {
        node.setPrivateKey(toBytes(scalar, curve.bytes));
        const expected = node.getPublicKey("hex");
        expect(toHex(curve.encodePoint(finish(curve.multiplyGenerator(scalar, source))))).toBe(expected);
        expect(toHex(curve.encodePoint(finish(curve.multiply(scalar, generator, source))))).toBe(expected);
      }
    }
  });

  it("u1·G + u2·Q where the sums meet: Q = G, Q = -G, and one of the two zero; for a point that is new, comes again, and is known", () => {
    const opposite = { x: generator.x, y: prime - generator.y };
    const xOf = (scalar: bigint) => finish(curve.multiplyGenerator(scalar, random)).x % order;
    const cases: [u1: bigint, point: Coordinates, u2: bigint, r: bigint, expected: boolean][] = [
      [5n, generator, 5n, xOf(10n), true],
      [5n, generator, 5n, xOf(11n), false],
      [9n, opposite, 2n, xOf(7n), true],
      [7n, opposite, 7n, xOf(1n), false], // infinity
      [0n, generator, 3n, xOf(3n), true],
      [order - 1n, generator, order - 1n, xOf(2n), true],
      [order - 3n, generator, 0n, xOf(3n), true],
      [1n, generator, 0n, generator.x % order, true],
      // Halves of which one is zero, and all of whose bits are set.
      [1n << 128n, generator, 1n << 200n, xOf((1n << 128n) + (1n << 200n)), true],
      [(1n << 132n) - 1n, generator, (1n << 128n) - 1n, xOf((1n << 132n) + (1n << 128n) - 2n), true],
    ];
    for (const [u1, point, u2, r, expected] of cases) {
      const fresh = create();
      for (let time = 0; time < 3; time++)
        expect(finish(fresh.combinationHasX(u1, point, u2, r)), `u1 ${u1}, u2 ${u2}`).toBe(expected);
    }
  });

  it("a point that is known and its negative, which has the same x, are two", () => {
    const opposite = { x: generator.x, y: prime - generator.y };
    const r = (scalar: bigint) => finish(curve.multiplyGenerator(scalar, random)).x % order;
    const fresh = create();
    for (let time = 0; time < 3; time++) {
      expect(finish(fresh.combinationHasX(9n, generator, 2n, r(11n)))).toBe(true);
      expect(finish(fresh.combinationHasX(9n, opposite, 2n, r(7n)))).toBe(true);
      expect(finish(fresh.combinationHasX(9n, opposite, 2n, r(11n)))).toBe(false);
    }
  });
});

describe("a point that comes again", () => {
  /** Units of a combination of the generator and its multiple of a number, each call on the same curve. */
  function unitsOn({ parameters: { order }, create }: On): (multiple: number) => number {
    const curve = create();
    const [u1, u2] = [order / 3n, order / 5n];
    return (multiple) => {
      const point = finish(curve.multiplyGenerator(BigInt(multiple), random));
      const r = finish(curve.multiplyGenerator((u1 + u2 * BigInt(multiple)) % order, random)).x % order;
      const task = curve.combinationHasX(u1, point, u2, r);
      expect(finish(task)).toBe(true);
      return task.spent;
    };
  }

  it.each(everyCurve)(
    "$title: costs half as much from the third time on, unless too many others came between",
    (row) => {
      const unitsOf = unitsOn(row);
      unitsOf(2); // builds the row of the generator
      const first = unitsOf(3);
      unitsOf(3);
      const third = unitsOf(3);
      expect(third).toBeLessThan(0.7 * first);
      for (let multiple = 4; multiple < 9; multiple++) unitsOf(multiple);
      expect(unitsOf(3)).toBe(third);
      for (let multiple = 4; multiple < 10; multiple++) unitsOf(multiple);
      expect(unitsOf(3)).toBe(first);
    },
  );

  it.each(smallCurves)("$title: costs what it did, since nothing is kept of it", (row) => {
    const unitsOf = unitsOn(row);
    unitsOf(2);
    const first = unitsOf(3);
    unitsOf(3);
    expect(unitsOf(3)).toBe(first);
  });
});

const bigint = bigintArithmetic(p256.prime, p256.bits);
describe("point arithmetic on BigInt", () => pointArithmetic(new BigIntPoints(bigint)));
describe("point arithmetic on BigInt, by calls", () => pointArithmetic(new Points(bigint)));
describe("point arithmetic on limbs", () => pointArithmetic(new Points(p256LimbArithmetic(p256.prime, p256.bits))));

function pointArithmetic<E>(points: Points<E>): void {
  const { field } = points;
  const g = { x: field.element(p256.x), y: field.element(p256.y) };

  function lifted(z: bigint): Jacobian<E> {
    const point = points.infinity();
    points.lift(point, g, field.element(z));
    return point;
  }

  function affine(p: Jacobian<E>): Coordinates | "infinity" {
    if (points.isInfinity(p)) return "infinity";
    const z = finish(new InverseTask(field.integer(p.z), p256.prime))!;
    return { x: (field.integer(p.x) * z * z) % p256.prime, y: (field.integer(p.y) * z * z * z) % p256.prime };
  }

  it("a multiplication leaves no digit of its scalar behind", () => {
    const base = lifted(1n);
    const scalar = plainScalar(0xdeadbeefn, p256.order, 4, 256);
    const table = new MultiplesTable(points, base, 4, 64, 64);
    finish(new Multiplication(points, table, scalar, field.element(1n)));
    expect(scalar.digits).toEqual(new Uint8Array(64));
  });

  it("equal points with different Z, opposite points, and infinity on either side", () => {
    const [p, q, sum, double] = [lifted(5n), lifted(7n), points.infinity(), points.infinity()];
    points.double(double, p);
    points.add(sum, p, q);
    expect(affine(sum)).toEqual(affine(double));
    points.addAffine(sum, p, g);
    expect(affine(sum)).toEqual(affine(double));
    field.negateWhen(q.y, q.y, 1);
    points.add(sum, p, q);
    expect(affine(sum)).toBe("infinity");
    points.double(sum, sum);
    expect(affine(sum)).toBe("infinity");
    points.add(double, sum, p);
    expect(affine(double)).toEqual(affine(p));
    points.add(double, p, sum);
    expect(affine(double)).toEqual(affine(p));
    points.addAffine(double, sum, g);
    expect(affine(double)).toEqual(affine(p));
    points.add(double, sum, sum);
    expect(affine(double)).toBe("infinity");
    points.addAffine(sum, p, { x: g.x, y: field.element(-p256.y) });
    expect(affine(sum)).toBe("infinity");
  });

  it("the addition without cases: as the other where points differ, and Z = 0 where they are equal or opposite", () => {
    const [p, twice, sum, expected] = [lifted(5n), points.infinity(), points.infinity(), points.infinity()];
    points.double(twice, p);
    points.addDistinct(sum, twice, g);
    points.addAffine(expected, twice, g);
    expect(affine(sum)).toEqual(affine(expected));
    points.addDistinct(sum, p, g);
    expect(affine(sum)).toBe("infinity");
    points.addDistinct(sum, p, { x: g.x, y: field.element(-p256.y) });
    expect(affine(sum)).toBe("infinity");
  });

  it("outputs may be inputs", () => {
    const [a, b, c] = [lifted(5n), points.infinity(), points.infinity()];
    points.double(b, a);
    points.add(c, b, a);
    const expected = affine(c);
    points.add(b, b, a);
    expect(affine(b)).toEqual(expected);
    points.double(c, a);
    points.add(a, c, a);
    expect(affine(a)).toEqual(expected);
    points.addAffine(c, c, g);
    expect(affine(c)).toEqual(expected);
  });

  it("odd multiples, with one inversion for all", () => {
    for (const count of [2, 8, 9]) {
      const multiples = finish(new ToAffine(points, finish(new OddMultiples(points, lifted(3n), count))));
      const sum = lifted(1n);
      const twice = lifted(1n);
      points.double(twice, twice);
      expect(multiples).toHaveLength(count);
      for (const multiple of multiples as readonly Affine<E>[]) {
        expect({ x: field.integer(multiple.x), y: field.integer(multiple.y) }).toEqual(affine(sum));
        points.add(sum, sum, twice);
      }
    }
  });
}

describe("regularity", () => {
  /** The field, which writes down what it is told to do. */
  function traced(trace: string[]): (field: object) => object {
    return (field) =>
      new Proxy(field, {
        get(target, name) {
          const member = Reflect.get(target, name);
          if (typeof member !== "function") return member;
          return (...args: unknown[]) => {
            trace.push(String(name));
            return member.apply(target, args);
          };
        },
      });
  }

  it.each([...everyCurve, ...smallCurves])(
    "$title: every secret scalar takes the same sequence of operations",
    (row) => {
      const { parameters, create } = row;
      const trace: string[] = [];
      const curve = create(traced(trace));
      finish(curve.multiplyGenerator(5n, random)); // builds the table
      const { order } = parameters;
      const scalars = [0x10001n, 0xffffffffn, 1n << 200n, order >> 1n, order - 0x10001n, order / 3n];
      // Where scalars are not blinded, those of special cases too.
      if (parameters === p256 && row.title.includes("limbs"))
        for (let i = 1n; i < 35n; i++)
          scalars.push(i, order - i, (order >> 1n) + i, (order >> 1n) - i, (1n << 224n) * i);
      const point = finish(curve.multiplyGenerator(77n, random));
      for (const multiply of [
        (scalar: bigint) => curve.multiplyGenerator(scalar, random, "kept"),
        (scalar: bigint) => curve.multiplyGenerator(scalar, random, "ephemeral"),
        (scalar: bigint) => curve.multiply(scalar, point, random),
      ]) {
        const sequences = new Set<string>();
        for (const scalar of scalars) {
          trace.length = 0;
          finish(multiply(scalar));
          sequences.add(trace.join());
        }
        expect(trace.length).toBeGreaterThan(300);
        expect(sequences.size).toBe(1);
      }
    },
  );

  it("RFC 7748 §5 X25519: every scalar takes the same sequence of field operations", () => {
    const trace: string[] = [];
    const shape = Object.getPrototypeOf(bigintArithmetic(p256.prime, p256.bits)) as Record<string, unknown>;
    const names = Object.getOwnPropertyNames(shape).filter((name) => name !== "constructor");
    const originals = names.map((name) => shape[name] as (...args: unknown[]) => unknown);
    names.forEach((name, i) => {
      shape[name] = function (...args: unknown[]) {
        trace.push(name);
        return originals[i]!.apply(this, args);
      };
    });
    const sequences = new Set<string>();
    try {
      for (const [first, last] of [
        [0, 0],
        [0xff, 0xff],
        [8, 0x40],
        [0x55, 0xaa],
      ] as const) {
        const scalar = new Uint8Array(32).fill(first, 0, 16).fill(last, 16);
        const exchange = finish(createCrypto().keyExchange("x25519", labelled("ecdhe", scalar)));
        trace.length = 0;
        expect(finish(exchange.shared(exchange.publicKey))).toHaveLength(32);
        sequences.add(trace.join());
      }
    } finally {
      names.forEach((name, i) => void (shape[name] = originals[i]));
    }
    expect(trace.length).toBeGreaterThan(255 * 18);
    expect(sequences.size).toBe(1);
  });

  /** Draws the same bytes each time, but for draws of a length that `varies` names, which come from Node. */
  function partly(varies: (length: number) => boolean): Random {
    return { fill: (bytes, purpose) => (varies(bytes.length) ? random.fill(bytes, purpose) : void bytes.fill(7)) };
  }

  it.each(curves)("$name: the digits of a scalar are blinded, and so are the coordinates", (parameters) => {
    const digits: unknown[] = [];
    const values: bigint[] = [];
    const curve = createCurve(parameters, (modulus, bits) => {
      const field = bigintArithmetic(modulus, bits);
      return new Proxy(field, {
        get(target, name) {
          const member = Reflect.get(target, name);
          if (typeof member !== "function") return member;
          return (...args: unknown[]) => {
            if (name === "select") digits.push(args[2]);
            if (name === "multiply") values.push((args[1] as BigIntCell).value);
            return member.apply(target, args);
          };
        },
      });
    });
    finish(curve.multiplyGenerator(5n, random)); // builds the table
    const point = finish(curve.multiplyGenerator(77n, random));
    const { blindingBytes } = parameters;
    for (const [multiply, isKept] of [
      [(source: Random) => curve.multiplyGenerator(0x1234567n, source, "kept"), true],
      [(source: Random) => curve.multiplyGenerator(0x1234567n, source, "ephemeral"), false],
      [(source: Random) => curve.multiply(0x1234567n, point, source), false],
    ] as const) {
      const runOf = (source: Random) => {
        digits.length = 0;
        values.length = 0;
        finish(multiply(source));
        return { digits: digits.join(), values: values.join() };
      };
      const fixed = () => partly(() => false);
      expect(runOf(fixed())).toEqual(runOf(fixed()));
      const scalars = () => partly((length) => length === blindingBytes);
      const drawn = new Set([runOf(scalars()).digits, runOf(scalars()).digits]);
      expect(drawn.size).toBe(isKept ? 2 : 1);
      const coordinates = () => partly((length) => length !== blindingBytes);
      const [one, other] = [runOf(coordinates()), runOf(coordinates())];
      expect(one.digits).toBe(other.digits);
      expect(one.values).not.toBe(other.values);
    }
  });
});

describe("ECDHE", () => {
  const crypto = createCrypto();

  it("RFC 8422 §5.11 an invalid point of the peer gives no secret", () => {
    const exchange = finish(crypto.keyExchange("secp256r1", random));
    expect(exchange.publicKey).toHaveLength(65);
    const bad = exchange.publicKey.slice();
    bad[64]! ^= 1;
    expect(finish(exchange.shared(bad))).toBeUndefined();
    expect(finish(exchange.shared(new Uint8Array(0)))).toBeUndefined();
    expect(finish(exchange.shared(exchange.publicKey))).toHaveLength(32);
  });

  it("a wiped key exchange is over", () => {
    const exchange = finish(crypto.keyExchange("secp384r1", random));
    exchange.wipe();
    expect(() => exchange.shared(exchange.publicKey)).toThrow("wiped");
  });

  it("the key comes from what is labelled ecdhe, whatever the blinding", () => {
    const source = labelled("ecdhe", new Uint8Array(40).fill(0x5a));
    const first = finish(crypto.keyExchange("secp256r1", source));
    const second = finish(crypto.keyExchange("secp256r1", source));
    expect(first.publicKey).toEqual(second.publicKey);
  });
});

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let bits = exponent, square = base; bits > 0n; bits >>= 1n, square = (square * square) % modulus)
    if (bits & 1n) result = (result * square) % modulus;
  return result;
}
