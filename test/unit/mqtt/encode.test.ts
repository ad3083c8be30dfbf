import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/bytes.ts";
import { encode, encodeInto, type Packet, PacketType, packetSize } from "../../../src/mqtt/index.ts";

const connect = {
  type: PacketType.CONNECT,
  clientId: "a",
  cleanSession: true,
  keepAliveSeconds: 60,
  will: undefined,
  username: undefined,
  password: undefined,
} as const;
const will = { topic: "w", payload: fromHex("01"), qos: 1, retain: true } as const;
const publish = {
  type: PacketType.PUBLISH,
  dup: false,
  qos: 0,
  retain: false,
  topic: "a",
  packetId: 0,
  payload: fromHex("ff"),
} as const;

const written: readonly [name: string, packet: Packet, hex: string][] = [
  ["[MQTT-3.1.3-3] CONNECT with the client identifier first", connect, "100d00044d51545404 02 003c 000161"],
  [
    "[MQTT-3.1.3-1] CONNECT with its fields in order: identifier, will topic, will message, user name, password",
    { ...connect, cleanSession: false, will, username: "u", password: fromHex("70") },
    "101900044d51545404 ec 003c 000161 000177 000101 000175 000170",
  ],
  [
    "[MQTT-3.1.2-11] CONNECT without a will: will QoS and retain 0, fields absent",
    { ...connect, username: "u" },
    "101000044d51545404 82 003c 000161 000175",
  ],
  [
    "[MQTT-3.1.2-18] [MQTT-3.1.2-20] without user name and password their flags and fields are absent",
    { ...connect, will },
    "101300044d51545404 2e 003c 000161 000177 000101",
  ],
  ["CONNACK", { type: PacketType.CONNACK, sessionPresent: true, returnCode: 0 }, "20020100"],
  ["[MQTT-2.3.1-5] PUBLISH QoS 0 without an identifier", publish, "3004000161ff"],
  ["PUBLISH QoS 1", { ...publish, qos: 1, dup: true, retain: true, packetId: 258 }, "3b060001610102ff"],
  ["PUBACK", { type: PacketType.PUBACK, packetId: 1 }, "40020001"],
  ["PUBREC", { type: PacketType.PUBREC, packetId: 1 }, "50020001"],
  ["[MQTT-3.6.1-1] PUBREL with flags 0010", { type: PacketType.PUBREL, packetId: 1 }, "62020001"],
  ["PUBCOMP", { type: PacketType.PUBCOMP, packetId: 65535 }, "7002ffff"],
  [
    "[MQTT-3.8.1-1] SUBSCRIBE with flags 0010",
    { type: PacketType.SUBSCRIBE, packetId: 1, subscriptions: [{ filter: "a/#", qos: 1 }] },
    "82080001 0003612f23 01",
  ],
  ["SUBACK", { type: PacketType.SUBACK, packetId: 1, returnCodes: [0, 128] }, "90040001 00 80"],
  [
    "[MQTT-3.10.1-1] UNSUBSCRIBE with flags 0010",
    { type: PacketType.UNSUBSCRIBE, packetId: 1, filters: ["a", "b"] },
    "a2080001 000161 000162",
  ],
  ["UNSUBACK", { type: PacketType.UNSUBACK, packetId: 1 }, "b0020001"],
  ["PINGREQ", { type: PacketType.PINGREQ }, "c000"],
  ["PINGRESP", { type: PacketType.PINGRESP }, "d000"],
  ["DISCONNECT", { type: PacketType.DISCONNECT }, "e000"],
];

