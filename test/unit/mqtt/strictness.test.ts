/** Malformed and unexpected input, row by row: each is answered by an error that blames the peer and names the statement. */
import { describe, expect, it } from "vitest";
import { fromHex, utf8Encode } from "../../../src/bytes.ts";
import { MqttError, PacketParser, type PacketParserOptions } from "../../../src/mqtt/index.ts";

function parse(bytes: Uint8Array, options: PacketParserOptions, step: number): unknown {
  const parser = new PacketParser(options);
  try {
    for (let at = 0; at < bytes.length; at += step) {
      parser.feed(bytes.subarray(at, at + step));
      while (parser.next() !== undefined);
    }
  } catch (error) {
    expect(() => parser.next(), "the parser is dead").toThrow(MqttError);
    return error;
  }
  return undefined;
}

function expectRefused(hex: string, statement: string, options: PacketParserOptions, code?: string): void {
  for (const step of [1, 2, 1000]) {
    const error = parse(fromHex(hex), options, step);
    expect(error).toBeInstanceOf(MqttError);
    expect(error).toMatchObject({ blame: "peer", data: { statement }, ...(code === undefined ? {} : { code }) });
  }
}

const atClient: PacketParserOptions = { role: "client" };
const atServer: PacketParserOptions = { role: "server" };

