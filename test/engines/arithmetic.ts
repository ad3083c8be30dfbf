/**
 * What computes with BigInt, as texts that must be the same on every engine. Engines differ here: `BigInt.asUintN` is wrong in JerryScript and
 * in one QuickJS, so that it stands nowhere in `src/` (`test/arch/imports.test.ts`), and remainders of negative numbers, shifts and
 * conversions are where an implementation of big integers goes wrong first.
 */

import type { CryptoProvider, GroupName, PrivateKey } from "thingwire/tls/crypto";
import { toHex } from "../../src/bytes.ts";
import type { Random } from "../../src/ports.ts";
import { finish } from "../../src/task.ts";

/** Lengths on both sides of the digits of engines: 15, 30, 32 and 64 bits. */
const LENGTHS = [
  1n,
  14n,
  15n,
  16n,
  29n,
  30n,
  31n,
  32n,
  33n,
  47n,
  48n,
  49n,
  63n,
  64n,
  65n,
  127n,
  128n,
  129n,
  521n,
  2048n,
];

/** The operations of the language that the arithmetic stands on, at the edges of digits. */
export function languageOperations(): string {
  const found: string[] = [];
  for (const bits of LENGTHS)
    for (const near of [-1n, 0n, 1n]) {
      const a = (1n << bits) + near;
      const b = (3n << (bits >> 1n)) - near;
      found.push(
        ...[a * b, a / b, -a / b, a % b, -a % b, a % -b, (a * b - a) % a, a - b, -a + b].map(String),
        ...[a >> 5n, (a * a) >> 48n, a << 48n, a & 0xffffffffffffn, (a | (b << 70n)) & 31n].map(String),
        ...[Number(a & 0xffffffffffffn), Number(a & 1n)].map(String),
        ...[a > b, -a < b, a === b, a * b === b * a, a >= b].map(String),
      );
    }
  found.push(String(BigInt(281474976710655)), String(BigInt(-16777216)), String(-0n === 0n));
  return found.join(" ");
}

/** Every operation of a provider that has big integers in it. The random source must be one that can be drawn again. */
export function bigIntOperations(crypto: CryptoProvider, random: Random, rsa: PrivateKey): string[] {
  const digest = finish(crypto.digest("sha256", [Uint8Array.of(1, 2, 3)]));
  const found: string[] = [];
  for (const group of ["secp256r1", "secp384r1", "secp521r1", "x25519"] satisfies GroupName[]) {
    const ours = finish(crypto.keyExchange(group, random));
    const theirs = finish(crypto.keyExchange(group, random));
    const shared = toHex(finish(ours.shared(theirs.publicKey))!);
    if (toHex(finish(theirs.shared(ours.publicKey))!) !== shared) throw new Error(`${group}: two shared secrets`);
    found.push(`${group} ${toHex(ours.publicKey)} ${shared}`);
  }
  for (const curve of ["secp256r1", "secp384r1", "secp521r1"] as const) {
    const key = finish(crypto.generateKey(curve, random));
    const signature = finish(crypto.sign({ kind: "ecdsa", hash: "sha256" }, key, digest, random));
    const publicKey = finish(crypto.publicKey(key, random));
    const right = finish(crypto.verify({ kind: "ecdsa", hash: "sha256" }, publicKey, digest, signature));
    found.push(`${curve} ${toHex(signature)} ${right}`);
  }
  for (const kind of ["rsa-pkcs1", "rsa-pss"] as const) {
    const signature = finish(crypto.sign({ kind, hash: "sha256" }, rsa, digest, random));
    const publicKey = finish(crypto.publicKey(rsa, random));
    const right = finish(crypto.verify({ kind, hash: "sha256" }, publicKey, digest, signature));
    found.push(`${kind} ${toHex(signature)} ${right}`);
  }
  return found;
}

/** Records of AES-GCM, sealed and opened: short ones, and some of several KiB, for which interpreters have a form of their own. */
export function gcmRecords(crypto: CryptoProvider): string[] {
  const found: string[] = [];
  for (const [name, keyBytes] of [
    ["aes-128-gcm", 16],
    ["aes-256-gcm", 32],
  ] as const)
    for (const length of [100, 1024, 3100]) {
      const aead = crypto.aead(name, new Uint8Array(keyBytes).fill(0x9d));
      const [nonce, aad] = [new Uint8Array(12).fill(0xf1), new Uint8Array(13).fill(7)];
      const record = Uint8Array.from({ length: length + 16 }, (_, i) => (i * 37) & 255);
      finish(aead.seal(record, 0, length, nonce, aad));
      const sealed = toHex(record);
      found.push(`${sealed} ${finish(aead.open(record, 0, length, nonce, aad))} ${record[length - 1]}`);
    }
  return found;
}