const refused: readonly [name: string, packet: Packet, code: string, statement: string | undefined][] = [
  [
    "[MQTT-3.1.3-7] an empty client identifier without a clean session",
    { ...connect, clientId: "", cleanSession: false },
    "MQTT_INVALID_PACKET",
    "MQTT-3.1.3-7",
  ],
  [
    "[MQTT-3.1.3-4] a client identifier that is no text",
    { ...connect, clientId: "\ud800" },
    "MQTT_INVALID_PACKET",
    "MQTT-3.1.3-4",
  ],
  [
    "[MQTT-1.5.3-2] a client identifier with U+0000",
    { ...connect, clientId: "a\0" },
    "MQTT_INVALID_PACKET",
    "MQTT-1.5.3-2",
  ],
  [
    "[MQTT-3.1.3-11] a user name that is no text",
    { ...connect, username: "\udc00" },
    "MQTT_INVALID_PACKET",
    "MQTT-3.1.3-11",
  ],
  ["a user name of 65,536 bytes", { ...connect, username: "a".repeat(65_536) }, "MQTT_INVALID_PACKET", "MQTT-3.1.3-11"],
  [
    "[MQTT-3.1.2-22] a password without a user name",
    { ...connect, password: fromHex("70") },
    "MQTT_INVALID_PACKET",
    "MQTT-3.1.2-22",
  ],
  [
    "[MQTT-3.1.2-14] will QoS 3",
    { ...connect, will: { ...will, qos: 3 as 2 } },
    "MQTT_INVALID_PACKET",
    "MQTT-3.1.2-14",
  ],
  [
    "[MQTT-3.1.3-10] a will topic that is no text",
    { ...connect, will: { ...will, topic: "\ud800" } },
    "MQTT_INVALID_TOPIC",
    "MQTT-1.5.3-1",
  ],
  [
    "a will topic with a wildcard",
    { ...connect, will: { ...will, topic: "a/#" } },
    "MQTT_INVALID_TOPIC",
    "MQTT-4.7.1-1",
  ],
  [
    "a will of 65,536 bytes",
    { ...connect, will: { ...will, payload: new Uint8Array(65_536) } },
    "MQTT_INVALID_PACKET",
    undefined,
  ],
  ["keep-alive 65,536", { ...connect, keepAliveSeconds: 65_536 }, "MQTT_INVALID_PACKET", undefined],
  [
    "[MQTT-3.2.2-4] session present with a refusal",
    { type: PacketType.CONNACK, sessionPresent: true, returnCode: 5 },
    "MQTT_INVALID_PACKET",
    "MQTT-3.2.2-4",
  ],
  [
    "return code 256",
    { type: PacketType.CONNACK, sessionPresent: false, returnCode: 256 },
    "MQTT_INVALID_PACKET",
    undefined,
  ],
  ["[MQTT-4.7.1-1] [MQTT-3.3.2-2] PUBLISH to a/#", { ...publish, topic: "a/#" }, "MQTT_INVALID_TOPIC", "MQTT-4.7.1-1"],
  ["[MQTT-4.7.3-1] PUBLISH to nothing", { ...publish, topic: "" }, "MQTT_INVALID_TOPIC", "MQTT-4.7.3-1"],
  [
    "[MQTT-4.7.3-2] PUBLISH to a topic with U+0000",
    { ...publish, topic: "a\0b" },
    "MQTT_INVALID_TOPIC",
    "MQTT-4.7.3-2",
  ],
  [
    "[MQTT-4.7.3-3] PUBLISH to a topic of 70,000 bytes",
    { ...publish, topic: "a".repeat(70_000) },
    "MQTT_INVALID_TOPIC",
    "MQTT-4.7.3-3",
  ],
  [
    "[MQTT-3.3.2-1] PUBLISH to a topic that is no text",
    { ...publish, topic: "\udfff" },
    "MQTT_INVALID_TOPIC",
    "MQTT-1.5.3-1",
  ],
  ["[MQTT-3.3.1-4] PUBLISH QoS 3", { ...publish, qos: 3 as 2, packetId: 1 }, "MQTT_INVALID_PACKET", "MQTT-3.3.1-4"],
  ["[MQTT-3.3.1-2] PUBLISH QoS 0 with DUP", { ...publish, dup: true }, "MQTT_INVALID_PACKET", "MQTT-3.3.1-2"],
  [
    "[MQTT-2.3.1-5] PUBLISH QoS 0 with an identifier",
    { ...publish, packetId: 1 },
    "MQTT_INVALID_PACKET",
    "MQTT-2.3.1-5",
  ],
  ["[MQTT-2.3.1-1] PUBLISH QoS 1 with identifier 0", { ...publish, qos: 1 }, "MQTT_INVALID_PACKET", "MQTT-2.3.1-1"],
  [
    "[MQTT-2.3.1-1] PUBACK with identifier 65,536",
    { type: PacketType.PUBACK, packetId: 65_536 },
    "MQTT_INVALID_PACKET",
    "MQTT-2.3.1-1",
  ],
  [
    "[MQTT-3.8.3-3] SUBSCRIBE without filters",
    { type: PacketType.SUBSCRIBE, packetId: 1, subscriptions: [] },
    "MQTT_INVALID_PACKET",
    "MQTT-3.8.3-3",
  ],
  [
    "[MQTT-3-8.3-4] SUBSCRIBE with QoS 3",
    { type: PacketType.SUBSCRIBE, packetId: 1, subscriptions: [{ filter: "a", qos: 3 as 2 }] },
    "MQTT_INVALID_PACKET",
    "MQTT-3-8.3-4",
  ],
  [
    "[MQTT-3.8.3-1] SUBSCRIBE to what is no text",
    { type: PacketType.SUBSCRIBE, packetId: 1, subscriptions: [{ filter: "\ud800", qos: 0 }] },
    "MQTT_INVALID_TOPIC",
    "MQTT-1.5.3-1",
  ],
  [
    "[MQTT-3.10.3-2] UNSUBSCRIBE without filters",
    { type: PacketType.UNSUBSCRIBE, packetId: 1, filters: [] },
    "MQTT_INVALID_PACKET",
    "MQTT-3.10.3-2",
  ],
  [
    "[MQTT-3.10.3-1] UNSUBSCRIBE from what is no text",
    { type: PacketType.UNSUBSCRIBE, packetId: 1, filters: ["\ud800"] },
    "MQTT_INVALID_TOPIC",
    "MQTT-1.5.3-1",
  ],
  [
    "[MQTT-3.9.3-1] SUBACK without codes",
    { type: PacketType.SUBACK, packetId: 1, returnCodes: [] },
    "MQTT_INVALID_PACKET",
    "MQTT-3.9.3-1",
  ],
  [
    "[MQTT-3.9.3-2] SUBACK with code 3",
    { type: PacketType.SUBACK, packetId: 1, returnCodes: [3] },
    "MQTT_INVALID_PACKET",
    "MQTT-3.9.3-2",
  ],
  ["[MQTT-2.2.2-1] a reserved packet type", { type: 15 } as unknown as Packet, "MQTT_INVALID_PACKET", "MQTT-2.2.2-1"],
  [
    "a remaining length above 268,435,455",
    { ...publish, payload: { length: 268_435_456 } as Uint8Array },
    "MQTT_PACKET_OVER_LIMIT",
    undefined,
  ],
];

