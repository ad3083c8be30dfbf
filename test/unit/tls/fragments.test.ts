/**
 * How long records are, in both directions, and what memory they take: fragments of ours, max_fragment_length, the extension of RFC 7366,
 * and buffers.
 */
import { describe, expect, it } from "vitest";
import { concat, equal } from "../../../src/bytes.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { Deframer } from "../../../src/tls/deframer.ts";
import { alterFields } from "../../../src/tls/deviations.ts";
import type { TlsClientOptions, TlsServerOptions } from "../../../src/tls/events.ts";
import { Framer } from "../../../src/tls/framer.ts";
import type { Extension } from "../../../src/tls/messages.ts";
import { presets } from "../../../src/tls/presets.ts";
import { ContentType } from "../../../src/tls/record.ts";
import * as suites from "../../../src/tls/suites.ts";
import { Driver, ecIdentity } from "./client.ts";
import { ScriptedClient } from "./scripted-client.ts";
import { ScriptedServer } from "./scripted-server.ts";
import { Dialog, ServerDriver } from "./server.ts";

const { alert, application_data, handshake } = ContentType;
const gcm = suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
const cbc = suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256;
const GCM_EXPANSION = 24;

/** Type and length of each record. */
function recordsOf(stream: Uint8Array): { type: number; length: number }[] {
  const records: { type: number; length: number }[] = [];
  for (let at = 0; at < stream.length; at += 5 + records.at(-1)!.length)
    records.push({ type: stream[at]!, length: (stream[at + 3]! << 8) | stream[at + 4]! });
  return records;
}

/** A dialog that notes what was on the wire. */
class Watched extends Dialog {
  sent: Uint8Array = new Uint8Array(0);
  received: Uint8Array = new Uint8Array(0);

  override run(): this {
    for (;;) {
      this.client.rest();
      const toServer = concat(this.client.output.splice(0));
      this.sent = concat([this.sent ?? new Uint8Array(0), toServer]);
      this.server.feed(toServer);
      this.server.rest();
      const toClient = concat(this.server.output.splice(0));
      this.received = concat([this.received ?? new Uint8Array(0), toClient]);
      this.client.feed(toClient);
      if (toServer.length === 0 && toClient.length === 0) return this;
    }
  }
}

/** Data of `length` bytes both ways, and the lengths of its records. */
function exchange(dialog: Watched, length: number): { up: number[]; down: number[] } {
  const text = new Uint8Array(length).map((_, i) => i);
  dialog.sent = dialog.received = new Uint8Array(0);
  for (const engine of [dialog.client.client, dialog.server.server])
    for (let at = 0; at < length; ) {
      const taken = engine.write(text.subarray(at));
      expect(taken).toBeGreaterThan(0);
      at += taken;
      dialog.run();
    }
  for (const { data } of [dialog.client, dialog.server]) expect(equal(concat(data.splice(0)), text)).toBe(true);
  const lengths = (stream: Uint8Array) => recordsOf(stream).map((record) => record.length);
  return { up: lengths(dialog.sent), down: lengths(dialog.received) };
}

describe("RFC 5246 §6.2.1 our messages in records of any length", () => {
  it.each([1, 2, 7, 512, 16_384])("of %s bytes at most, with every kind of suite", (maxSendFragment) => {
    for (const suite of presets.full({ arithmetic: "limbs" })) {
      if (suite.authentication === "rsa") continue;
      const dialog = new Watched({ suites: [suite], maxSendFragment }, { suites: [suite], maxSendFragment });
      expect(dialog.client.error ?? dialog.server.error).toBeUndefined();
      expect(dialog.isSecured).toBe(true);
      const clear = recordsOf(dialog.received).filter(({ type }, i, records) => {
        const change = records.findIndex((record) => record.type === ContentType.change_cipher_spec);
        return i < change && type === handshake;
      });
      expect(Math.max(...clear.map(({ length }) => length))).toBeLessThanOrEqual(maxSendFragment);
      const { up, down } = exchange(dialog, 50);
      expect(up).toHaveLength(Math.ceil(50 / maxSendFragment));
      expect(down).toHaveLength(Math.ceil(50 / maxSendFragment));
      // RFC 8446 §5.1 says it, and servers of TLS 1.2 hold to it too: an alert is never cut.
      dialog.sent = new Uint8Array(0);
      dialog.client.client.close();
      dialog.run();
      expect(recordsOf(dialog.sent).map(({ type }) => type)).toEqual([alert]);
      expect(dialog.client.events.at(-1)).toEqual({ type: "closed", cleanly: true });
    }
  });
});

