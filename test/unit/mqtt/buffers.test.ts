import { describe, expect, it } from "vitest";
import { Broker } from "../../../src/mqtt/broker.ts";
import { encode } from "../../../src/mqtt/encode.ts";
import { PacketOutput } from "../../../src/mqtt/packet-output.ts";
import { type Packet, PacketType } from "../../../src/mqtt/packets.ts";

/** A payload as Node's users have it: a Buffer, whose `slice()` is no copy. */
const payload = (): Buffer => Buffer.alloc(64, 7);

describe("a payload that is a Buffer of Node's is copied where a Uint8Array is", () => {
  it("PacketOutput.detach: its owner may change it then", () => {
    const mine = payload();
    const packet: Packet = {
      type: PacketType.PUBLISH,
      dup: false,
      qos: 0,
      retain: false,
      topic: "a",
      packetId: 0,
      payload: mine,
    };
    const whole = encode({ ...packet, payload: payload() });
    const output = new PacketOutput();
    const room = new Uint8Array(whole.length);
    const at = output.begin(packet, room.subarray(0, 10), 0);
    output.detach();
    mine.fill(0);
    output.continue(room, at);
    expect(room).toEqual(whole);
  });

  it("Broker.publish: what was routed stays as it was", () => {
    const broker = new Broker({ now: () => 0 });
    const mine = payload();
    const received: Uint8Array[] = [];
    broker.subscribe("a", (message) => void received.push(message.payload));
    broker.publish({ topic: "a", payload: mine });
    mine.fill(0);
    expect(received).toEqual([new Uint8Array(payload())]);
  });
});