describe("encode", () => {
  it.each(written)("%s", (_name, packet, hex) => {
    expect(toHex(encode(packet))).toBe(hex.replace(/ /g, ""));
    expect(packetSize(packet)).toBe(encode(packet).length);
  });

  it.each(refused)("refuses %s", (_name, packet, code, statement) => {
    let caught: unknown;
    try {
      encode(packet);
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code, blame: "caller", data: statement === undefined ? {} : { statement } });
  });

  it("writes into given room and says where it ends", () => {
    const room = new Uint8Array(8);
    expect(encodeInto({ type: PacketType.PUBACK, packetId: 7 }, room, 3)).toBe(7);
    expect(toHex(room)).toBe("0000004002000700");
    expect(() => encodeInto({ type: PacketType.PUBACK, packetId: 7 }, room, 5)).toThrow(/room for 3 bytes/);
  });

  it.each([
    [127 - 3, 2],
    [128 - 3, 3],
    [16_383 - 3, 3],
    [16_384 - 3, 4],
    [2_097_151 - 3, 4],
    [2_097_152 - 3, 5],
  ])("MQTT 3.1.1 §2.2.3: a payload of %i bytes has a header of %i", (payload, header) => {
    expect(encode({ ...publish, payload: new Uint8Array(payload) }).length).toBe(header + 3 + payload);
  });
});
