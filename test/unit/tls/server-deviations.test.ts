/**
 * The server engine's script: each kind of deviation does what it says on the wire, and our client gives it its error.
 */
import { describe, expect, it } from "vitest";
import { concat } from "../../../src/bytes.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { DeviatingFramer } from "../../../src/tls/deviating-framer.ts";
import { alertRecord, alterFields, type Deviation } from "../../../src/tls/deviations.ts";
import type { TlsErrorCode } from "../../../src/tls/errors.ts";
import { ContentType } from "../../../src/tls/record.ts";
import { Driver, ecIdentity } from "./client.ts";
import { Dialog, ServerDriver } from "./server.ts";

const { handshake, application_data } = ContentType;
const bytes = (...values: number[]) => Uint8Array.from(values);
const flip = (at: number) => (from: Uint8Array) =>
  from.map((byte, i) => (i === (at + from.length) % from.length ? byte ^ 1 : byte));

interface Row {
  readonly title: string;
  readonly script: readonly Deviation[];
  /** The client's. */
  readonly code: TlsErrorCode;
  /** What the server gets for it; `undefined` where it has ended before. */
  readonly alert?: number;
}

const refused: Row[] = [
  {
    title: "alter: a wrong version",
    script: [alterFields("ServerHello", (hello) => ({ ...hello, version: 0x0302 }))],
    code: "TLS_UNSUPPORTED_VERSION",
    alert: 70,
  },
  {
    title: "alter: a suite that was not offered",
    script: [alterFields("ServerHello", (hello) => ({ ...hello, suite: 0x1301 }))],
    code: "TLS_UNOFFERED_SUITE",
    alert: 47,
  },
  {
    title: "alter: an extension that was not asked for",
    script: [alterFields("ServerHello", (hello) => ({ ...hello, extensions: [{ type: 35, data: bytes() }] }))],
    code: "TLS_UNSOLICITED_EXTENSION",
    alert: 110,
  },
  {
    title: "alter: no certificate",
    script: [alterFields("Certificate", () => [])],
    code: "TLS_CERTIFICATE_MISSING",
    alert: 42,
  },
  {
    title: "alter: a wrong signature",
    script: [alterFields("ServerKeyExchange", (right) => ({ ...right, signature: flip(-1)(right.signature) }))],
    code: "TLS_BAD_SIGNATURE",
    alert: 51,
  },
  {
    title: "alter: no type of certificate, so that the client shows none",
    script: [alterFields("CertificateRequest", (request) => ({ ...request, types: [2] }))],
    // The server refuses it.
    code: "TLS_ALERT_RECEIVED",
  },
  {
    title: "alter: a wrong Finished",
    script: [alterFields("Finished", flip(0))],
    code: "TLS_BAD_FINISHED",
    alert: 51,
  },
  {
    title: "alter: a message of another type",
    script: [{ on: "ServerHelloDone", alter: () => bytes(99, 0, 0, 0) }],
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "parameters: a point that is not on the curve, signed",
    script: [
      {
        on: "ServerKeyExchange",
        parameters: ({ group, publicKey }) => ({ group, publicKey: flip(-1)(publicKey) }),
      },
    ],
    code: "TLS_INVALID_KEY_SHARE",
    alert: 47,
  },
  {
    title: "parameters: a group that was not offered, signed",
    script: [{ on: "ServerKeyExchange", parameters: ({ publicKey }) => ({ group: 26, publicKey }) }],
    code: "TLS_UNOFFERED_GROUP",
    alert: 47,
  },
  ...(["ServerHello", "Certificate", "ServerKeyExchange"] as const).map((on) => ({
    title: `times: ${on} twice`,
    script: [{ on, times: 2 }],
    code: "TLS_UNEXPECTED_MESSAGE" as const,
    alert: 10,
  })),
  ...(["ServerHello", "Certificate", "ServerKeyExchange"] as const).map((on) => ({
    title: `times: no ${on}`,
    script: [{ on, times: 0 }],
    code: "TLS_UNEXPECTED_MESSAGE" as const,
    alert: 10,
  })),
  {
    title: "times: ServerHelloDone twice",
    script: [{ on: "ServerHelloDone", times: 2 }],
    code: "TLS_UNEXPECTED_MESSAGE",
  },
  {
    title: "times: no ChangeCipherSpec, and so Finished in the clear",
    script: [
      { on: "ChangeCipherSpec", times: 0 },
      { on: "Finished", plain: true },
    ],
    code: "TLS_UNEXPECTED_MESSAGE",
  },
  {
    title: "postponeBehind: ServerKeyExchange before Certificate",
    script: [{ on: "Certificate", postponeBehind: "ServerKeyExchange" }],
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "postponeBehind: Finished before ChangeCipherSpec",
    script: [
      { on: "ChangeCipherSpec", postponeBehind: "Finished" },
      { on: "Finished", plain: true },
    ],
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "plain: Finished in the clear",
    script: [{ on: "Finished", plain: true }],
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
  {
    title: "before: an alert in the flight",
    script: [{ on: "ServerKeyExchange", before: [alertRecord(2, 80)] }],
    code: "TLS_ALERT_RECEIVED",
  },
  {
    title: "behind: data in the handshake",
    script: [{ on: "ServerHello", behind: [{ type: application_data, bytes: bytes(1) }] }],
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "behind: an alert right behind Finished, sealed",
    script: [{ on: "Finished", behind: [alertRecord(2, 48)] }],
    code: "TLS_ALERT_RECEIVED",
  },
  {
    title: "behind: a HelloRequest between ChangeCipherSpec and Finished, in the clear",
    script: [{ on: "ChangeCipherSpec", behind: [{ type: handshake, bytes: bytes(0, 0, 0, 0) }] }],
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
  {
    title: "fragments: an empty record",
    script: [{ on: "Certificate", fragments: [10, 0] }],
    code: "TLS_INVALID_RECORD",
    alert: 10,
  },
  {
    title: "onlyOnWire: a change that the server does not know of",
    script: [{ ...alterFields("ServerHello", (hello) => ({ ...hello, sessionId: bytes(1) })), onlyOnWire: true }],
    // The transcripts differ: the client's signature is wrong for the server.
    code: "TLS_ALERT_RECEIVED",
  },
  {
    title: "header: another type",
    script: [{ on: "Certificate", header: { type: 99 } }],
    code: "TLS_INVALID_RECORD",
    alert: 10,
  },
  {
    title: "header: another version",
    script: [{ on: "Certificate", header: { version: 0x0301 } }],
    code: "TLS_UNSUPPORTED_VERSION",
    alert: 70,
  },
  {
    title: "header: two deviations of it add up",
    script: [
      { on: "Certificate", header: { version: 0x0301 } },
      { on: "Certificate", header: { length: 3 } },
    ],
    code: "TLS_UNSUPPORTED_VERSION",
    alert: 70,
  },
  {
    title: "header: a length beyond all limits",
    script: [{ on: "Certificate", header: { length: 0xffff } }],
    code: "TLS_RECORD_OVERFLOW",
    alert: 22,
  },
  {
    title: "wire: a changed tag",
    script: [{ on: "Finished", wire: flip(-1) }],
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
  {
    title: "wire: a record that is repeated",
    script: [{ on: "Finished", wire: (record) => concat([record, record]) }],
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
];

describe("a server with a script", () => {
  it.each(refused)("$title: $code", ({ script, code, alert }) => {
    const dialog = new Dialog({ deviations: script });
    expect(dialog.client.error?.code).toBe(code);
    if (alert !== undefined) expect(dialog.server.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", alert });
  });

  const harmless: (readonly [title: string, script: readonly Deviation[]])[] = [
    ["no deviation that ever happens", [{ on: "ServerHello", nth: 1, times: 0 }]],
    ["RFC 5246 §6.2.1 fragments: the certificate byte by byte", [{ on: "Certificate", fragments: [1] }]],
    ["onlyOnWire: nothing but the fragments", [{ on: "Certificate", fragments: [9], onlyOnWire: true }]],
    ["RFC 5246 §6.2.1 fragments: odd sizes", [{ on: "Certificate", fragments: [3, 1, 200] }]],
    ["RFC 5246 §6.2.1 fragments: Finished, sealed", [{ on: "Finished", fragments: [1, 4] }]],
    [
      "RFC 5246 §6.2.1 join: the flight in one record",
      (["ServerHello", "Certificate", "ServerKeyExchange", "CertificateRequest"] as const).map((on) => ({
        on,
        join: true,
      })),
    ],
    [
      "RFC 5246 §6.2.1 join and fragments: across the messages",
      [
        ...(["ServerHello", "Certificate", "ServerKeyExchange", "CertificateRequest"] as const).map((on) => ({
          on,
          join: true,
        })),
        { on: "ServerHelloDone", fragments: [100] },
      ],
    ],
    ["RFC 5246 §7.2 behind: a warning", [{ on: "ServerHello", behind: [alertRecord(1, 112)] }]],
    [
      "RFC 5246 §7.4.1.1 before: a HelloRequest",
      [{ on: "ServerHello", before: [{ type: handshake, bytes: bytes(0, 0, 0, 0) }] }],
    ],
    [
      "RFC 5246 §7.4.1.3 a session_id that the server means",
      [alterFields("ServerHello", (hello) => ({ ...hello, sessionId: bytes(1) }))],
    ],
    [
      "RFC 5246 §E.1 header: the ServerHello's record says TLS 1.0",
      [{ on: "ServerHello", header: { version: 0x0301 } }],
    ],
  ];
  it.each(harmless)("%s: the handshake succeeds, and data pass", (_title, deviations) => {
    const dialog = new Dialog({ deviations });
    expect(dialog.client.error ?? dialog.server.error).toBeUndefined();
    expect(dialog.isSecured).toBe(true);
    for (const size of [1, 3000, 16_384]) dialog.server.server.write(new Uint8Array(size).fill(size));
    dialog.run();
    dialog.client.client.write(bytes(5));
    dialog.run();
    expect(dialog.client.data[0]).toEqual(bytes(1));
    expect(dialog.server.data).toEqual([bytes(5)]);
  });

  it("RFC 7627 §5.2 the extended master secret can be left out", () => {
    const dialog = new Dialog({ extendedMasterSecret: false });
    expect(dialog.isSecured).toBe(true);
    expect(dialog.server.secured?.extendedMasterSecret).toBe(false);
  });

  it("nth counts the messages of a name; deviations of the same one are joined", () => {
    const dialog = new Dialog({
      deviations: [
        { on: "ApplicationData", nth: 1, header: { type: 99 } },
        { on: "ApplicationData", nth: 1, wire: (record) => record.subarray(0, 1) },
      ],
    });
    dialog.server.server.write(bytes(1));
    dialog.run();
    expect(dialog.client.data).toEqual([bytes(1)]);
    dialog.server.server.write(bytes(2));
    dialog.run();
    expect(dialog.client.error?.code).toBe("TLS_INVALID_RECORD");
  });

  it("alterations of the same message work one after the other, and what is put around it adds up", () => {
    const put = (byte: number) => [alertRecord(1, byte)];
    const dialog = new Dialog({
      deviations: [
        { on: "ApplicationData", alter: (data) => concat([data, bytes(2)]), before: put(90), behind: put(100) },
        { on: "ApplicationData", alter: (data) => concat([data, bytes(3)]), before: put(91), behind: put(101) },
        { on: "ApplicationData", wire: (record) => record.subarray(0, -1) },
        { on: "ApplicationData", wire: (record) => concat([record, record.subarray(-1)]) },
        { on: "ApplicationData", header: { version: 0x0302 }, times: undefined },
        { on: "ApplicationData", header: { version: 0x0303 } },
      ],
    });
    dialog.server.server.write(bytes(1));
    const sent = concat(dialog.server.output);
    expect(sent).toHaveLength(0);
    dialog.run();
    expect(dialog.client.error?.code).toBe("TLS_BAD_RECORD_MAC");
    expect(dialog.client.events).toMatchObject([
      { type: "secured" },
      { type: "warning", alert: 90 },
      { type: "warning", alert: 91 },
      { type: "fatal" },
    ]);
  });

  const HELLO = bytes(1, 2, 3);
  const data: (readonly [
    title: string,
    script: readonly Deviation[],
    received: readonly Uint8Array[],
    alert: number | undefined,
  ])[] = [
    [
      "alter",
      [{ on: "ApplicationData", alter: (right) => right.map((byte) => byte + 1) }],
      [bytes(2, 3, 4)],
      undefined,
    ],
    ["times: none", [{ on: "ApplicationData", times: 0 }], [], undefined],
    ["times: twice", [{ on: "ApplicationData", times: 2 }], [HELLO, HELLO], undefined],
    ["fragments", [{ on: "ApplicationData", fragments: [2, 0, 1] }], [bytes(1, 2), bytes(3)], undefined],
    ["behind: an alert", [{ on: "ApplicationData", behind: [alertRecord(2, 48)] }], [HELLO], 48],
    ["before: an alert", [{ on: "ApplicationData", before: [alertRecord(2, 49)] }], [], 49],
  ];
  it.each(data)("RFC 5246 §10 data are a message too: %s", (_title, deviations, received, alert) => {
    const dialog = new Dialog({ deviations });
    const room = dialog.server.server.reserve(10);
    room.set(HELLO);
    dialog.server.server.commit(HELLO.length);
    dialog.run();
    expect(dialog.client.data).toEqual(received);
    expect(dialog.client.error?.alert).toBe(alert);
    expect(() => dialog.server.server.commit(1)).toThrow(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
  });

  it("RFC 5246 §10 data can be in the clear, change places, and be in one record", () => {
    const write = (deviations: readonly Deviation[]) => {
      const dialog = new Dialog({ deviations });
      for (const value of [1, 2, 3]) dialog.server.server.write(bytes(value));
      dialog.run();
      return dialog.client;
    };
    expect(write([{ on: "ApplicationData", plain: true }]).error?.code).toBe("TLS_BAD_RECORD_MAC");
    const postponed = write([{ on: "ApplicationData", postponeBehind: "ApplicationData" }]);
    expect(postponed.data).toEqual([bytes(2), bytes(1), bytes(3)]);
    expect(write([{ on: "ApplicationData", join: true }]).data).toEqual([bytes(1, 2), bytes(3)]);
  });

  it("RFC 5246 §6.2.1 join: Finished waits for a handshake message, and data of the server leave behind it", () => {
    const dialog = new Dialog({ deviations: [{ on: "Finished", join: true }] });
    expect(dialog.client.isSecured).toBe(false);
    dialog.server.server.write(bytes(1));
    dialog.run();
    expect(dialog.client.data).toEqual([bytes(1)]);
  });

  it("RFC 5246 §7.2 join: two alerts in one record", () => {
    const dialog = new Dialog({ deviations: [{ on: "Alert", join: true, alter: () => bytes(1, 90) }] });
    // Refused with a warning, which waits; the next alert comes in one record with it.
    dialog.client.client.write(bytes(9));
    dialog.server.server.close();
    dialog.run();
    expect(dialog.client.events.map(({ type }) => type)).toEqual(["secured"]);
    dialog.server.server.abort(48);
    dialog.run();
    expect(dialog.client.events).toMatchObject([{}, { type: "warning", alert: 90 }, { error: { alert: 48 } }]);
  });

  it("what a script adds while a record is being sealed moves no byte of it", () => {
    const dialog = new Dialog({
      // Seals in steps.
      crypto: createCrypto(),
      deviations: [{ on: "ApplicationData", nth: 1, times: 3, behind: [{ type: application_data, bytes: bytes(7) }] }],
    });
    const { server } = dialog.server;
    for (let i = 0; i < 2; i++) expect(server.write(new Uint8Array(500).fill(i))).toBe(500);
    server.work(1);
    dialog.run();
    expect(dialog.client.error).toBeUndefined();
    expect(dialog.client.data.map((piece) => `${piece.length} of ${piece[0]}`)).toEqual([
      "500 of 0",
      "500 of 1",
      "500 of 1",
      "500 of 1",
      "1 of 7",
    ]);
  });

  it("what was reserved is gone once something else was added", () => {
    const framer = new DeviatingFramer([]);
    expect(framer.reserve(5)).toHaveLength(5);
    framer.add(ContentType.alert, bytes(1, 100));
    expect(framer.commit(1)).toBe(false);
    framer.reserve(2);
    expect(framer.commit(3)).toBe(false);
    expect(framer.commit(2)).toBe(true);
    expect(framer.commit(1)).toBe(false);
  });

  it("what is no count is refused", () => {
    for (const wrong of [{ fragments: [-1] }, { fragments: [1.5] }, { times: -1 }, { times: Number.NaN }, { nth: 0.5 }])
      expect(() => new ServerDriver({ deviations: [{ on: "Finished", ...wrong }] })).toThrow(
        expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT", message: expect.stringContaining("Finished") }),
      );
  });

  it("an alert can be altered: abort says another one", () => {
    const dialog = new Dialog({ deviations: [{ on: "Alert", alter: () => bytes(2, 45) }] });
    dialog.server.server.abort(48);
    dialog.run();
    expect(dialog.client.error).toMatchObject({ alert: 45 });
  });

  it("an alert can be dropped", () => {
    const dialog = new Dialog({ deviations: [{ on: "Alert", times: 0 }], admit: () => 46 });
    expect(dialog.server.error).toMatchObject({ alert: 46 });
    expect(dialog.client.error).toBeUndefined();
  });
});

describe("a server that is slow by its script", () => {
  /** The server, once it got the ClientHello. */
  function started(deviations: readonly Deviation[]) {
    const client = new Driver({ identity: ecIdentity });
    const server = new ServerDriver({ deviations });
    server.feed(client.output.splice(0)[0]!);
    return { client, server };
  }
  const recordsOf = (stream: Uint8Array): number => {
    let count = 0;
    for (let at = 0; at < stream.length; at += 5 + ((stream[at + 3]! << 8) | stream[at + 4]!)) count++;
    return count;
  };

  it("delayMs: what stands before leaves, the rest waits for endDelay", () => {
    const { client, server } = started([{ on: "ServerKeyExchange", delayMs: 300 }]);
    expect(recordsOf(concat(server.output))).toBe(2);
    expect(server.events).toEqual([{ type: "delay", ms: 300 }]);
    server.rest();
    expect(recordsOf(concat(server.output))).toBe(2);
    server.server.endDelay();
    server.rest();
    expect(recordsOf(concat(server.output))).toBe(5);
    client.feed(concat(server.output));
    expect(client.error).toBeUndefined();
    expect(client.output).toHaveLength(1);
  });

  it("untilClientSpeaks: twice, each time for something new", () => {
    const { server } = started([
      { on: "ServerKeyExchange", untilClientSpeaks: true },
      { on: "ServerHelloDone", untilClientSpeaks: true },
    ]);
    const warning = bytes(21, 3, 3, 0, 2, 1, 90);
    server.feed(warning);
    expect(recordsOf(concat(server.output))).toBe(4);
    server.feed(warning);
    expect(recordsOf(concat(server.output))).toBe(5);
  });

  it("join: what nothing follows leaves before an alert", () => {
    const { server } = started([{ on: "ServerHelloDone", join: true }]);
    expect(recordsOf(concat(server.output))).toBe(4);
    server.server.abort(80);
    server.rest();
    expect(recordsOf(concat(server.output))).toBe(6);
  });

  it("untilClientSpeaks: the rest waits for bytes of the client", () => {
    const { client, server } = started([{ on: "ServerKeyExchange", untilClientSpeaks: true }]);
    server.server.feed(bytes());
    server.rest();
    expect(recordsOf(concat(server.output))).toBe(2);
    // A warning is something.
    server.feed(bytes(21, 3, 3, 0, 2, 1, 90));
    expect(recordsOf(concat(server.output))).toBe(5);
    client.feed(concat(server.output));
    expect(client.output).toHaveLength(1);
  });

  it.each([0, 1, 5, 7, 100, 500])("endAfter: the stream ends %i bytes into the certificate's records", (endAfter) => {
    const { client, server } = started([{ on: "Certificate", endAfter, fragments: [50] }]);
    const sent = concat(server.output);
    expect(sent.length).toBe(5 + ((sent[3]! << 8) | sent[4]!) + endAfter);
    expect(server.events).toEqual([{ type: "closed", cleanly: false }]);
    expect(server.server.stateName).toBe("Closed");
    client.feed(sent);
    client.client.end();
    client.rest();
    expect(client.error?.code).toBe("TLS_CLOSED_WITHOUT_NOTIFY");
  });

  it.each([0, 1, 6, 7])(
    "endAfter: the stream ends %i bytes into a fatal alert, and the error is told once",
    (endAfter) => {
      const server = new ServerDriver({ deviations: [{ on: "Alert", endAfter }] });
      server.server.feed(bytes(1));
      server.rest();
      expect(concat(server.output)).toHaveLength(endAfter);
      expect(server.events.map(({ type }) => type)).toEqual(["fatal"]);
    },
  );

  it("endAfter: more bytes than its records have end nothing", () => {
    const { server } = started([{ on: "Certificate", endAfter: 2_000, fragments: [50] }]);
    expect(server.events).toEqual([]);
    // ServerHelloDone.
    expect(concat(server.output).subarray(-4)).toEqual(bytes(14, 0, 0, 0));
  });
});
