/**
 * The protection of records by itself: nonces, limits, and what a CBC suite makes of records that are wrong in any way.
 */
import { createCipheriv, createHmac, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { concat, NO_BYTES, toHex } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { ExplicitNonceProtection, XorNonceProtection } from "../../../src/tls/aead-protection.ts";
import { CbcProtection } from "../../../src/tls/cbc-protection.ts";
import { aes128Cbc, aes256Cbc } from "../../../src/tls/crypto/cbc-cipher.ts";
import type { HashAlgorithm, RunningHash } from "../../../src/tls/crypto/hash.ts";
import { composeCrypto, createCrypto } from "../../../src/tls/crypto/index.ts";
import { sha1 } from "../../../src/tls/crypto/sha1.ts";
import { sha256 } from "../../../src/tls/crypto/sha256.ts";
import { sha384 } from "../../../src/tls/crypto/sha512.ts";
import { presets } from "../../../src/tls/presets.ts";
import { ContentType, RecordCounter, type RecordProtection } from "../../../src/tls/record.ts";
import type { CbcSuite, CipherSuite } from "../../../src/tls/suites.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { systemRandom } from "./client.ts";
import { nullCrypto } from "./null-crypto.ts";
import { sealed } from "./scripted-server.ts";

const { application_data } = ContentType;
const HEADER = 5;
const IV = 16;

const own = createCrypto();
const secret = (length: number) => new Uint8Array(randomBytes(length));
const keysOf = (suite: CipherSuite) => ({
  macKey: secret(suite.macKeyBytes),
  key: secret(suite.keyBytes),
  fixedIv: secret(suite.fixedIvBytes),
});
const exhausted = expect.objectContaining({ code: "TLS_SEQUENCE_EXHAUSTED" });

describe("nonces", () => {
  it("RFC 7905 §2 ChaCha20-Poly1305: the vector with the sequence number added to its end, and nothing of it sent", () => {
    const key = secret(32);
    const fixedIv = Uint8Array.from([0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xf0]);
    const context = { crypto: own, random: systemRandom, encryptThenMac: false };
    for (const sequence of [0, 1, 0x0102, 2 ** 48 - 1]) {
      const protection = new XorNonceProtection(
        "chacha20-poly1305",
        { macKey: NO_BYTES, key, fixedIv },
        context,
        sequence,
      );
      const record = sealed(protection, application_data, Uint8Array.of(1, 2, 3));
      const number = Buffer.alloc(12);
      number.writeUIntBE(sequence, 6, 6);
      const nonce = fixedIv.map((byte, i) => byte ^ number[i]!);
      const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
      // RFC 5246 §6.2.3.3: sequence number, type, version, length of the text.
      cipher.setAAD(Buffer.concat([number.subarray(4), Uint8Array.of(23, 3, 3, 0, 3)]), { plaintextLength: 3 });
      const expected = Buffer.concat([cipher.update(Uint8Array.of(1, 2, 3)), cipher.final(), cipher.getAuthTag()]);
      expect(toHex(record)).toBe(`1703030013${expected.toString("hex")}`);
    }
  });

  it("RFC 5246 §6.3 a protection has copies of its keys: the key block is wiped once they are cut out of it", () => {
    for (const suite of presets.full({ arithmetic: "limbs" }))
      for (const encryptThenMac of [false, true]) {
        const context = () => ({ crypto: own, random: seededRandom(1), encryptThenMac });
        const keys = keysOf(suite);
        const kept = { macKey: keys.macKey.slice(), key: keys.key.slice(), fixedIv: keys.fixedIv.slice() };
        const protection = suite.protect(keys, context());
        for (const part of Object.values(keys)) part.fill(0);
        const text = Uint8Array.of(1, 2, 3);
        const right = sealed(suite.protect(kept, context()), application_data, text);
        expect(toHex(sealed(protection, application_data, text))).toBe(toHex(right));
      }
  });

  it("RFC 5246 §6.2.3.2 CBC: a fresh vector from Random for each record, with its label", () => {
    const labels: string[] = [];
    const random = {
      fill: (bytes: Uint8Array, purpose: string) => {
        labels.push(purpose);
        bytes.fill(labels.length);
      },
    };
    const suite = presets.full().find(({ kind }) => kind === "cbc") as CbcSuite;
    const protection = suite.protect(keysOf(suite), { crypto: own, random, encryptThenMac: true });
    const vectors = [1, 2].map(() => sealed(protection, application_data, NO_BYTES).subarray(HEADER, HEADER + IV));
    expect(vectors.map((vector) => new Set(vector))).toEqual([new Set([1]), new Set([2])]);
    expect(labels).toEqual(["cbc_iv", "cbc_iv"]);
  });
});

describe("RFC 9325 §4.4 a key protects no more than it may", () => {
  const crypto = nullCrypto();
  const context = { crypto, random: systemRandom, encryptThenMac: false };
  const gcmKeys = { macKey: NO_BYTES, key: secret(16), fixedIv: secret(4) };
  const cbcKeys = { macKey: secret(20), key: secret(16), fixedIv: NO_BYTES };
  const record = new Uint8Array(HEADER + 16_384 + 2048);
  /** A text that is far longer than any: 2^30 bytes, which the null provider does not look at. */
  const HUGE = 2 ** 30;

  /** How many bytes a protection seals or opens in pieces of 1 GiB before it refuses. */
  function bytesOf(pass: (length: number) => unknown): number {
    for (let bytes = 0; ; bytes += HUGE)
      try {
        pass(HUGE);
      } catch (error) {
        expect(error).toEqual(exhausted);
        return bytes;
      }
  }

  it("each record counts its blocks, rounded up, and those beside its text; only an alert leaves a used-up key", () => {
    const counter = new RecordCounter(10, 1, 0);
    for (const length of [33, 16, 48]) counter.next(application_data, length);
    expect(() => counter.next(application_data, 0)).toThrow(exhausted);
    expect(() => counter.next(ContentType.handshake, 0)).toThrow(exhausted);
    expect(() => counter.next(ContentType.alert, 2)).not.toThrow();
    counter.stop();
    expect(() => counter.next(ContentType.alert, 2)).toThrow(exhausted);
  });

  it("RFC 5246 §6.2.3.3 the sequence number, type, version and length of a record stand beside its text", () => {
    const counter = new RecordCounter(Number.POSITIVE_INFINITY, 0, 0x0102_0304_05ff);
    counter.next(application_data, 0x1234);
    expect(toHex(counter.bytes)).toBe("00000102030405ff1703031234");
    counter.next(ContentType.alert, 2);
    expect(toHex(counter.bytes)).toBe("00000102030406001503030002");
  });

  it("AES-GCM: 2^24.5 records of full size, counted in blocks, in each direction", () => {
    const most = 16 * 2 ** 34.5;
    const sealing = new ExplicitNonceProtection("aes-128-gcm", gcmKeys, context);
    const opening = new ExplicitNonceProtection("aes-128-gcm", gcmKeys, context);
    for (const bytes of [
      bytesOf((length) => sealing.seal(record, 0, length)),
      bytesOf((length) => opening.open(record, 0, length + 24)),
    ]) {
      expect(bytes).toBeLessThanOrEqual(most);
      expect(bytes).toBeGreaterThan(most - 2 * HUGE);
    }
    // The alert that says so still leaves.
    record[0] = ContentType.alert;
    expect(() => sealing.seal(record, 0, 2)).not.toThrow();
    record[0] = application_data;
    expect(() => sealing.seal(record, 0, 2)).toThrow(exhausted);
    // 2^24.5 records of 16,384 bytes are within it.
    expect(2 ** 24.5 * 16_384).toBeCloseTo(most);
  });

  it("AES-CBC: as many blocks, with those of MAC and padding", () => {
    const most = 16 * 2 ** 34.5;
    const big = new Uint8Array(HEADER + 16 + 64);
    const opening = new CbcProtection("aes-128-cbc", "sha1", cbcKeys, context);
    // The null provider reads the padding where the text ends, which is far behind the buffer.
    const bytes = bytesOf((length) => opening.open(big, 0, length));
    expect(bytes).toBeLessThanOrEqual(most);
    expect(bytes).toBeGreaterThan(most - 2 * HUGE);
  });

  it("ChaCha20-Poly1305: no bound of blocks (RFC 8446 §5.5), but the sequence number never wraps", () => {
    const keys = { macKey: NO_BYTES, key: secret(32), fixedIv: secret(12) };
    const chacha = (sequence: number) => new XorNonceProtection("chacha20-poly1305", keys, context, sequence);
    const sealing = chacha(0);
    for (let i = 0; i < 1000; i++) sealing.seal(record, 0, HUGE);
    expect(() => chacha(2 ** 48 - 1).seal(record, 0, 1)).not.toThrow();
    expect(() => chacha(2 ** 48).seal(record, 0, 1)).toThrow(exhausted);
    expect(() => chacha(2 ** 48).open(record, 0, 17)).toThrow(exhausted);
    expect(() => new CbcProtection("aes-128-cbc", "sha1", cbcKeys, context, 2 ** 48).seal(record, 0, 1)).toThrow(
      exhausted,
    );
  });

  it("a wiped key of any suite seals and opens nothing", () => {
    for (const suite of presets.full())
      for (const encryptThenMac of [false, true]) {
        const wiped = suite.protect(keysOf(suite), { crypto: own, random: systemRandom, encryptThenMac });
        wiped.wipe();
        expect(() => wiped.seal(new Uint8Array(200), 0, 3)).toThrow(exhausted);
        expect(() => wiped.open(new Uint8Array(200), 0, 160)).toThrow(exhausted);
      }
  });
});

describe("lengths", () => {
  it("RFC 5246 §6.2.3 what a record will have is known before it is sealed, and never less for a longer text", () => {
    for (const suite of presets.full())
      for (const encryptThenMac of [false, true]) {
        const context = { crypto: own, random: systemRandom, encryptThenMac };
        const keys = keysOf(suite);
        const sealing = suite.protect(keys, context);
        const opening = suite.protect(keys, context);
        expect(sealing.leastBytes).toBe(sealing.protectedBytes(0));
        for (let length = 0; length < 34; length++) {
          expect(sealing.protectedBytes(length + 1)).toBeGreaterThanOrEqual(sealing.protectedBytes(length));
          const text = new Uint8Array(length).fill(length);
          const record = sealed(sealing, application_data, text);
          expect(finish(opening.open(record, 0, record.length - HEADER))).toBe(length);
          expect(record.subarray(HEADER + opening.prefixBytes).subarray(0, length)).toEqual(text);
        }
      }
  });
});

/** Blocks of hashes that were compressed. */
interface Counts {
  blocks: number;
}

function counted(algorithm: HashAlgorithm, counts: Counts): HashAlgorithm {
  const counting = (hash: RunningHash): RunningHash => {
    const { compress } = hash;
    hash.compress = function (words, at) {
      counts.blocks++;
      compress.call(this, words, at);
    };
    return hash;
  };
  return { ...algorithm, create: () => counting(algorithm.create()) };
}

const cbcSuites = presets
  .full()
  .filter((suite): suite is CbcSuite => suite.kind === "cbc" && suite.authentication === "rsa");

describe.each(cbcSuites)("RFC 7457 §2.4 $name, MAC then encrypt: no oracle", (suite) => {
  const counts: Counts = { blocks: 0 };
  const crypto = composeCrypto({
    hashes: [sha1, sha256, sha384].map((algorithm) => counted(algorithm, counts)),
    aeads: [],
    cbcs: [aes128Cbc, aes256Cbc],
    groups: [],
    signatures: [],
  });
  const keys = keysOf(suite);
  const macBytes = suite.macKeyBytes;
  const opener = (): RecordProtection => suite.protect(keys, { crypto, random: systemRandom, encryptThenMac: false });

  /** What a record of `text` has under the cipher, for sequence number 0: text, MAC, padding. */
  function inside(text: Uint8Array, padding: number): Uint8Array {
    const header = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 23, 3, 3, text.length >> 8, text.length & 255);
    const mac = createHmac(suite.mac, keys.macKey).update(header).update(text).digest();
    return concat([text, mac, new Uint8Array(padding + 1).fill(padding)]);
  }

  /** A record with any bytes under the cipher, as someone who knows the key could send it. */
  function encrypted(bytes: Uint8Array): Uint8Array {
    const iv = randomBytes(IV);
    const name = suite.cipher === "aes-128-cbc" ? "aes-128-cbc" : "aes-256-cbc";
    const body = createCipheriv(name, keys.key, iv).setAutoPadding(false).update(bytes);
    const length = IV + body.length;
    return concat([Uint8Array.of(23, 3, 3, length >> 8, length & 255), iv, body]);
  }

  /** What comes out, and what it cost: units of work, and blocks hashed. */
  function cost(record: Uint8Array) {
    const protection = opener();
    const before = counts.blocks;
    const task = protection.open(record, 0, record.length - HEADER);
    const result = finish(task);
    return { result, cost: `${task.spent} units, ${counts.blocks - before} blocks` };
  }

  const least = (length: number) => 15 - ((length + macBytes) % 16);

  it("every length of padding from 0 to 255 opens", () => {
    for (let padding = 0; padding < 256; padding++) {
      const length = 300 + ((((least(300) - padding) % 16) + 16) % 16);
      const record = encrypted(inside(new Uint8Array(length).fill(9), padding));
      expect(cost(record).result).toBe(length);
    }
  });

  it("records of one length cost the same to open: whatever the padding, right or wrong, wherever the MAC is wrong", () => {
    for (const bytes of [IV * Math.ceil((macBytes + 1) / IV), 160, 400]) {
      const costs = new Set<string>();
      const paddings = Array.from({ length: 256 }, (_, i) => i).filter(
        (padding) =>
          bytes - macBytes - 1 - padding >= 0 && (bytes - macBytes - 1 - padding + macBytes + padding + 1) % 16 === 0,
      );
      for (const padding of paddings) {
        const length = bytes - macBytes - 1 - padding;
        const good = inside(new Uint8Array(length).fill(padding), padding);
        const right = cost(encrypted(good));
        expect(right.result).toBe(length);
        costs.add(right.cost);
        // Its last byte says another length; the first byte of padding, of the MAC and of the text are wrong.
        for (const at of [good.length - 1, good.length - 1 - padding, length, length + macBytes - 1, 0]) {
          const bad = good.slice();
          bad[at]! ^= 1 + (padding & 0x7f);
          const wrong = cost(encrypted(bad));
          expect(wrong.result).toBeUndefined();
          costs.add(wrong.cost);
        }
      }
      // RFC 5246 §6.2.3.2: garbage, whose last byte may say anything (Vaudenay's attack asks so).
      for (let last = 0; last < 256; last += bytes < 100 ? 1 : 15) {
        const garbage = secret(bytes);
        garbage[bytes - 1] = last;
        const wrong = cost(encrypted(garbage));
        expect(wrong.result).toBeUndefined();
        costs.add(wrong.cost);
      }
      expect(costs.size, `${bytes} bytes: ${[...costs].join("; ")}`).toBe(1);
    }
  });

  it("a padding that claims more bytes than there are is refused, whatever the claim", () => {
    const bytes = IV * Math.ceil((macBytes + 1) / IV);
    for (let padding = 0; padding < 256; padding++) {
      const record = encrypted(new Uint8Array(bytes).fill(padding));
      expect(cost(record).result).toBeUndefined();
    }
  });
});

