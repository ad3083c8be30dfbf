import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { composeCrypto, x25519 } from "../../../src/tls/crypto/index.ts";
import { labelled } from "../../unit/crypto/support.ts";
import { vectorsAvailable } from "../vectors.ts";
import { eachCase, hex } from "./wycheproof.ts";

const crypto = composeCrypto({ hashes: [], aeads: [], groups: [x25519], signatures: [] });

function shared(scalar: Uint8Array, peer: Uint8Array): string | undefined {
  const exchange = finish(crypto.keyExchange("x25519", labelled("ecdhe", scalar)));
  const secret = finish(exchange.shared(peer));
  return secret && toHex(secret);
}

describe("RFC 7748 §5 X25519", () => {
  it("§5.2 the first example", () => {
    const bytes = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
    expect(
      shared(
        bytes("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
        bytes("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
      ),
    ).toBe("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  });

  it.skipIf(!vectorsAvailable())("Wycheproof: shared secrets, and none where they are all zero", () => {
    let none = 0;
    const counts = eachCase("x25519", (test) => {
      const expected = test["shared"] as string;
      const zero = /^0+$/.test(expected);
      if (zero) none++;
      expect(shared(hex(test["private"]), hex(test["public"]))).toBe(zero ? undefined : expected);
    });
    expect(counts).toEqual({ valid: 264, invalid: 0, acceptable: 254 });
    expect(none).toBe(31);
  });
});
