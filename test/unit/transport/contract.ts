/**
 * The transport contract as a suite: every transport runs it. A pair is a client that is not open yet and a peer that is the
 * other end of the same stream, open or not.
 */
import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { equal } from "../../../src/bytes.ts";
import type { ThingwireError } from "../../../src/errors.ts";
import type { Transport, TransportHandler } from "../../../src/transport/transport.ts";

export interface Pair {
  readonly client: Transport;
  /** Resolves when the peer has accepted; memory has it at once. */
  readonly peer: Promise<Transport> | Transport;
  close?(): void | Promise<void>;
}

/** Records what a transport says, and lets a test wait for it. */
export class Recorder implements TransportHandler {
  readonly transport: Transport;
  readonly log: string[] = [];
  #received = new Uint8Array(1024);
  #length = 0;
  error: ThingwireError | undefined;
  room = 0;
  /** Set while a call into the transport runs: a callback meanwhile is a mistake. */
  inCall = false;
  reentrant = false;
  onChunk: ((view: Uint8Array) => void) | undefined;
  #waiting: { condition: () => boolean; resolve: () => void }[] = [];

  constructor(transport: Transport) {
    this.transport = transport;
  }

  open(): this {
    this.call(() => this.transport.open(this));
    return this;
  }

  call<T>(body: () => T): T {
    this.inCall = true;
    try {
      return body();
    } finally {
      this.inCall = false;
    }
  }

  get received(): Uint8Array {
    return this.#received.subarray(0, this.#length);
  }

  onData(view: Uint8Array): void {
    if (this.#length + view.length > this.#received.length) {
      const grown = new Uint8Array(2 * (this.#length + view.length));
      grown.set(this.received);
      this.#received = grown;
    }
    this.#received.set(view, this.#length);
    this.#length += view.length;
    this.#note("data");
    this.onChunk?.(view);
  }

  onWritable(room: number): void {
    this.room = room;
    this.#note("writable");
  }

  onEnd(): void {
    this.#note("end");
  }

  onError(error: ThingwireError): void {
    this.error = error;
    this.#note("error");
  }

  count(what: string): number {
    return this.log.filter((entry) => entry === what).length;
  }

  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ condition, resolve }));
  }

  untilLogged(what: string): Promise<void> {
    return this.until(() => this.log.includes(what));
  }

  /** Writes all of it, waiting for room as often as needed. */
  async send(bytes: Uint8Array): Promise<void> {
    let at = 0;
    while (at < bytes.length) {
      const before = this.count("writable");
      const taken = this.call(() => this.transport.write(bytes.subarray(at)));
      at += taken;
      if (at < bytes.length) await this.until(() => this.count("writable") > before);
    }
  }

  #note(what: string): void {
    if (this.inCall) this.reentrant = true;
    this.log.push(what);
    const ready = this.#waiting.filter(({ condition }) => condition());
    this.#waiting = this.#waiting.filter((entry) => !ready.includes(entry));
    for (const { resolve } of ready) resolve();
  }
}

export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >> 8) * 13 + seed) & 255;
  return bytes;
}

