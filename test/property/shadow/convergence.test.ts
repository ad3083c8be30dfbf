import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utf8Encode } from "../../../src/bytes.ts";
import { merge } from "../../../src/shadow/document.ts";
import { ShadowEngine } from "../../../src/shadow/engine.ts";
import { type JsonObject, sameJson } from "../../../src/shadow/json.ts";
import { ShadowService } from "../../../src/shadow/service.ts";
import { shadowArbitraries } from "../../../src/testing/shadow.ts";
import { runs } from "../../runs.ts";
import { countingRandom } from "../../unit/shadow/harness.ts";

interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** A device or an app on a network that loses, doubles and reorders, as the steps of a run say. */
class Peer {
  readonly engine: ShadowEngine;
  readonly toService: Message[] = [];
  readonly fromService: Message[] = [];
  readonly settled = new Map<number, number>();
  readonly begun: number[] = [];
  /** What the device has done, leaf by leaf. */
  state: JsonObject = {};
  readonly #obeys: boolean;
  #online = false;
  /** Whether it was sent forged versions, beside which the true ones look old. */
  deceived = false;
  #deltaVersion = 0;
  maxPublished = 0;

  constructor(name: string, obeys: boolean) {
    this.#obeys = obeys;
    this.engine = new ShadowEngine({
      thingName: "lamp",
      random: countingRandom(),
      tokenPrefix: name,
      limits: { documentBytes: 1e6 },
    });
  }