describe("RFC 6066 §4 max_fragment_length", () => {
  it.each([512, 1024, 2048, 4096] as const)("%s: both sides keep to it, and say so", (maxFragmentLength) => {
    const dialog = new Watched({ suites: [gcm] }, { suites: [gcm], maxFragmentLength });
    expect(dialog.client.events).toMatchObject([{ type: "secured", maxFragmentLength }]);
    expect(dialog.server.events).toMatchObject([{ type: "secured", maxFragmentLength }]);
    for (const stream of [dialog.sent, dialog.received])
      for (const { length } of recordsOf(stream)) expect(length).toBeLessThanOrEqual(maxFragmentLength);
    const { up, down } = exchange(dialog, 9000);
    const expected = Array.from({ length: Math.ceil(9000 / maxFragmentLength) }, (_, i) =>
      Math.min(maxFragmentLength, 9000 - i * maxFragmentLength),
    ).map((length) => length + GCM_EXPANSION);
    expect(up).toEqual(expected);
    expect(down).toEqual(expected);
  });

  it("a server that does not know it goes on as before, and gets short records all the same", () => {
    const server = new ScriptedServer();
    const driver = new Driver({ suites: [gcm], maxFragmentLength: 512, identity: ecIdentity });
    const relay = () => {
      for (let out = driver.output.shift(); out !== undefined; out = driver.output.shift())
        driver.feed(server.receive(out));
    };
    relay();
    expect(driver.events).toMatchObject([{ type: "secured", maxFragmentLength: undefined }]);
    driver.feed(server.seal(application_data, new Uint8Array(16_384)));
    expect(driver.data.map(({ length }) => length)).toEqual([16_384]);
    expect(driver.client.room).toBe(512);
    expect(driver.client.write(new Uint8Array(1000))).toBe(512);
    driver.rest();
    expect(recordsOf(driver.output[0]!)).toEqual([{ type: application_data, length: 512 + GCM_EXPANSION }]);
  });
});

/** Client and scripted server, until neither says more. */
function talk(options: Partial<TlsClientOptions> = {}) {
  const server = new ScriptedServer();
  const driver = new Driver({ identity: ecIdentity, ...options });
  const relay = () => {
    for (let out = driver.output.shift(); out !== undefined; out = driver.output.shift())
      driver.feed(server.receive(out));
  };
  relay();
  return { server, driver, relay };
}