const clientRows: readonly [name: string, hex: string, statement: string, code?: string][] = [
  ["[MQTT-1.5.3-1] overlong C0 80 in a topic", "30 05 0002 c080 61", "MQTT-1.5.3-1"],
  ["[MQTT-1.5.3-1] surrogate ED A0 80 in a topic", "30 06 0003 eda080 61", "MQTT-1.5.3-1"],
  ["[MQTT-1.5.3-1] cut UTF-8 in a topic", "30 04 0002 61c3", "MQTT-1.5.3-1"],
  ["[MQTT-1.5.3-2] U+0000 in a topic", "30 06 0003 610062 61", "MQTT-1.5.3-2"],
  ["[MQTT-3.3.2-2] # in a PUBLISH topic", "30 06 0003 612f23 61", "MQTT-3.3.2-2"],
  ["[MQTT-3.3.2-2] + in a PUBLISH topic", "30 06 0003 2b2f61 61", "MQTT-3.3.2-2"],
  ["[MQTT-4.7.3-1] empty topic", "30 03 0000 61", "MQTT-4.7.3-1"],
  ["[MQTT-3.3.1-4] QoS 3", "36 07 0003 612f62 0001", "MQTT-3.3.1-4"],
  ["[MQTT-3.3.1-2] DUP at QoS 0", "38 05 0003 612f62", "MQTT-3.3.1-2"],
  ["[MQTT-2.3.1-1] identifier 0 in PUBLISH", "32 07 0003 612f62 0000", "MQTT-2.3.1-1"],
  ["[MQTT-2.3.1-1] identifier 0 in PUBACK", "40 02 0000", "MQTT-2.3.1-1"],
  ["[MQTT-2.3.1-1] identifier 0 in SUBACK", "90 03 0000 00", "MQTT-2.3.1-1"],
  ["[MQTT-2.3.1-1] identifier 0 in UNSUBACK", "b0 02 0000", "MQTT-2.3.1-1"],
  ["[MQTT-4.8.0-1] QoS 1 PUBLISH without an identifier", "32 05 0003 612f62 30 05", "MQTT-4.8.0-1"],
  ["[MQTT-4.8.0-1] QoS 1 PUBLISH with half an identifier", "32 06 0003 612f62 00", "MQTT-4.8.0-1"],
  ["[MQTT-4.8.0-1] topic longer than the packet", "30 04 0010 6161", "MQTT-4.8.0-1"],
  ["[MQTT-4.8.0-1] PUBLISH without a topic length", "30 01 00", "MQTT-4.8.0-1"],
  ["[MQTT-4.8.0-1] PUBLISH of nothing", "30 00", "MQTT-4.8.0-1"],
  ["[MQTT-4.8.0-1] PUBACK of 0 bytes", "40 00", "MQTT-4.8.0-1"],
  ["[MQTT-4.8.0-1] PUBACK of 3 bytes", "40 03 0001 00", "MQTT-4.8.0-1"],
  ["[MQTT-4.8.0-1] PUBREC of 1 byte", "50 01 01", "MQTT-4.8.0-1"],
  ["[MQTT-4.8.0-1] UNSUBACK of 3 bytes", "b0 03 0001 00", "MQTT-4.8.0-1"],
  ["[MQTT-4.8.0-1] PINGRESP of 1 byte", "d0 01 00", "MQTT-4.8.0-1"],
  ["[MQTT-2.2.2-2] PUBACK with flags", "42 02 0001", "MQTT-2.2.2-2"],
  ["[MQTT-2.2.2-2] PUBREL with flags 0", "60 02 0001", "MQTT-2.2.2-2"],
  ["[MQTT-2.2.2-2] PINGRESP with flags", "d1 00", "MQTT-2.2.2-2"],
  ["[MQTT-2.2.2-2] CONNACK with flags", "21 02 0000", "MQTT-2.2.2-2"],
  ["[MQTT-3.9.3-1] SUBACK without codes", "90 02 0001", "MQTT-3.9.3-1"],
  ["[MQTT-3.9.3-2] SUBACK code 3", "90 03 0001 03", "MQTT-3.9.3-2"],
  ["[MQTT-3.9.3-2] SUBACK code 0x81", "90 03 0001 81", "MQTT-3.9.3-2"],
  ["[MQTT-4.8.0-1] CONNACK of 1 byte", "20 01 00", "MQTT-4.8.0-1"],
  ["[MQTT-4.8.0-1] CONNACK of 3 bytes", "20 03 000000", "MQTT-4.8.0-1"],
  ["[MQTT-2.2.2-2] CONNACK with reserved acknowledge flags", "20 02 0200", "MQTT-2.2.2-2"],
  ["[MQTT-3.2.2-4] CONNACK with session present and code 5", "20 02 0105", "MQTT-3.2.2-4"],
  [
    "[MQTT-4.8.0-1] CONNECT from a server",
    "10 0c 0004 4d515454 04 02 003c 0000",
    "MQTT-4.8.0-1",
    "MQTT_UNEXPECTED_PACKET",
  ],
  ["[MQTT-4.8.0-1] SUBSCRIBE from a server", "82 06 0001 0001 61 00", "MQTT-4.8.0-1", "MQTT_UNEXPECTED_PACKET"],
  ["[MQTT-4.8.0-1] UNSUBSCRIBE from a server", "a2 05 0001 0001 61", "MQTT-4.8.0-1", "MQTT_UNEXPECTED_PACKET"],
  ["[MQTT-4.8.0-1] PINGREQ from a server", "c0 00", "MQTT-4.8.0-1", "MQTT_UNEXPECTED_PACKET"],
  ["[MQTT-4.8.0-1] DISCONNECT from a server", "e0 00", "MQTT-4.8.0-1", "MQTT_UNEXPECTED_PACKET"],
  ["[MQTT-4.8.0-1] type 0", "00 00", "MQTT-4.8.0-1"],
  ["[MQTT-4.8.0-1] type 15", "f0 00", "MQTT-4.8.0-1"],
  ["[MQTT-4.8.0-1] remaining length of five bytes", "30 8080808001", "MQTT-4.8.0-1", "MQTT_INVALID_REMAINING_LENGTH"],
];