  connect(now: number): void {
    if (this.#online) this.engine.disconnected(now);
    this.#online = true;
    this.toService.length = this.fromService.length = 0;
    this.engine.connected(false, now);
    this.drain(now);
  }

  disconnect(now: number): void {
    this.#online = false;
    this.engine.disconnected(now);
    this.toService.length = this.fromService.length = 0;
    this.drain(now);
  }

  change(section: "report" | "desire", patch: JsonObject, now: number): void {
    this.begun.push(this.engine[section](patch, now));
    this.drain(now);
  }

  /** The broker copies what the service publishes to everybody who is subscribed. */
  receive(messages: readonly Message[]): void {
    if (this.#online && this.engine.phase !== "subscribing") this.fromService.push(...messages);
  }

  drain(now: number): void {
    let published = 0;
    for (let event = this.engine.nextEvent(); event !== undefined; event = this.engine.nextEvent()) {
      if (event.type === "subscribe") this.engine.subscribed(now);
      else if (event.type === "publish") {
        this.toService.push(event);
        published++;
      } else if (event.type === "document" && event.document === undefined) {
        this.#deltaVersion = 0;
      } else if (event.type === "done" || event.type === "failed") {
        this.settled.set(event.id, (this.settled.get(event.id) ?? 0) + 1);
      } else if (event.type === "delta" && this.#obeys) {
        const taken = this.engine.takeDelta();
        if (taken === undefined) continue;
        if (taken.version < this.#deltaVersion && !this.deceived) throw new Error("(I3, I5) a delta of the past");
        this.#deltaVersion = taken.version;
        this.state = merge(this.state, taken.delta);
        this.begun.push(this.engine.report(taken.delta, now));
      }
    }
    this.maxPublished = Math.max(this.maxPublished, published);
  }
}

class World {
  now = 0;
  readonly service = new ShadowService({ now: () => 1e6 + this.now / 1000, limits: { documentBytes: 1e6 } });
  readonly device = new Peer("device", true);
  readonly app = new Peer("app", false);
  version = 0;

  get peers(): readonly Peer[] {
    return [this.device, this.app];
  }

  /** The service handles one message; every peer gets the answers. */
  serve(peer: Peer, index: number, keep: boolean): void {
    const message = take(peer.toService.length > 0 ? peer.toService : this.#other(peer).toService, index, keep);
    if (message === undefined) return;
    const answers = this.service.handle(message.topic, message.payload)!;
    const version = this.service.peek({ thingName: "lamp" })?.version ?? this.version;
    if (version < this.version) throw new Error("the version went back");
    this.version = version;
    for (const other of this.peers) other.receive(answers);
  }

  deliver(peer: Peer, index: number, keep: boolean): void {
    const receiver = peer.fromService.length > 0 ? peer : this.#other(peer);
    const message = take(receiver.fromService, index, keep);
    if (message === undefined) return;
    receiver.engine.message(message.topic, message.payload, this.now);
    receiver.drain(this.now);
  }

  #other(peer: Peer): Peer {
    return peer === this.device ? this.app : this.device;
  }

  pass(ms: number): void {
    this.now += ms;
    for (const peer of this.peers) {
      const at = peer.engine.nextTimeout();
      if (at !== undefined && at <= this.now) peer.engine.handleTimeout(this.now);
      peer.drain(this.now);
    }
  }

  /** All that is on the way arrives, in order; returns how many messages that took. */
  quiesce(): number {
    let messages = 0;
    const busy = () => this.peers.some(({ toService, fromService }) => toService.length + fromService.length > 0);
    for (let round = 0; round < 300; round++) {
      while (busy()) {
        for (const peer of this.peers) {
          messages += peer.toService.length + peer.fromService.length;
          if (messages > 5_000) throw new Error("the peers do not come to rest");
          while (peer.toService.length > 0) this.serve(peer, 0, false);
          while (peer.fromService.length > 0) this.deliver(peer, 0, false);
        }
      }
      if (this.peers.every(({ engine }) => engine.nextTimeout() === undefined)) return messages;
      this.pass(1_000);
    }
    throw new Error("timers never end");
  }
}

function take(queue: Message[], index: number, keep: boolean): Message | undefined {
  if (queue.length === 0) return undefined;
  const at = index % queue.length;
  return keep ? queue[at] : queue.splice(at, 1)[0];
}

type Step = (world: World) => void;

const which = fc.boolean();
const peerOf = (world: World, device: boolean) => (device ? world.device : world.app);

/**
 * One step of the scheduler. The device reports under a key that no app desires: one that reports something else than what is
 * desired, at the moment when it is asked for it, has refused and is not asked again.
 *
 * Index 0 and no duplicate is an orderly network, so failing runs shrink towards one. */
function step(): fc.Arbitrary<[string, Step]> {
  const index = fc.nat(5);
  const duplicate = fc.integer({ min: 0, max: 9 }).map((n) => n === 9);
  // Mostly few values, so that changes meet, cancel and come back.
  const few = fc.constantFrom<JsonObject>({ a: 1 }, { a: 2 }, { a: null }, { b: { c: 1 } }, { b: null });
  const patch = () => fc.oneof({ weight: 3, arbitrary: few }, shadowArbitraries.patch());
  const named = (name: string, run: Step): [string, Step] => [name, run];
  return fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(which, index, duplicate)
        .map(([device, i, keep]) => named("serve", (world) => world.serve(peerOf(world, device), i, keep))),
    },
    {
      weight: 10,
      arbitrary: fc
        .tuple(which, index, duplicate)
        .map(([device, i, keep]) => named("deliver", (world) => world.deliver(peerOf(world, device), i, keep))),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(which, fc.boolean(), index).map(([device, up, i]) =>
        named("drop", (world) => {
          const peer = peerOf(world, device);
          take(up ? peer.toService : peer.fromService, i, false);
        }),
      ),
    },
    { weight: 2, arbitrary: patch().map((own) => named("report", (w) => w.device.change("report", { own }, w.now))) },
    { weight: 2, arbitrary: patch().map((p) => named("desire", (w) => w.app.change("desire", p, w.now))) },
    { weight: 1, arbitrary: fc.nat(12_000).map((ms) => named("pass", (world) => world.pass(ms))) },
    {
      weight: 1,
      arbitrary: fc.tuple(which, fc.boolean()).map(([device, back]) =>
        named("connection", (world) => {
          const peer = peerOf(world, device);
          peer.disconnect(world.now);
          if (back) peer.connect(world.now);
        }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constant(
        named("delete", (world) => {
          const answers = world.service.delete({ thingName: "lamp", payload: utf8Encode("{}") });
          for (const peer of world.peers) peer.receive(answers);
        }),
      ),
    },
  );
}

/** Mostly short runs: in long ones a later message heals what an earlier one broke. */
const steps = () =>
  fc.oneof(
    { weight: 4, arbitrary: fc.array(step(), { maxLength: 14, size: "max" }) },
    { weight: 1, arbitrary: fc.array(step(), { maxLength: 60, size: "max" }) },
  );

function run(script: readonly [string, Step][], without: readonly string[] = []): World {
  const world = new World();
  for (const peer of world.peers) peer.connect(world.now);
  // Some begin in the midst of connecting, the others live, so that every step of a short run counts.
  if (script.length % 3 !== 0) world.quiesce();
  for (const [name, act] of script) if (!without.includes(name)) act(world);
  // The network gets well; and where it lost something, everybody connects once more.
  if (!without.includes("drop")) for (const peer of world.peers) peer.connect(world.now);
  world.quiesce();
  return world;
}

describe("§2.1 device, app and service on a network that loses, doubles and reorders", () => {
  it.each([
    ["a network that loses, too, and a last reconnect", [], 500],
    ["a network that only doubles and reorders, without any reconnect", ["drop", "connection"], 3000],
  ])(
    "come to rest with reported ⊇ desired, (I8) the service's document at both ends, in bounded messages: %s",
    (_, without, count) => {
      fc.assert(
        fc.property(steps(), (script) => {
          const world = run(script, without);
          const stored = world.service.peek({ thingName: "lamp" });
          const { desired = {}, reported = {} } = stored?.state ?? {};
          expect(sameJson(merge(reported, desired), reported)).toBe(true);
          for (const { engine } of world.peers) {
            expect(engine.settled).toBe(true);
            expect(engine.document).toEqual(stored);
          }
        }),
        runs(count),
      );
    },
  );

  it("(I4, I7) every change settles exactly once, and is never lost", () => {
    fc.assert(
      fc.property(steps(), (script) => {
        const world = run(script);
        for (const { begun, settled } of world.peers)
          for (const id of begun) expect(settled.get(id), `operation ${id}`).toBe(1);
      }),
      runs(150),
    );
  });

  it("(I2) a peer never has more than one change and one GET under way", () => {
    fc.assert(
      fc.property(steps(), (script) => {
        const world = run(script);
        for (const { maxPublished } of world.peers) expect(maxPublished).toBeLessThanOrEqual(2);
      }),
      runs(50),
    );
  });

  it("(I7) the last report of the device that nobody else writes is what the service stores", () => {
    fc.assert(
      fc.property(steps(), shadowArbitraries.section(), (script, last) => {
        const world = new World();
        for (const peer of world.peers) peer.connect(world.now);
        for (const [name, act] of script) if (name !== "desire" && name !== "delete") act(world);
        world.device.change("report", { mine: null }, world.now);
        world.device.change("report", { mine: last }, world.now);
        for (const peer of world.peers) peer.connect(world.now);
        world.quiesce();
        const reported = world.service.peek({ thingName: "lamp" })?.state.reported;
        expect(reported).toHaveProperty("mine", last);
      }),
      runs(100),
    );
  });
});

describe("totality", () => {
  it("any bytes on any topic of a shadow throw nothing, and the engine goes on", () => {
    const topics = [
      "get/accepted",
      "get/rejected",
      "update/accepted",
      "update/rejected",
      "update/delta",
      "delete/accepted",
    ];
    const nonsense = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.json().map(utf8Encode),
      fc
        .record(
          {
            state: fc.oneof(
              fc.constant(null),
              fc.record({ desired: fc.jsonValue(), reported: fc.jsonValue() }, { requiredKeys: [] }),
            ),
            metadata: fc.jsonValue(),
            version: fc.oneof(fc.nat(9), fc.double(), fc.constant(2 ** 53 - 1)),
            timestamp: fc.oneof(fc.nat(), fc.constant("x")),
            code: fc.constantFrom(400, 404, 409, 429, "x"),
            clientToken: fc.constantFrom("device-1", "device-2", "device-3", "x", 5),
          },
          { requiredKeys: [] },
        )
        .map((message) => utf8Encode(JSON.stringify(message))),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...topics), nonsense), { maxLength: 20 }), (messages) => {
        const world = new World();
        world.device.deceived = true;
        world.device.connect(0);
        world.device.change("report", { a: 1 }, 0);
        for (const [topic, payload] of messages) {
          world.device.engine.message(`$aws/things/lamp/shadow/${topic}`, payload, world.now);
          world.device.drain(world.now);
          world.service.handle(`$aws/things/lamp/shadow/${topic.split("/")[0]}`, payload);
        }
        world.device.disconnect(0);
        world.device.connect(0);
        world.device.change("report", { b: 2 }, world.now);
        world.quiesce();
        expect(world.device.engine.document).toEqual(world.service.peek({ thingName: "lamp" }));
      }),
      runs(300),
    );
  });
});
