/** What the crypto suites share: Node's randomness, keys in our shapes, and tasks run with odd budgets. */

import { type KeyObject, randomFillSync } from "node:crypto";
import type { Random } from "../../../src/ports.ts";
import type { Task } from "../../../src/task.ts";
import type { CurveName, PrivateKey, PublicKey } from "../../../src/tls/crypto/provider.ts";

export const random: Random = { fill: (bytes) => void randomFillSync(bytes) };

/** Fills what is labelled `purpose` with the given bytes, and the rest from Node. */
export function labelled(purpose: string, bytes: Uint8Array): Random {
  return {
    fill: (out, label) => {
      if (label !== purpose) randomFillSync(out);
      else if (out.length === bytes.length) out.set(bytes);
      else throw new RangeError(`${out.length} bytes drawn for ${label}`);
    },
  };
}

/** A source whose bytes depend on purpose and on how often it was asked for that purpose only. */
export function replayed(): Random {
  const counts = new Map<string, number>();
  return {
    fill: (out, label) => {
      const count = counts.get(label) ?? 0;
      counts.set(label, count + 1);
      let state = count + 1;
      for (const character of label) state = (Math.imul(state, 31) + character.charCodeAt(0)) | 0;
      for (let i = 0; i < out.length; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        out[i] = state >>> 24;
      }
    },
  };
}

export const nodeCurves = { secp256r1: "prime256v1", secp384r1: "secp384r1", secp521r1: "secp521r1" } as const;
export const jwkCurves = { secp256r1: "P-256", secp384r1: "P-384", secp521r1: "P-521" } as const;

const bytesOf = (text: string | undefined) => new Uint8Array(Buffer.from(text!, "base64url"));
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");

/** One of Node's RSA keys in our shape. */
export function rsaKey(key: KeyObject): Extract<PrivateKey, { type: "rsa" }> {
  const jwk = key.export({ format: "jwk" });
  return {
    type: "rsa",
    modulus: bytesOf(jwk.n),
    publicExponent: bytesOf(jwk.e),
    privateExponent: bytesOf(jwk.d),
    prime1: bytesOf(jwk.p),
    prime2: bytesOf(jwk.q),
    exponent1: bytesOf(jwk.dp),
    exponent2: bytesOf(jwk.dq),
    coefficient: bytesOf(jwk.qi),
  };
}

export function rsaPublic(key: Extract<PrivateKey, { type: "rsa" }>): PublicKey {
  return { type: "rsa", modulus: key.modulus, exponent: key.publicExponent };
}

/** A key of ours as Node takes it. */
export function ecJwk(curve: CurveName, point: Uint8Array, scalar?: Uint8Array) {
  const bytes = (point.length - 1) / 2;
  const x = textOf(point.subarray(1, 1 + bytes));
  const y = textOf(point.subarray(1 + bytes));
  return { kty: "EC", crv: jwkCurves[curve], x, y, ...(scalar === undefined ? {} : { d: textOf(scalar) }) };
}

/** Runs a task with the budgets that `next` gives, and checks that it says what it spends. */
export function finishWith<T>(task: Task<T>, next: () => number): T {
  let before = task.spent;
  for (;;) {
    const done = task.step(next());
    if (task.spent < before) throw new Error("spent went back");
    before = task.spent;
    if (done) return task.result;
  }
}