const serverRows: readonly [name: string, hex: string, statement: string, code?: string][] = [
  ["[MQTT-4.8.0-1] CONNACK from a client", "20 02 0000", "MQTT-4.8.0-1", "MQTT_UNEXPECTED_PACKET"],
  ["[MQTT-4.8.0-1] SUBACK from a client", "90 03 0001 00", "MQTT-4.8.0-1", "MQTT_UNEXPECTED_PACKET"],
  ["[MQTT-4.8.0-1] UNSUBACK from a client", "b0 02 0001", "MQTT-4.8.0-1", "MQTT_UNEXPECTED_PACKET"],
  ["[MQTT-4.8.0-1] PINGRESP from a client", "d0 00", "MQTT-4.8.0-1", "MQTT_UNEXPECTED_PACKET"],
  ["[MQTT-2.2.2-2] SUBSCRIBE with flags 0", "80 06 0001 0001 61 00", "MQTT-2.2.2-2"],
  ["[MQTT-2.2.2-2] UNSUBSCRIBE with flags 3", "a3 05 0001 0001 61", "MQTT-2.2.2-2"],
  ["[MQTT-3.8.3-3] SUBSCRIBE without filters", "82 02 0001", "MQTT-3.8.3-3"],
  ["[MQTT-3-8.3-4] SUBSCRIBE with QoS 3", "82 06 0001 0001 61 03", "MQTT-3-8.3-4"],
  ["[MQTT-3-8.3-4] SUBSCRIBE with reserved bits", "82 06 0001 0001 61 41", "MQTT-3-8.3-4"],
  ["[MQTT-4.7.1-2] SUBSCRIBE with # amid", "82 08 0001 0003 232f61 00", "MQTT-4.7.1-2"],
  ["[MQTT-4.7.1-3] SUBSCRIBE with + in a level", "82 07 0001 0002 612b 00", "MQTT-4.7.1-3"],
  ["[MQTT-4.7.3-1] SUBSCRIBE with an empty filter", "82 05 0001 0000 00", "MQTT-4.7.3-1"],
  ["[MQTT-1.5.3-2] SUBSCRIBE with U+0000", "82 06 0001 0001 00 00", "MQTT-1.5.3-2"],
  ["[MQTT-2.3.1-1] SUBSCRIBE with identifier 0", "82 06 0000 0001 61 00", "MQTT-2.3.1-1"],
  ["[MQTT-4.8.0-1] SUBSCRIBE without a QoS byte", "82 05 0001 0001 61", "MQTT-4.8.0-1"],
  ["[MQTT-3.10.3-2] UNSUBSCRIBE without filters", "a2 02 0001", "MQTT-3.10.3-2"],
  ["[MQTT-2.3.1-1] UNSUBSCRIBE with identifier 0", "a2 05 0000 0001 61", "MQTT-2.3.1-1"],
  ["[MQTT-3.1.2-1] CONNECT with another protocol", "10 0c 0004 4d515455 04 02 003c 0000", "MQTT-3.1.2-1"],
  [
    "[MQTT-3.1.2-2] CONNECT with level 5",
    "10 0c 0004 4d515454 05 02 003c 0000",
    "MQTT-3.1.2-2",
    "MQTT_UNSUPPORTED_PROTOCOL_LEVEL",
  ],
  ["[MQTT-3.1.2-3] CONNECT with the reserved flag", "10 0c 0004 4d515454 04 03 003c 0000", "MQTT-3.1.2-3"],
  ["[MQTT-3.1.2-13] CONNECT with will QoS and no will", "10 0c 0004 4d515454 04 0a 003c 0000", "MQTT-3.1.2-13"],
  ["[MQTT-3.1.2-14] CONNECT with will QoS 3", "10 0c 0004 4d515454 04 1e 003c 0000", "MQTT-3.1.2-14"],
  ["[MQTT-3.1.2-15] CONNECT with will retain and no will", "10 0c 0004 4d515454 04 22 003c 0000", "MQTT-3.1.2-15"],
  ["[MQTT-3.1.2-22] CONNECT with a password only", "10 0f 0004 4d515454 04 42 003c 0000 0001 61", "MQTT-3.1.2-22"],
  ["[MQTT-4.8.0-1] CONNECT with bytes behind", "10 0d 0004 4d515454 04 02 003c 0000 00", "MQTT-4.8.0-1"],
  ["[MQTT-4.8.0-1] CONNECT without its client identifier", "10 0a 0004 4d515454 04 02 003c", "MQTT-4.8.0-1"],
  ["[MQTT-2.2.2-2] DISCONNECT with flags", "e1 00", "MQTT-2.2.2-2"],
];

