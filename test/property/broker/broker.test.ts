import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, toHex } from "../../../src/bytes.ts";
import { awsAtWorst, awsBehaviour, Broker, type BrokerBehaviour } from "../../../src/mqtt/broker.ts";
import { encode } from "../../../src/mqtt/encode.ts";
import { type Packet, PacketType } from "../../../src/mqtt/packets.ts";
import { runs } from "../../runs.ts";
import { connect, online, Peer, publish, subscribe } from "../../unit/broker/peer.ts";

const topic = fc.constantFrom("a", "a/b", "$aws/x", "b");
const filter = fc.constantFrom("#", "a/+", "a/#", "$aws/#", "b");
const qos = fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>;
const packetId = fc.integer({ min: 1, max: 5 });

const packet: fc.Arbitrary<Packet> = fc.oneof(
  fc
    .tuple(topic, fc.string({ maxLength: 9 }), qos, fc.boolean(), packetId)
    .map(([name, text, level, retain, id]) =>
      publish(name, text, { qos: level, retain, packetId: level === 0 ? 0 : id }),
    ),
  fc.tuple(packetId, filter, qos).map(([id, name, level]) => subscribe(id, [name, level])),
  packetId.map((id) => ({ type: PacketType.PUBREL, packetId: id })),
  packetId.map((id) => ({ type: PacketType.PUBACK, packetId: id })),
  fc.constant({ type: PacketType.PINGREQ }),
);

const behaviour = fc.constantFrom<BrokerBehaviour>({}, awsBehaviour, { ...awsBehaviour, ...awsAtWorst(3) });

const session: fc.Arbitrary<Packet[]> = fc
  .tuple(fc.boolean(), fc.array(packet, { maxLength: 12 }), fc.boolean())
  .map(([cleanSession, packets, leaves]) => [
    connect("me", { cleanSession, will: { topic: "a", payload: Uint8Array.of(33), qos: 1, retain: false } }),
    ...packets,
    ...(leaves ? [{ type: PacketType.DISCONNECT }] : []),
  ]);

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** What a session's bytes do to the broker: the client's output, what another client sees, and how it ends. */
function effect(chunks: readonly Uint8Array[], behaves: BrokerBehaviour): unknown {
  const broker = new Broker({ now: () => 0, ...behaves });
  const other = online(broker, "other").say(subscribe(1, ["#", 1], ["$aws/#", 1]));
  const out: Uint8Array[] = [];
  const connection = broker.accept({ wake: () => {} });
  for (const chunk of chunks) {
    connection.feed(chunk);
    for (let bytes: Uint8Array | undefined; (bytes = connection.takeOutput()); ) out.push(bytes);
  }
  const reason = connection.closed?.reason;
  connection.end();
  return { out: toHex(concat(out)), reason, seen: other.messages(), connected: broker.connected };
}

