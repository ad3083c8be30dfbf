import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { type Curve, createBigIntCurve, createCurve } from "../../../src/tls/crypto/curve.ts";
import { p256, p384, p521 } from "../../../src/tls/crypto/curve-parameters.ts";
import { toBytes, toInteger } from "../../../src/tls/crypto/integers.ts";
import { smallShapes } from "../../../src/tls/crypto/multiplication.ts";
import { p256LimbArithmetic } from "../../../src/tls/crypto/p256-limbs.ts";
import { random } from "../../unit/crypto/support.ts";
import { vectorsAvailable } from "../vectors.ts";
import { type Case, eachCase, hex } from "./wycheproof.ts";

const deep = process.env["THINGWIRE_DEEP"] === "1";

const p256Row = {
  // What stands before the point in a SubjectPublicKeyInfo that names the curve (RFC 5480 §2).
  prefix: "3059301306072a8648ce3d020106082a8648ce3d030107034200",
  every: 1,
  counts: {
    asn: { valid: 330, invalid: 52, acceptable: 230 },
    point: { valid: 330, invalid: 24, acceptable: 1 },
    computed: 660,
    refused: 307,
    skipped: 0,
  },
};

describe.skipIf(!vectorsAvailable())("Wycheproof: ECDH", () => {
  it.each([
    { ...p256Row, title: "secp256r1 on BigInt", curve: createBigIntCurve(p256) },
    { ...p256Row, title: "secp256r1 on limbs", curve: createCurve(p256, p256LimbArithmetic) },
    { ...p256Row, title: "secp256r1, small tables", curve: createBigIntCurve(p256, smallShapes) },
    {
      title: "secp384r1",
      curve: createBigIntCurve(p384),
      prefix: "3076301006072a8648ce3d020106052b81040022036200",
      every: deep ? 1 : 5,
      counts: {
        asn: { valid: 771, invalid: 46, acceptable: 230 },
        point: { valid: 771, invalid: 18, acceptable: 1 },
        computed: deep ? 1542 : 478,
        refused: 295,
        skipped: deep ? 0 : 1064,
      },
    },
    {
      title: "secp521r1",
      curve: createBigIntCurve(p521),
      prefix: "30819b301006072a8648ce3d020106052b8104002303818600",
      every: deep ? 1 : 5,
      counts: {
        asn: { valid: 632, invalid: 56, acceptable: 228 },
        point: { valid: 632, invalid: 28, acceptable: 1 },
        computed: deep ? 1264 : 416,
        refused: 313,
        skipped: deep ? 0 : 848,
      },
    },
  ])(
    "SP 800-56A §5.7.1.2 $title: shared secrets, and refused points",
    (row) => {
      const name = row.curve.parameters.name;
      const computation = memoised(row.curve);
      const counts = { computed: 0, refused: 0, skipped: 0 };
      let doublings = 0;

      function check(test: Case, point: Uint8Array | undefined): void {
        // The largest group, about doublings in the middle, is thinned out for the slow curves outside of the deep tier.
        if (test.flags.includes("EdgeCaseDoubling") && doublings++ % row.every !== 0) {
          counts.skipped++;
          return;
        }
        const shared = point && computation(toInteger(hex(test["private"])), point);
        if (shared === undefined) {
          counts.refused++;
          expect(test.result).not.toBe("valid");
        } else {
          counts.computed++;
          expect(test.result).not.toBe("invalid");
          expect(toHex(shared)).toBe(test["shared"]);
        }
      }

      const asn = eachCase(`ecdh_${name}`, (test) => {
        const encoded = test["public"] as string;
        check(test, encoded.startsWith(row.prefix) ? hex(encoded.slice(row.prefix.length)) : undefined);
      });
      doublings = 0;
      const point = eachCase(`ecdh_${name}_ecpoint`, (test) => check(test, hex(test["public"])));
      expect({ asn, point, ...counts }).toEqual(row.counts);
    },
    180_000,
  );
});

/** The two files of a curve have the same pairs: each is computed once. */
function memoised(curve: Curve) {
  const known = new Map<string, Uint8Array>();
  return (scalar: bigint, encoded: Uint8Array): Uint8Array | undefined => {
    const point = curve.decodePoint(encoded);
    if (point === undefined) return undefined;
    const key = `${scalar} ${point.x} ${point.y}`;
    let shared = known.get(key);
    if (shared === undefined) {
      shared = toBytes(finish(curve.multiply(scalar, point, random)).x, curve.bytes);
      known.set(key, shared);
    }
    return shared;
  };
}