describe.each(cbcSuites)("$name, either order", (suite) => {
  describe.each([true, false])("RFC 7366: %s", (encryptThenMac) => {
    const keys = keysOf(suite);
    const make = () => suite.protect(keys, { crypto: own, random: systemRandom, encryptThenMac });

    it("any bit that differs, in any byte behind the length, opens to nothing", () => {
      for (const length of [0, 1, 31]) {
        const record = sealed(make(), application_data, new Uint8Array(length).fill(5));
        for (let at = 0; at < record.length; at++) {
          if (at > 0 && at < HEADER) continue;
          const altered = record.slice();
          altered[at]! ^= 1 << (at & 7);
          expect(finish(make().open(altered, 0, altered.length - HEADER))).toBeUndefined();
        }
        expect(finish(make().open(record, 0, record.length - HEADER))).toBe(length);
      }
    });

    it("a record that is cut short by any number of bytes, or has more, opens to nothing", () => {
      const whole = sealed(make(), application_data, new Uint8Array(40).fill(5));
      for (let length = make().leastBytes; length < whole.length - HEADER; length++)
        expect(finish(make().open(whole.slice(), 0, length))).toBeUndefined();
      for (let more = 1; more <= 32; more++)
        expect(
          finish(make().open(concat([whole, new Uint8Array(more)]), 0, whole.length - HEADER + more)),
        ).toBeUndefined();
    });

    it("RFC 5246 §6.1 a record in another place of the sequence opens to nothing", () => {
      const sealing = make();
      const records = [1, 2].map((value) => sealed(sealing, application_data, Uint8Array.of(value)));
      expect(finish(make().open(records[1]!, 0, records[1]!.length - HEADER))).toBeUndefined();
    });
  });
});