describe("broker properties", () => {
  it("chunk invariance: the same bytes in any pieces have the same effect", () => {
    fc.assert(
      fc.property(
        session,
        behaviour,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (packets, how, sizes) => {
          const bytes = concat(packets.map(encode));
          const whole = effect([bytes], how);
          expect(effect(cut(bytes, sizes), how)).toEqual(whole);
          expect(effect(cut(bytes, [1]), how)).toEqual(whole);
        },
      ),
      runs(150),
    );
  });

  it("totality: mutated bytes end at most in a close that blames the peer, and others are served on", () => {
    fc.assert(
      fc.property(
        session,
        behaviour,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        (packets, how, changes) => {
          const bytes = concat(packets.map(encode));
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          const broker = new Broker({ now: () => 0, maxPacketBytes: 4096, ...how });
          const peer = new Peer(broker);
          peer.connection.feed(bytes);
          const error = peer.connection.closed?.error;
          if (error !== undefined) expect(error.blame).toBe("peer");
          const other = online(broker, "other").say({ type: PacketType.PINGREQ });
          expect(other.heard()).toEqual([{ type: PacketType.PINGRESP }]);
        },
      ),
      runs(300),
    );
  });

  it("[MQTT-3.1.2-5] a kept session loses no QoS 1 message, whenever its connection is cut and whatever it acknowledged", () => {
    const step = fc.oneof(
      fc.constant("publish" as const),
      fc.constant("cut" as const),
      fc.constant("acknowledge" as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const broker = new Broker({ now: () => 0, maxInFlight: 3 });
        const kept = connect("p", { cleanSession: false });
        let peer = new Peer(broker).say(kept, subscribe(1, ["a", 1]));
        const heard: string[] = [];
        const unacknowledged: number[] = [];
        let sent = 0;
        const listen = (): void => {
          for (const message of peer.messages()) {
            if (!message.dup) heard.push(message.text);
            if (!unacknowledged.includes(message.packetId)) unacknowledged.push(message.packetId);
          }
        };
        const acknowledge = (): void => {
          const id = unacknowledged.shift();
          if (id !== undefined) peer.say({ type: PacketType.PUBACK, packetId: id });
        };
        for (const action of [...steps, "cut" as const]) {
          if (action === "publish") broker.publish({ topic: "a", payload: Uint8Array.of(48 + sent++), qos: 1 });
          if (action === "acknowledge") acknowledge();
          if (action === "cut") {
            peer.connection.end();
            peer = new Peer(broker).say(kept);
          }
          listen();
        }
        while (unacknowledged.length > 0) {
          acknowledge();
          listen();
        }
        expect(heard).toEqual(Array.from({ length: sent }, (_, i) => String.fromCharCode(48 + i)));
      }),
      runs(150),
    );
  });

  it("what `authorize` denies at that moment never arrives, whatever is queued, held up, retained, sent again or changed", () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant("publish" as const),
        topic: fc.constantFrom("a", "b"),
        retain: fc.boolean(),
        qos: fc.constantFrom(0, 1),
      }),
      fc.record({ do: fc.constant("toggle" as const), topic: fc.constantFrom("a", "b") }),
      fc.record({ do: fc.constant("reconnect" as const) }),
      fc.record({ do: fc.constant("subscribe" as const), topic: fc.constantFrom("a", "b") }),
      fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 300 }) }),
    );
    const troubled = fc.integer().map((seed) => ({ disorder: { seed, probability: 0.7, holdMs: 200 } }));
    let delivered = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 15, maxLength: 40 }), fc.oneof(behaviour, troubled), (steps, how) => {
        let now = 0;
        const denied = new Set<string>();
        const broker = new Broker({
          now: () => now,
          maxInFlight: 2,
          ...how,
          connectsPerSecond: undefined,
          subscribeDelayMs: undefined,
          authorize: (action) => action.type !== "receive" || !denied.has(action.topic) || { denied: "now" },
        });
        const kept = connect("me", { cleanSession: false });
        let peer = new Peer(broker).say(kept, subscribe(1, ["a", 1], ["b", 1]));
        for (const each of steps) {
          if (each.do === "publish")
            broker.publish({
              topic: each.topic,
              payload: Uint8Array.of(33),
              qos: each.qos as 0 | 1,
              retain: each.retain,
            });
          if (each.do === "toggle" && !denied.delete(each.topic)) denied.add(each.topic);
          if (each.do === "reconnect") {
            peer.connection.end();
            peer = new Peer(broker).say(kept);
          }
          if (each.do === "subscribe") peer.say(subscribe(2, [each.topic, 1]));
          if (each.do === "wait") peer.connection.handleTimeout((now += each.ms));
          // A PUBACK lets more in at once, which must not be held against the next step.
          for (let heard = peer.messages(); heard.length > 0; heard = peer.messages())
            for (const { topic, packetId } of heard) {
              expect(denied).not.toContain(topic);
              delivered++;
              if (packetId > 0 && packetId % 3 === 0) peer.say({ type: PacketType.PUBACK, packetId });
            }
        }
      }),
      runs(150),
    );
    expect(delivered).toBeGreaterThan(300);
  });
});
