import { createHash, createHmac } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { fromHex, toHex, utf8Encode } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { Hmac } from "../../../src/tls/crypto/hmac.ts";
import {
  createCrypto,
  type HashAlgorithm,
  sha1,
  sha256,
  sha256Auto,
  sha384,
  sha512,
} from "../../../src/tls/crypto/index.ts";
import { PrfTask } from "../../../src/tls/crypto/prf.ts";
import { Sha256 } from "../../../src/tls/crypto/sha256.ts";

const crypto = createCrypto();

function digestOf(algorithm: HashAlgorithm, message: Uint8Array): string {
  const hash = algorithm.create();
  hash.update(message);
  return toHex(hash.digest());
}

describe("SHA-2", () => {
  const twoBlocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

  it("FIPS 180-4 SHA-256: NIST's example messages", () => {
    expect(digestOf(sha256, utf8Encode("abc"))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    expect(digestOf(sha256, utf8Encode(twoBlocks))).toBe(
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    );
    expect(digestOf(sha256, new Uint8Array(1_000_000).fill(0x61))).toBe(
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    );
  });

  it("FIPS 180-4 SHA-384 and SHA-512: NIST's example messages", () => {
    expect(digestOf(sha384, utf8Encode("abc"))).toBe(
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    );
    expect(digestOf(sha512, utf8Encode("abc"))).toBe(
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    );
  });

  it.each([sha256, sha384, sha512])(
    "FIPS 180-4 §5.1 $name: every length up to three blocks, as node:crypto",
    (algorithm) => {
      for (let length = 0; length <= 3 * algorithm.blockBytes + 1; length++) {
        const message = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
        expect(digestOf(algorithm, message)).toBe(createHash(algorithm.name).update(message).digest("hex"));
      }
    },
  );

  it.each([sha256, sha384, sha512])(
    "$name: a digest does not end the hash, and a clone goes its own way",
    (algorithm) => {
      const hash = algorithm.create();
      hash.update(utf8Encode("a"));
      const clone = hash.clone();
      expect(toHex(hash.digest())).toBe(digestOf(algorithm, utf8Encode("a")));
      expect(toHex(hash.digest())).toBe(digestOf(algorithm, utf8Encode("a")));
      hash.update(utf8Encode("b"));
      clone.update(utf8Encode("c"));
      expect(toHex(hash.digest())).toBe(digestOf(algorithm, utf8Encode("ab")));
      expect(toHex(clone.digest())).toBe(digestOf(algorithm, utf8Encode("ac")));
    },
  );

  describe("FIPS 180-4 §6.2 SHA-256 in two shapes", () => {
    it("every length up to three blocks in the first shape, as node:crypto", () => {
      const algorithm = sha256Auto.prepare!();
      for (let length = 0; length <= 193; length++) {
        const message = Uint8Array.from({ length }, (_, i) => (i * 91 + length) & 255);
        expect(digestOf(algorithm, message)).toBe(createHash("sha256").update(message).digest("hex"));
      }
    });

    it("all zeros and all ones, and hashes that change their shape on the way, as node:crypto", () => {
      const algorithm = sha256Auto.prepare!();
      const running = algorithm.create();
      const reference = createHash("sha256");
      const chunk = Uint8Array.from({ length: 300_001 }, (_, i) => (i * 73) ^ (i >> 8));
      for (const part of [new Uint8Array(64), new Uint8Array(64).fill(255), ...new Array<Uint8Array>(16).fill(chunk)]) {
        running.update(part);
        reference.update(part);
        expect(toHex(running.digest())).toBe(reference.copy().digest("hex"));
        expect(toHex(running.clone().digest())).toBe(reference.copy().digest("hex"));
      }
    });

    it("the shapes take turns by provider: one's blocks do not count for another", () => {
      const [compress, first, second] = [vi.spyOn(Sha256.prototype, "compress"), createCrypto(), createCrypto()];
      const hash = (provider: typeof first, bytes: number) => {
        compress.mockClear();
        finish(provider.digest("sha256", [new Uint8Array(bytes)]));
        return compress.mock.calls.length;
      };
      expect(hash(first, 4_194_000)).toBe(0);
      expect(hash(first, 4_000)).toBeGreaterThan(0);
      expect(hash(second, 4_000)).toBe(0);
      expect(hash(createCrypto({ arithmetic: "bigint" }), 100)).toBe(2);
      compress.mockRestore();
    });
  });

  it("the digest task hashes the parts joined and costs what hashUnits says, and the padding", () => {
    const parts = [utf8Encode("abc"), new Uint8Array(0), new Uint8Array(1000).fill(7), utf8Encode("d")];
    const task = crypto.digest("sha256", parts);
    expect(toHex(finish(task))).toBe(digestOf(sha256, new Uint8Array(parts.flatMap((part) => [...part]))));
    expect(task.spent).toBe(
      crypto.hashUnits("sha256", 3) * 2 + crypto.hashUnits("sha256", 1000) + sha256.unitsPerBlock,
    );
  });

  it("a part without bytes, and no part at all", () => {
    const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    expect(toHex(finish(crypto.digest("sha256", [])))).toBe(empty);
    expect(toHex(finish(crypto.digest("sha256", [new Uint8Array(0)])))).toBe(empty);
  });

  it("FIPS 180-4 SHA-1: NIST's example messages", () => {
    expect(digestOf(sha1, utf8Encode("abc"))).toBe("a9993e364706816aba3e25717850c26c9cd0d89d");
    expect(digestOf(sha1, utf8Encode(twoBlocks))).toBe("84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  });

  it("wipe leaves nothing of the message in the state, and nothing of a key in an HMAC", () => {
    for (const algorithm of [sha1, sha256, sha384, sha512]) {
      const hash = algorithm.create();
      hash.update(new Uint8Array(300).fill(7));
      hash.wipe();
      expect(hash.state.every((word) => word === 0)).toBe(true);
      const hmac = new Hmac(algorithm, new Uint8Array(20).fill(3));
      const keyed = hmac.words.slice();
      hmac.compute([new Uint8Array(5)]);
      expect(hmac.words).not.toEqual(keyed);
      hmac.wipe();
      expect(hmac.words.every((word) => word === 0)).toBe(true);
      // With the states behind the key gone, a MAC is one of no key.
      hmac.compute([]);
      const other = new Hmac(algorithm, new Uint8Array(20).fill(4));
      other.wipe();
      other.compute([]);
      expect(hmac.words).toEqual(other.words);
    }
  });

  it("a task that is not done has no result", () => {
    expect(() => crypto.digest("sha256", []).result).toThrow("not done");
  });
});

describe("HMAC and PRF", () => {
  it("RFC 2104 §2 keys of every length up to two blocks, as node:crypto: one that fills a block is not hashed", () => {
    for (const name of ["sha1", "sha256", "sha384", "sha512"] as const)
      for (let length = 0; length <= 257; length++) {
        const key = Uint8Array.from({ length }, (_, i) => (i * 59 + length) & 255);
        expect(toHex(crypto.hmac(name, key, [key]))).toBe(createHmac(name, key).update(key).digest("hex"));
      }
  });

  it("RFC 4231 §4.7 HMAC with a key larger than a block", () => {
    const key = new Uint8Array(131).fill(0xaa);
    const message = [utf8Encode("Test Using Larger Than Block-Size Key"), utf8Encode(" - Hash Key First")];
    expect(toHex(crypto.hmac("sha256", key, message))).toBe(
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    );
    expect(toHex(crypto.hmac("sha384", key, message))).toBe(
      "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
    );
  });

  it("the PRF leaves no block of its messages behind", () => {
    const blocks = new Set<Int32Array>();
    const watched: HashAlgorithm = {
      ...sha256,
      create() {
        const hash = sha256.create();
        const { compress } = hash;
        hash.compress = (words, at) => {
          blocks.add(words);
          compress.call(hash, words, at);
        };
        return hash;
      },
    };
    finish(new PrfTask(watched, new Uint8Array(100).fill(5), "label", new Uint8Array(64).fill(6), 100));
    expect(blocks.size).toBeGreaterThan(4);
    for (const block of blocks) expect(block.every((word) => word === 0)).toBe(true);
  });

  // The well-known answer that was published on the TLS working group's list for the PRF with SHA-256.
  it("RFC 5246 §5 PRF with SHA-256: known answer", () => {
    const output = finish(
      crypto.prf(
        "sha256",
        fromHex("9bbe436ba940f017b17652849a71db35"),
        "test label",
        fromHex("a0ba9f936cda311827a6f796ffd5198c"),
        100,
      ),
    );
    expect(toHex(output)).toBe(
      "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66",
    );
  });

  it("RFC 5246 §5 the PRF's output for a length is the start of that for a longer one, and none is none", () => {
    const secret = new Uint8Array(48).fill(3);
    const seed = new Uint8Array(64).fill(9);
    const long = finish(crypto.prf("sha384", secret, "key expansion", seed, 200));
    for (const length of [0, 1, 12, 47, 48, 49, 199])
      expect(finish(crypto.prf("sha384", secret, "key expansion", seed, length))).toEqual(long.subarray(0, length));
  });
});