describe("malformed input at a client", () => {
  it.each(clientRows)("%s", (_name, hex, statement, code) => expectRefused(hex, statement, atClient, code));
});

describe("malformed input at a server", () => {
  it.each(serverRows)("%s", (_name, hex, statement, code) => expectRefused(hex, statement, atServer, code));
});

describe("what is accepted on purpose", () => {
  it("[MQTT-1.5.3-3] keeps U+FEFF wherever it stands", () => {
    const parser = new PacketParser(atClient);
    parser.feed(fromHex("30 07 0005 efbbbf 61 62"));
    expect(parser.next()).toMatchObject({ topic: "\ufeffab" });
  });

  it("tolerates a remaining length that is longer than needed, unless told otherwise", () => {
    const bytes = fromHex("30 8300 0001 61");
    const tolerant = new PacketParser(atClient);
    tolerant.feed(bytes);
    expect(tolerant.next()).toMatchObject({ topic: "a" });
    expectRefused(
      "30 8300 0001 61",
      "MQTT-4.8.0-1",
      { role: "client", minimalLength: true },
      "MQTT_INVALID_REMAINING_LENGTH",
    );
  });
});

describe("the size limit", () => {
  it("refuses 268,435,455 bytes when their length is known, before anything is buffered", () => {
    const parser = new PacketParser(atClient);
    parser.feed(fromHex("30 ffffff7f"));
    expect(() => parser.next()).toThrow(expect.objectContaining({ code: "MQTT_PACKET_TOO_LARGE", blame: "peer" }));
    expect(parser.buffered).toBeLessThan(10);
  });

  it("takes a packet of exactly the limit and refuses one byte more", () => {
    const packet = (payload: number) => new Uint8Array([0x30, 3 + payload, 0, 1, 0x61, ...new Uint8Array(payload)]);
    const parser = new PacketParser({ role: "client", maxPacketBytes: 25 });
    parser.feed(packet(20));
    expect(parser.next()).toMatchObject({ payload: new Uint8Array(20) });
    parser.feed(packet(21));
    expect(() => parser.next()).toThrow(expect.objectContaining({ code: "MQTT_PACKET_TOO_LARGE" }));
  });

  it("takes no more than one largest packet at a time", () => {
    const parser = new PacketParser({ role: "client", maxPacketBytes: 2000 });
    const flood = new Uint8Array(5000).fill(0x30);
    expect(parser.feed(flood)).toBe(2000);
    expect(parser.feed(flood)).toBe(0);
  });

  it("moves what is left to the front, and packets stay whole", () => {
    const parser = new PacketParser({ role: "client", maxPacketBytes: 600 });
    const packets = Array.from({ length: 50 }, (_, i) => {
      const payload = utf8Encode(`${i}`.padEnd(300, "."));
      return new Uint8Array([0x30, 0x80 | ((3 + 300) & 127), (3 + 300) >> 7, 0, 1, 0x61, ...payload]);
    });
    const seen: string[] = [];
    for (const packet of packets) {
      for (let at = 0; at < packet.length; ) {
        at += parser.feed(packet.subarray(at, at + 97));
        for (let next = parser.next(); next !== undefined; next = parser.next()) {
          if (next.type === 3) seen.push(String.fromCharCode(...next.payload).replace(/\.+$/, ""));
        }
      }
    }
    expect(seen).toEqual(packets.map((_, i) => `${i}`));
  });

  it("refuses a limit that is none", () => {
    for (const maxPacketBytes of [0, -1, Number.NaN, 2 ** 30]) {
      expect(() => new PacketParser({ role: "client", maxPacketBytes })).toThrow(
        expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }),
      );
    }
  });
});