const settle = (ms = 30): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function transportContract(name: string, makePair: () => Promise<Pair>): void {
  describe(`DESIGN §2 transport contract: ${name}`, () => {
    let pair: Pair | undefined;
    const recorders: Recorder[] = [];

    async function connect(): Promise<{ client: Recorder; peer: Recorder }> {
      pair = await makePair();
      const client = new Recorder(pair.client).open();
      const peer = new Recorder(await pair.peer).open();
      recorders.push(client, peer);
      await Promise.all([client.untilLogged("writable"), peer.untilLogged("writable")]);
      return { client, peer };
    }

    afterEach(async () => {
      for (const { transport } of recorders) transport.destroy();
      expect(
        recorders.some(({ reentrant }) => reentrant),
        "a callback came from within a call",
      ).toBe(false);
      recorders.length = 0;
      await pair?.close?.();
      pair = undefined;
    });

    it("says once that it is connected, and only then takes bytes", async () => {
      pair = await makePair();
      expect(pair.client.write(pattern(3))).toBe(0);
      expect(pair.client.reserve(3).length).toBe(0);
      const client = new Recorder(pair.client).open();
      const peer = new Recorder(await pair.peer).open();
      recorders.push(client, peer);
      await Promise.all([client.untilLogged("writable"), peer.untilLogged("writable")]);
      expect(client.room).toBeGreaterThan(0);
      expect(client.log).toEqual(["writable"]);
      expect(client.transport.description).not.toBe("");
    });

    it("opens once only", async () => {
      const { client } = await connect();
      expect(() => client.transport.open(client)).toThrowError(expect.objectContaining({ code: "USAGE_WRONG_STATE" }));
    });

    it("carries 300,000 bytes each way at once, in order, with credit", async () => {
      const { client, peer } = await connect();
      const up = pattern(300_000, 1);
      const down = pattern(300_000, 99);
      await Promise.all([
        client.send(up),
        peer.send(down),
        peer.until(() => peer.received.length >= up.length),
        client.until(() => client.received.length >= down.length),
      ]);
      expect(equal(peer.received, up)).toBe(true);
      expect(equal(client.received, down)).toBe(true);
    });

    it("keeps what was written: the caller may use its buffer again at once", async () => {
      const { client, peer } = await connect();
      const bytes = pattern(1_000);
      const sent = bytes.slice();
      expect(client.call(() => client.transport.write(bytes))).toBe(1_000);
      bytes.fill(0);
      await peer.until(() => peer.received.length >= 1_000);
      expect(peer.received).toEqual(sent);
    });

    it("reserve and commit send what was written into the room", async () => {
      const { client, peer } = await connect();
      for (const byte of [1, 2, 3]) {
        const room = client.transport.reserve(100);
        expect(room.length).toBeGreaterThanOrEqual(1);
        expect(room.length).toBeLessThanOrEqual(100);
        room.fill(byte);
        client.call(() => client.transport.commit(Math.min(10, room.length)));
      }
      await peer.until(() => peer.received.length >= 30);
      expect([...peer.received]).toEqual([...Array(10).fill(1), ...Array(10).fill(2), ...Array(10).fill(3)]);
    });

    it("a reservation that is not committed leaves no trace", async () => {
      const { client, peer } = await connect();
      client.transport.reserve(50).fill(9);
      client.call(() => client.transport.write(pattern(5)));
      client.transport.reserve(50).fill(8);
      client.call(() => client.transport.commit(0));
      client.call(() => client.transport.write(pattern(5)));
      await peer.until(() => peer.received.length >= 10);
      expect(peer.received).toEqual(Uint8Array.from([...pattern(5), ...pattern(5)]));
    });

    it("takes a bounded number of bytes while the peer does not read, and says when there is room again", async () => {
      const { client, peer } = await connect();
      peer.transport.pause();
      const sent = createHash("sha256");
      let taken = 0;
      let before = 0;
      // Until nothing moved for a while: what a system holds of its own, besides ours, is a few megabytes.
      for (let still = 0; still < 3 && taken < 64 * 1024 * 1024; ) {
        // On a busy machine there may be room again before the peer goes on: it must be told of behind the last write that was refused.
        before = client.count("writable");
        const block = pattern(20_000, taken);
        const now = client.call(() => client.transport.write(block));
        sent.update(block.subarray(0, now));
        taken += now;
        still = now === 0 ? still + 1 : 0;
        if (now === 0) await settle(5);
      }
      expect(taken).toBeLessThan(64 * 1024 * 1024);
      peer.transport.resume();
      await client.until(() => client.count("writable") > before);
      await peer.until(() => peer.received.length === taken);
      expect(createHash("sha256").update(peer.received).digest("hex")).toBe(sent.digest("hex"));
    });

    it("pause holds data back, resume lets it come", async () => {
      const { client, peer } = await connect();
      peer.transport.pause();
      await settle(5);
      client.call(() => client.transport.write(pattern(200_000)));
      await settle();
      const held = peer.received.length;
      client.call(() => client.transport.write(pattern(10)));
      await settle();
      expect(peer.received.length - held).toBe(0);
      peer.transport.resume();
      await peer.until(() => peer.received.length > held);
    });

    it("shutdown ends one side, behind what was written; the other may still send", async () => {
      const { client, peer } = await connect();
      await client.send(pattern(5_000));
      client.call(() => client.transport.shutdown());
      await peer.untilLogged("end");
      expect(peer.received).toEqual(pattern(5_000));
      expect(peer.error).toBeUndefined();
      expect(client.transport.write(pattern(1))).toBe(0);
      client.call(() => client.transport.shutdown());
    });

    it("an orderly end is told once, and no error follows", async () => {
      const { client, peer } = await connect();
      client.transport.shutdown();
      await peer.untilLogged("end");
      peer.transport.shutdown();
      await client.untilLogged("end");
      client.transport.destroy();
      peer.transport.destroy();
      await settle();
      expect(peer.log.filter((entry) => entry === "end" || entry === "error")).toEqual(["end"]);
      expect(client.log.filter((entry) => entry === "end" || entry === "error")).toEqual(["end"]);
    });

    it("after destroy there are no more callbacks, and the peer hears exactly once", async () => {
      const { client, peer } = await connect();
      await peer.send(pattern(50_000));
      client.transport.destroy();
      const logged = client.log.length;
      client.transport.destroy();
      expect(client.transport.write(pattern(1))).toBe(0);
      expect(client.transport.reserve(1).length).toBe(0);
      await peer.until(() => peer.log.includes("end") || peer.log.includes("error"));
      await settle();
      expect(client.log.length).toBe(logged);
      expect(peer.count("end") + peer.count("error")).toBe(1);
    });

    it("destroy from within onData is obeyed", async () => {
      const { client, peer } = await connect();
      peer.onChunk = () => peer.transport.destroy();
      client.transport.write(pattern(10));
      await peer.untilLogged("data");
      const logged = peer.log.length;
      client.transport.write(pattern(10));
      await settle();
      expect(peer.log.length).toBe(logged);
    });

    it("write from within onData answers", async () => {
      const { client, peer } = await connect();
      peer.onChunk = (view) => void peer.transport.write(view.slice());
      await client.send(pattern(20));
      await client.until(() => client.received.length >= 20);
      expect(client.received).toEqual(pattern(20));
    });
  });
}
