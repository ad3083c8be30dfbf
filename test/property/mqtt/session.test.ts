/** The session engine under any cut of its input, any room for its output, and hostile bytes. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat } from "../../../src/bytes.ts";
import { encode, MqttSession, type MqttSessionEvent, type Packet, PacketType } from "../../../src/mqtt/index.ts";
import { arbitraries, chunked } from "../../../src/testing/index.ts";
import { runs } from "../../runs.ts";
import { connack, text } from "../../unit/mqtt/session-harness.ts";

interface Seen {
  readonly events: MqttSessionEvent[];
  readonly output: number[];
  readonly pending: number;
}

/** Connects, queues operations, and plays the input; the output is taken once at the end, through room of the given size. */
function play(input: readonly Uint8Array[], roomBytes: number): Seen {
  const session = new MqttSession({ clientId: "c", cleanSession: false });
  const events: MqttSessionEvent[] = [];
  const output: number[] = [];
  const flush = () => {
    while (session.nextOutputBytes() > 0) {
      const room = new Uint8Array(roomBytes);
      const written = session.encodeOutput(room, 0);
      expect(written).toBeGreaterThan(0);
      output.push(...room.subarray(0, written));
    }
  };
  const takeEvents = () => {
    for (let event: MqttSessionEvent | undefined; (event = session.nextEvent()); ) {
      events.push(event.type === "message" ? { ...event, payload: event.payload.slice() } : event);
    }
  };
  session.connect(0);
  flush();
  session.feed(encode(connack));
  takeEvents();
  session.publish({ topic: "a", payload: text("first"), qos: 1 });
  session.subscribe([{ filter: "a/#", qos: 1 }]);
  session.unsubscribe(["b"]);
  session.publish({ topic: "b", payload: new Uint8Array(500), qos: 1 });
  flush();
  for (const piece of input) {
    for (let at = 0; at < piece.length; ) {
      const lent = piece.slice(at);
      at += session.feed(lent);
      lent.fill(0x2b);
      takeEvents();
    }
  }
  flush();
  takeEvents();
  return { events, output, pending: session.pending };
}

/** What a server may say to those operations, right or wrong. */
const answers = (): fc.Arbitrary<Packet> =>
  fc.oneof(
    { weight: 3, arbitrary: arbitraries.mqtt.publish() },
    {
      weight: 2,
      arbitrary: fc.constantFrom<Packet>(
        { type: PacketType.PUBACK, packetId: 1 },
        { type: PacketType.PUBACK, packetId: 4 },
      ),
    },
    fc.constant<Packet>({ type: PacketType.SUBACK, packetId: 2, returnCodes: [1] }),
    fc.constant<Packet>({ type: PacketType.UNSUBACK, packetId: 3 }),
    fc.constant<Packet>({ type: PacketType.PINGRESP }),
    arbitraries.mqtt.fromServer(),
  );

describe("the session", { timeout: 300_000 }, () => {
  it("gives the same events and the same output, however input is cut and however small the room is", () => {
    fc.assert(
      fc.property(
        fc.array(answers(), { maxLength: 12 }),
        chunked(),
        fc.integer({ min: 1, max: 80 }),
        (packets, cut, roomBytes) => {
          const bytes = concat(packets.map(encode));
          const whole = play([bytes], 65_536);
          const pieces = play(cut(bytes), roomBytes);
          expect(pieces).toEqual(whole);
        },
      ),
      runs(100),
    );
  });

  it("answers any bytes by events or by one error that blames the peer, and stays usable", () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(fc.array(answers(), { minLength: 1, maxLength: 6 }), fc.nat(), fc.nat(255))
        .map(([packets, at, value]) => {
          const bytes = concat(packets.map(encode));
          bytes[at % bytes.length] = value;
          return bytes;
        }),
    );
    fc.assert(
      fc.property(hostile, chunked(), (bytes, cut) => {
        const { events } = play(cut(bytes), 300);
        const closed = events.filter((event) => event.type === "closed");
        expect(closed.length).toBeLessThanOrEqual(1);
        for (const { error } of closed) expect(error).toMatchObject({ layer: "mqtt", blame: "peer" });
      }),
      runs(400),
    );
  });
});
