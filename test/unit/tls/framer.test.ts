import { describe, expect, it } from "vitest";
import { concat, NO_BYTES } from "../../../src/bytes.ts";
import { done, finish } from "../../../src/task.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { Framer } from "../../../src/tls/framer.ts";
import { ContentType, HEADER_BYTES } from "../../../src/tls/record.ts";
import {
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 as suite,
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
} from "../../../src/tls/suites.ts";
import { systemRandom } from "./client.ts";

const crypto = createCrypto();
const key = new Uint8Array(16).fill(1);
const iv = new Uint8Array(4).fill(2);
const protection = () =>
  suite.protect({ macKey: NO_BYTES, key, fixedIv: iv }, { crypto, random: systemRandom, encryptThenMac: false });

function drain(framer: Framer, out: Uint8Array[]): void {
  while (framer.isBusy) framer.step(1);
  for (let view = framer.take(); view !== undefined; view = framer.take()) out.push(view.slice());
}

/** Types of the records, each of which must open under the key where it is behind `clear` bytes. */
function typesOf(bytes: Uint8Array, clear: number): number[] {
  const peer = protection();
  const types: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = (bytes[at + 3]! << 8) | bytes[at + 4]!;
    if (at >= clear) expect(finish(peer.open(bytes, at, length))).toBeDefined();
    types.push(bytes[at]!);
    at += HEADER_BYTES + length;
  }
  return types;
}

describe("the framer", () => {
  it.each(["alert", "handshake"] as const)("RFC 5246 §6.2.1 makes one empty record of an empty %s", (type) => {
    const framer = new Framer();
    framer.add(ContentType[type], NO_BYTES);
    framer.step(100);
    expect(framer.take()).toEqual(Uint8Array.of(ContentType[type], 3, 3, 0, 0));
  });

  it("an alert that is added while a record is being sealed moves no byte of it, however full the buffer is", () => {
    for (let before = 300; before < 600; before++) {
      const framer = new Framer();
      const out: Uint8Array[] = [];
      framer.add(ContentType.handshake, new Uint8Array(before));
      framer.step(1);
      framer.protection = protection();
      framer.add(ContentType.handshake, new Uint8Array(100));
      framer.step(1);
      expect(framer.isBusy).toBe(true);
      framer.add(ContentType.alert, Uint8Array.of(1, 0));
      drain(framer, out);
      const { handshake, alert } = ContentType;
      expect(typesOf(concat(out), HEADER_BYTES + before)).toEqual([handshake, handshake, alert]);
    }
  });

  it("seals for as many units as it is given, and no record more", () => {
    const framer = new Framer();
    framer.protection = {
      ...protection(),
      prefixBytes: 0,
      protectedBytes: (length) => length,
      seal: () => done(undefined),
    };
    for (let i = 0; i < 5; i++) framer.add(ContentType.handshake, Uint8Array.of(i));
    // A record costs one unit at least.
    expect(framer.step(1)).toBe(1);
    expect(framer.take()).toHaveLength(HEADER_BYTES + 1);
    expect(framer.step(3)).toBe(3);
    expect(framer.take()).toHaveLength(3 * (HEADER_BYTES + 1));
    expect(framer.isBusy).toBe(true);
    expect(framer.step(100)).toBe(1);
    expect([framer.isBusy, framer.records, framer.bytes]).toEqual([false, 5, 5 * (HEADER_BYTES + 1)]);
  });

  it("what was reserved is void once something else was added", () => {
    const framer = new Framer();
    framer.protection = protection();
    expect(framer.reserve(10)).toHaveLength(10);
    framer.add(ContentType.alert, Uint8Array.of(1, 100));
    expect(framer.commit(10)).toBe(false);
    expect(framer.reserve(10)).toHaveLength(10);
    expect(framer.commit(11)).toBe(false);
    expect(framer.commit(10)).toBe(true);
    expect(framer.commit(1)).toBe(false);
  });

  it("the room that is told while a record is being sealed is there, without another buffer, at any length of padding", () => {
    const keys = { macKey: new Uint8Array(20), key, fixedIv: NO_BYTES };
    const context = { crypto, random: systemRandom, encryptThenMac: false };
    for (let first = 8000; first < 8034; first++) {
      const framer = new Framer();
      const peer = TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA.protect(keys, context);
      const out: Uint8Array[] = [];
      // In the clear, so that the buffer has any length.
      framer.add(ContentType.handshake, new Uint8Array(first));
      while (framer.isBusy) framer.step(1000);
      expect(framer.take()).toHaveLength(HEADER_BYTES + first);
      framer.protection = TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA.protect(keys, context);
      framer.add(ContentType.handshake, new Uint8Array(10));
      framer.step(1);
      const { room, capacity } = framer;
      expect(room).toBeGreaterThan(6000);
      expect(framer.reserve(room)).toHaveLength(room);
      expect(framer.commit(room)).toBe(true);
      framer.add(ContentType.alert, Uint8Array.of(1, 0));
      expect(framer.capacity).toBe(capacity);
      drain(framer, out);
      const bytes = concat(out);
      const lengths: (number | undefined)[] = [];
      for (let at = 0; at < bytes.length; ) {
        const length = (bytes[at + 3]! << 8) | bytes[at + 4]!;
        lengths.push(finish(peer.open(bytes, at, length)));
        at += HEADER_BYTES + length;
      }
      expect(lengths).toEqual([10, room, 2]);
    }
  });

  it("room for less than 1024 bytes behind other records is not told", () => {
    const roomBehind = (bytes: number): number => {
      const framer = new Framer();
      framer.add(ContentType.handshake, new Uint8Array(bytes - HEADER_BYTES));
      framer.protection = protection();
      return framer.room;
    };
    expect(roomBehind(16_384 - 1024)).toBe(1024);
    expect(roomBehind(16_384 - 1023)).toBe(0);
  });

  it("a wiped key seals and opens nothing", () => {
    const wiped = protection();
    wiped.wipe();
    const record = new Uint8Array(40);
    const exhausted = expect.objectContaining({ code: "TLS_SEQUENCE_EXHAUSTED" });
    expect(() => wiped.seal(record, 0, 3)).toThrow(exhausted);
    expect(() => wiped.open(record, 0, 30)).toThrow(exhausted);
  });
});