describe("a server engine with a script", () => {
  const asking = { suites: [gcm], maxFragmentLength: 512 } as const;

  it("RFC 6066 §4 can send more than was agreed: in the handshake, and as data", () => {
    const early = new Dialog(
      {
        suites: [gcm],
        deviations: [
          { on: "Certificate", join: true },
          { on: "ServerKeyExchange", fragments: [2000] },
        ],
      },
      asking,
    );
    expect(early.client.error).toMatchObject({ code: "TLS_RECORD_OVERFLOW", alert: 22 });
    expect(early.server.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", data: { alert: 22 } });
    const late = new Dialog(
      {
        suites: [gcm],
        deviations: [
          { on: "ApplicationData", join: true },
          { on: "ApplicationData", nth: 1, fragments: [2000] },
        ],
      },
      asking,
    );
    for (let i = 0; i < 2; i++) late.server.server.write(new Uint8Array(300));
    late.run();
    expect(late.client.error).toMatchObject({ code: "TLS_RECORD_OVERFLOW", alert: 22 });
  });

  it("RFC 6066 §4 keeps to what was agreed in all that no script is about", () => {
    const dialog = new Dialog({ suites: [gcm], deviations: [{ on: "Finished", times: 1 }] }, asking);
    expect(dialog.isSecured).toBe(true);
    dialog.server.server.write(new Uint8Array(5000));
    dialog.run();
    expect(dialog.client.data.map(({ length }) => length)).toEqual([512]);
  });

  it("RFC 7366 §3 can hide or invent that it was agreed: each side's first record is refused by the other", () => {
    const etm = { type: 22, data: new Uint8Array(0) };
    const hidden = alterFields("ServerHello", (hello) => ({
      ...hello,
      extensions: hello.extensions!.filter(({ type }) => type !== 22),
    }));
    const invented = alterFields("ServerHello", (hello) => ({ ...hello, extensions: [...hello.extensions!, etm] }));
    for (const [deviation, encryptThenMac] of [
      [hidden, true],
      [invented, false],
    ] as const) {
      const dialog = new Dialog({ suites: [cbc], encryptThenMac, deviations: [deviation] }, { suites: [cbc] });
      expect(dialog.server.error).toMatchObject({ code: "TLS_BAD_RECORD_MAC", alert: 20 });
      expect(dialog.client.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", data: { alert: 20 } });
    }
  });
});

describe("a client that is wrong about records", () => {
  const refused = (extension: Extension, more: Partial<TlsServerOptions> = {}) => {
    const driver = new ServerDriver(more);
    const client = new ScriptedClient({
      hello: (hello) => ({ ...hello, extensions: [...hello.extensions!, extension] }),
    });
    driver.feed(client.start());
    return driver;
  };

  it.each([
    ["RFC 6066 §4 max_fragment_length 5", 1, [5], "TLS_MAX_FRAGMENT_LENGTH", 47],
    ["RFC 6066 §4 max_fragment_length without a value", 1, [], "TLS_DECODE_ERROR", 50],
    ["RFC 7366 §2 encrypt_then_mac with something in it", 22, [1], "TLS_DECODE_ERROR", 50],
  ] as const)("%s", (_title, type, data, code, expected) => {
    const driver = refused({ type, data: Uint8Array.from(data) });
    expect(driver.error).toMatchObject({ code, alert: expected, blame: "peer" });
    expect(driver.output.map((bytes) => [...bytes])).toEqual([[21, 3, 3, 0, 2, 2, expected]]);
  });

  it("RFC 6066 §4 data of 513 bytes where 512 were agreed: record_overflow", () => {
    const server = new ServerDriver();
    const client = new ScriptedClient({
      hello: (hello) => ({ ...hello, extensions: [...hello.extensions!, { type: 1, data: Uint8Array.of(1) }] }),
    });
    server.feed(client.start());
    for (const size of [512, 513]) {
      for (let out = server.output.shift(); out !== undefined; out = server.output.shift())
        server.feed(client.receive(out));
      expect(server.error).toBeUndefined();
      server.feed(client.seal(application_data, new Uint8Array(size)));
    }
    expect(server.data.map(({ length }) => length)).toEqual([512]);
    expect(server.error).toMatchObject({ code: "TLS_RECORD_OVERFLOW", alert: 22 });
  });
});

describe("RFC 5246 §7.2.1 each side closes its own direction", () => {
  it("what the peer still sends after our close_notify arrives, until its own", () => {
    const { server, driver, relay } = talk();
    const inFlight = server.seal(application_data, Uint8Array.of(1, 2));
    driver.client.close();
    driver.rest();
    expect(driver.client.room).toBe(0);
    driver.feed(inFlight);
    driver.feed(server.seal(application_data, Uint8Array.of(3)));
    expect(driver.events.map(({ type }) => type)).toEqual(["secured"]);
    driver.feed(server.seal(alert, Uint8Array.of(1, 0)));
    relay();
    expect([...concat(driver.data)]).toEqual([1, 2, 3]);
    expect(driver.events.at(-1)).toEqual({ type: "closed", cleanly: true });
    expect(server.alerts).toEqual([[1, 0]]);
  });

  it("the peer's close_notify is answered at once, what was written before it still leaves, and nothing is written after it", () => {
    const { server, driver, relay } = talk();
    driver.client.write(Uint8Array.of(7));
    driver.feed(server.seal(alert, Uint8Array.of(1, 0)));
    relay();
    expect(server.data).toEqual([Uint8Array.of(7)]);
    expect(server.alerts).toEqual([[1, 0]]);
    expect(driver.client.write(Uint8Array.of(8))).toBe(0);
    expect(driver.client.stateName).toBe("Closed");
  });
});

describe("buffers are as large as a record needs, and are given back", () => {
  /** What the two buffers keep. */
  const KEPT = 1024 + 512;

  it("after a handshake, and after records of any length in both directions", () => {
    const dialog = new Dialog({ crypto: createCrypto() }, { crypto: createCrypto() });
    const { client } = dialog.client;
    expect(client.bufferBytes).toBe(KEPT);
    for (const size of [16_384, 100, 5000, 16_384]) {
      client.write(new Uint8Array(size));
      expect(client.bufferBytes).toBeGreaterThanOrEqual(KEPT - 512 + size);
      // Alerts must fit as well: 6 of 31 bytes.
      expect(client.bufferBytes).toBeLessThanOrEqual(Math.max(KEPT, 1024 + size + 5 + 24 + 6 * 31));
      dialog.run();
      expect(client.bufferBytes).toBe(KEPT);
      expect(dialog.server.server.bufferBytes).toBe(KEPT);
    }
  });

  it("a record is received into a buffer of exactly its length", () => {
    const { server, driver } = talk();
    const { client } = driver;
    const record = server.seal(application_data, new Uint8Array(9000));
    client.feed(record.subarray(0, 5));
    expect(client.bufferBytes).toBe(KEPT);
    client.feed(record.subarray(5, 2000));
    expect(client.bufferBytes).toBe(512 + record.length);
    client.feed(record.subarray(2000));
    while (client.work(1000) === "more");
    const event = client.nextEvent();
    expect(event).toMatchObject({ type: "data", bytes: { length: 9000 } });
    expect(client.bufferBytes).toBe(512 + record.length);
    expect(client.nextEvent()).toBeUndefined();
    expect(client.bufferBytes).toBe(KEPT);
    // The view that was handed out is valid until the next call that takes something in.
    if (event?.type === "data") expect(event.bytes.every((byte) => byte === 0)).toBe(true);
  });

  it("data that nobody took keep their buffer, and so does the beginning of the next record", () => {
    const { server, driver } = talk();
    const { client } = driver;
    const [first, second] = [9000, 8000].map((size) => server.seal(application_data, new Uint8Array(size).fill(1)));
    client.feed(first!);
    while (client.work(1000) === "more");
    expect(client.bufferBytes).toBe(512 + first!.length);
    expect(client.nextEvent()).toMatchObject({ type: "data" });
    client.feed(second!.subarray(0, 3));
    expect(client.nextEvent()).toBeUndefined();
    expect(client.bufferBytes).toBe(KEPT);
    client.feed(second!.subarray(3, 4000));
    expect(client.nextEvent()).toBeUndefined();
    expect(client.bufferBytes).toBe(512 + second!.length);
    driver.feed(second!.subarray(4000));
    expect(driver.data.map(({ length }) => length)).toEqual([8000]);
  });

  it("a record that is being opened or read stays where it is, whenever events are asked for", () => {
    const { server, driver } = talk({ crypto: createCrypto() });
    const { client } = driver;
    const sizes = [100, 5, 300];
    const first = server.seal(application_data, new Uint8Array(9000));
    const stream = concat(sizes.map((size) => server.seal(application_data, new Uint8Array(size).fill(size))));
    const got: Uint8Array[] = [];
    client.feed(first);
    while (client.work(1000) === "more");
    expect(client.nextEvent()).toMatchObject({ type: "data" });
    // The buffer of the first record is there still, and the others come into it.
    expect(client.bufferBytes).toBe(512 + first.length);
    for (let at = 0; at < stream.length; ) {
      at += client.feed(stream.subarray(at));
      while (client.work(1) === "more")
        for (let event = client.nextEvent(); event !== undefined; event = client.nextEvent())
          if (event.type === "data") got.push(event.bytes.slice());
    }
    expect(client.nextEvent()).toBeUndefined();
    expect(driver.client.stateName).toBe("ExpectTraffic");
    expect(got.map((bytes) => [bytes.length, bytes.every((byte) => byte === (bytes.length & 255))])).toEqual(
      sizes.map((size) => [size, true]),
    );
    expect(client.bufferBytes).toBe(KEPT);
  });

  it("no announced length makes more room than the longest record that is allowed", () => {
    for (const [maxPlaintext, leastBytes, most] of [
      [16_384, 0, 16_384],
      [16_384, 24, 16_384 + 2048],
      [512, 24, 512 + 2048],
    ] as const) {
      const deframer = new Deframer();
      deframer.maxPlaintext = maxPlaintext;
      deframer.leastBytes = leastBytes;
      for (let i = 0; i < 40; i++) deframer.feed(new Uint8Array([23, 3, 3, 0xff, 0xff, ...new Uint8Array(2000)]));
      expect(deframer.buffer.length).toBe(5 + most);
    }
  });

  it("a framer with many short records grows in few steps, and gives all of it back", () => {
    const framer = new Framer();
    const capacities = new Set<number>();
    for (let i = 0; i < 500; i++) {
      framer.add(handshake, new Uint8Array(20));
      capacities.add(framer.capacity);
    }
    expect(capacities.size).toBeLessThan(8);
    while (framer.isBusy) framer.step(1);
    expect(framer.take()).toHaveLength(500 * 25);
    expect(framer.take()).toBeUndefined();
    framer.recycle();
    expect(framer.capacity).toBe(512);
  });

  it("room that is reserved is not given back under its writer", () => {
    const dialog = new Dialog();
    const { client } = dialog.client;
    const room = client.reserve(4000);
    expect(client.nextEvent()).toBeUndefined();
    room.fill(3);
    client.commit(4000);
    dialog.run();
    expect(equal(concat(dialog.server.data), new Uint8Array(4000).fill(3))).toBe(true);
  });

  it("whatever is pending, the room that is told is there: every suite, every step of sealing", () => {
    for (const suite of presets.full()) {
      if (suite.authentication === "rsa") continue;
      const crypto = createCrypto();
      const dialog = new Dialog({ crypto, suites: [suite] }, { crypto, suites: [suite] });
      const { client } = dialog.client;
      const sent: Uint8Array[] = [];
      for (let i = 0; i < 60; i++) {
        const text = new Uint8Array(1 + ((i * 677) % 4000)).fill(i);
        const { room } = client;
        const taken = client.write(text);
        expect(taken).toBe(Math.min(room, text.length));
        sent.push(text.subarray(0, taken));
        client.work(30);
        if (i % 5 === 4) dialog.run();
      }
      dialog.run();
      expect(dialog.server.error).toBeUndefined();
      expect(equal(concat(dialog.server.data), concat(sent))).toBe(true);
    }
  });
});
