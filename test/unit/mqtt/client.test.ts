import { describe, expect, it } from "vitest";
import { utf8Decode } from "../../../src/bytes.ts";
import {
  awsLimits,
  type MqttMessage,
  type MqttStateChange,
  type Packet,
  PacketType,
  type QoS,
  SUBACK_FAILURE,
} from "../../../src/mqtt/index.ts";
import { TransportError } from "../../../src/transport/errors.ts";
import { Lab, obedient, settle } from "./client-harness.ts";
import { text } from "./session-harness.ts";

const message = (payload: string, qos: QoS = 0, topic = "t/1", packetId: number = qos): Packet => ({
  type: PacketType.PUBLISH,
  dup: false,
  qos,
  retain: false,
  topic,
  packetId,
  payload: text(payload),
});

/** How a promise ends, without waiting for ever. */
function outcome<T>(promise: Promise<T>): { value?: T; error?: unknown; settled: boolean } {
  const seen: { value?: T; error?: unknown; settled: boolean } = { settled: false, error: undefined };
  promise.then(
    (value) => Object.assign(seen, { value, settled: true }),
    (error) => Object.assign(seen, { error, settled: true }),
  );
  return seen;
}

describe("connect", () => {
  it("resolves on CONNACK and says whether there was a session", async () => {
    const lab = new Lab();
    const client = await lab.connect({ username: "u", password: "p", will: { topic: "w", payload: "gone" } });
    expect(client.state).toBe("connected");
    expect(client.sessionPresent).toBe(false);
    expect(lab.peer.received).toMatchObject([
      { username: "u", password: text("p"), will: { payload: text("gone"), qos: 0, retain: false } },
    ]);
    lab.answer = (_packet, peer) => peer.send({ type: PacketType.CONNACK, sessionPresent: true, returnCode: 0 });
    expect((await lab.connect({ cleanSession: false })).sessionPresent).toBe(true);
  });

  it("a broker that accepts and then hangs: MQTT_CONNACK_TIMEOUT, one attempt, no timer left", async () => {
    const lab = new Lab();
    lab.answer = () => {};
    const end = outcome(lab.connect({ connectTimeoutMs: 5_000 }));
    await lab.runtime.advance(5_000);
    expect(end.error).toMatchObject({ code: "MQTT_CONNACK_TIMEOUT", sdk: -28 });
    expect(lab.peers).toHaveLength(1);
    expect(lab.peer.error).toBeDefined();
    expect(lab.runtime.armed).toBe(0);
  });

  it.each([
    [4, "MQTT_REFUSED_BAD_CREDENTIALS"],
    [5, "MQTT_REFUSED_NOT_AUTHORIZED"],
  ])("CONNACK %i rejects with %s", async (returnCode, code) => {
    const lab = new Lab();
    lab.answer = (_packet, peer) => peer.send({ type: PacketType.CONNACK, sessionPresent: false, returnCode });
    await expect(lab.connect()).rejects.toMatchObject({ code });
    expect(lab.runtime.armed).toBe(0);
  });

  it("a broker that closes instead of CONNACK: MQTT_CLOSED_BEFORE_CONNACK", async () => {
    const lab = new Lab();
    lab.answer = (_packet, peer) => peer.end();
    await expect(lab.connect()).rejects.toMatchObject({ code: "MQTT_CLOSED_BEFORE_CONNACK", sdk: -28 });
  });

  it("passes the transport's own error on", async () => {
    const lab = new Lab();
    lab.answer = (_packet, peer) => peer.destroy();
    await expect(lab.connect()).rejects.toMatchObject({ code: "TRANSPORT_RESET" });
    const broken = () => {
      throw new TransportError("TRANSPORT_RESET", "no transport");
    };
    await expect(lab.connect({ transport: broken })).rejects.toMatchObject({ code: "TRANSPORT_RESET" });
    const odd = () => {
      throw new RangeError("odd");
    };
    await expect(lab.connect({ transport: odd })).rejects.toMatchObject({ code: "INTERNAL_BUG" });
  });

  it("is aborted by its signal, before and while it runs, and by its timeout", async () => {
    const lab = new Lab();
    lab.answer = () => {};
    await expect(lab.connect({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "USAGE_ABORTED" });
    expect(lab.peers).toHaveLength(0);
    const controller = new AbortController();
    const end = outcome(lab.connect({ signal: controller.signal }));
    await settle();
    controller.abort();
    await settle();
    expect(end.settled).toBe(true);
    const late = outcome(lab.connect({ timeoutMs: 1_000 }));
    await lab.runtime.advance(1_000);
    expect(late.settled).toBe(true);
    expect(lab.runtime.armed).toBe(0);
  });

  it("refuses options that are not usable as a rejection", async () => {
    await expect(new Lab().connect({ clientId: "", cleanSession: false })).rejects.toMatchObject({
      code: "MQTT_INVALID_PACKET",
    });
    await expect(new Lab().connect({ reconnect: { minMs: 0 } })).rejects.toMatchObject({
      code: "USAGE_INVALID_ARGUMENT",
    });
    await expect(new Lab().connect({ timeoutMs: -1 })).rejects.toMatchObject({ code: "USAGE_INVALID_ARGUMENT" });
    await expect(new Lab().connect({ runtime: undefined as never })).rejects.toMatchObject({
      code: "USAGE_INVALID_ARGUMENT",
      message: expect.stringContaining("nodeRuntime"),
    });
  });
});

describe("publish", () => {
  it("QoS 0 resolves when written, QoS 1 on PUBACK, and leaves no timer but keep-alive's", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    await client.publish("a", "zero");
    lab.answer = () => {};
    const end = outcome(client.publish("a", text("one"), { qos: 1, retain: true }));
    await settle();
    expect(end.settled).toBe(false);
    expect(lab.peer.received.slice(1)).toMatchObject([
      { qos: 0, payload: text("zero") },
      { qos: 1, retain: true, payload: text("one") },
    ]);
    lab.peer.send({ type: PacketType.PUBACK, packetId: 1 });
    await settle();
    expect(end.settled).toBe(true);
    expect(end.error).toBeUndefined();
    expect(lab.runtime.armed).toBe(1);
  });

  it("without a PUBACK: MQTT_OPERATION_TIMEOUT; with an abort: USAGE_ABORTED", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    lab.answer = () => {};
    const late = outcome(client.publish("a", "x", { qos: 1, timeoutMs: 500 }));
    const controller = new AbortController();
    const stopped = outcome(client.publish("a", "y", { qos: 1, signal: controller.signal }));
    await lab.runtime.advance(500);
    expect(late.error).toMatchObject({ code: "MQTT_OPERATION_TIMEOUT", sdk: -28 });
    controller.abort("enough");
    await settle();
    expect(stopped.error).toMatchObject({ code: "USAGE_ABORTED", cause: "enough" });
    // Their acknowledgements come late, and nothing happens.
    lab.peer.send({ type: PacketType.PUBACK, packetId: 1 }, { type: PacketType.PUBACK, packetId: 2 });
    await settle();
    expect(client.state).toBe("connected");
    await expect(client.publish("a", "z", { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "USAGE_ABORTED",
    });
  });

  it("leaves no listener at the signal of a call that is done", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    const listeners = new Set<() => void>();
    const signal = {
      aborted: false,
      addEventListener: (_type: "abort", listener: () => void) => void listeners.add(listener),
      removeEventListener: (_type: "abort", listener: () => void) => void listeners.delete(listener),
    };
    const end = client.publish("a", "x", { qos: 1, signal });
    expect(listeners.size).toBe(1);
    await end;
    expect(listeners.size).toBe(0);
  });

  it("a timeout says where there was no connection, and why", async () => {
    const lab = new Lab();
    const client = await lab.connect({ reconnect: { minMs: 60_000 } });
    lab.peer.end();
    await settle();
    const end = outcome(client.publish("a", "x", { timeoutMs: 100 }));
    await lab.runtime.advance(100);
    expect(end.error).toMatchObject({
      code: "MQTT_OPERATION_TIMEOUT",
      message: expect.stringContaining("not connected: the connection was lost"),
      cause: { code: "MQTT_CONNECTION_LOST" },
    });
    await client.close();
  });

  it("refuses what no broker takes as a rejection", async () => {
    const client = await new Lab().connect({ limits: awsLimits });
    await expect(client.publish("a/#", "x")).rejects.toMatchObject({ code: "MQTT_INVALID_TOPIC" });
    await expect(client.publish("a", "x", { qos: 2 })).rejects.toMatchObject({ code: "MQTT_QOS2_UNSUPPORTED" });
    await expect(client.publish("a", new Uint8Array(131_073))).rejects.toMatchObject({ code: "MQTT_LIMIT_EXCEEDED" });
  });

  it("a packet larger than any room leaves in pieces", async () => {
    const lab = new Lab();
    lab.memory = { capacity: 64 };
    const client = await lab.connect();
    const payload = Uint8Array.from({ length: 3_000 }, (_, i) => i);
    await client.publish("a", payload, { qos: 1 });
    expect(lab.peer.received[1]).toMatchObject({ payload });
  });
});

describe("subscribe", () => {
  it("resolves on SUBACK, routes by wildcard, and leaving the loop unsubscribes", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    const one = await client.subscribe("t/+", { qos: 1 });
    const other = await client.subscribe(["u/#", "v"]);
    expect(one.granted).toEqual([1]);
    expect(other.granted).toEqual([0, 0]);
    lab.peer.send(message("1", 1), message("2", 0, "u"), message("3", 0, "t/2"), message("4", 0, "nobody"));
    const seen: string[] = [];
    for await (const { topic, payload, qos } of one) {
      seen.push(`${topic} ${utf8Decode(payload)} ${qos}`);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(["t/1 1 1", "t/2 3 0"]);
    expect(lab.peer.received.at(-1)).toMatchObject({ type: PacketType.UNSUBSCRIBE, filters: ["t/+"] });
    expect((await other.next()).value).toMatchObject({ topic: "u" });
    expect(await one.next()).toEqual({ done: true, value: undefined });
  });

  it("gives a message once to a subscription with several filters that match", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    const messages = await client.subscribe(["t/+", "t/#", "#"]);
    lab.peer.send(message("once"));
    await settle();
    expect(messages.queued).toBe(1);
  });

  it("[MQTT-4.5.0-2] acknowledges a message that nobody here wants", async () => {
    const lab = new Lab();
    await lab.connect();
    lab.peer.send(message("x", 1, "nobody/wants/this", 77));
    await settle();
    expect(lab.peer.received.at(-1)).toEqual({ type: PacketType.PUBACK, packetId: 77 });
  });

  it("keeps what waits in the queue, whatever comes after it", async () => {
    const lab = new Lab();
    const subscription = await (await lab.connect()).subscribe("t/1");
    for (const payload of ["first", "other"]) {
      lab.peer.send(message(payload));
      await settle();
    }
    expect(utf8Decode((await subscription.next()).value!.payload)).toBe("first");
    expect(utf8Decode((await subscription.next()).value!.payload)).toBe("other");
  });

  it("gives messages that come ahead of SUBACK", async () => {
    const lab = new Lab();
    lab.answer = (packet, peer) => {
      if (packet.type === PacketType.SUBSCRIBE) peer.send(message("retained"));
      obedient(packet, peer);
    };
    const subscription = await (await lab.connect()).subscribe("t/1");
    expect(utf8Decode((await subscription.next()).value!.payload)).toBe("retained");
  });

  it("calls back at once, with a payload that is valid during the call, and survives a callback that throws", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    const seen: string[] = [];
    const onMessage = ({ payload }: MqttMessage) => {
      seen.push(utf8Decode(payload)!);
      if (seen.length === 1) throw new Error("mistake of the app");
    };
    await client.subscribe("t/1", { onMessage });
    lab.peer.send(message("1"), message("2"));
    await settle();
    expect(seen).toEqual(["1", "2"]);
    expect(client.state).toBe("connected");
  });

  it("rejects where one filter is refused, and takes back what was granted", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    lab.answer = (packet, peer) => {
      if (packet.type === PacketType.SUBSCRIBE) {
        peer.send({ type: PacketType.SUBACK, packetId: packet.packetId, returnCodes: [0, SUBACK_FAILURE] });
      } else obedient(packet, peer);
    };
    await expect(client.subscribe(["a", "b"])).rejects.toMatchObject({
      code: "MQTT_SUBSCRIBE_REFUSED",
      data: { filters: ["b"] },
    });
    await settle();
    expect(lab.peer.received.at(-1)).toMatchObject({ type: PacketType.UNSUBSCRIBE, filters: ["a"] });
  });

  it("keeps a filter at the server while another subscription has it, with the higher QoS", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    const first = await client.subscribe("a", { qos: 1 });
    const second = await client.subscribe("a");
    expect(lab.peer.received.at(-1)).toMatchObject({ subscriptions: [{ filter: "a", qos: 1 }] });
    await first.unsubscribe();
    await first.close();
    expect(lab.peer.types()).not.toContain(PacketType.UNSUBSCRIBE);
    await second.close();
    expect(lab.peer.types().filter((type) => type === PacketType.UNSUBSCRIBE)).toHaveLength(1);
  });

  it("a SUBACK that does not come: timeout, and the server is told that nobody listens", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    lab.answer = () => {};
    const end = outcome(client.subscribe("a", { timeoutMs: 100 }));
    await lab.runtime.advance(100);
    expect(end.error).toMatchObject({ code: "MQTT_OPERATION_TIMEOUT" });
    expect(lab.peer.received.at(-1)).toMatchObject({ type: PacketType.UNSUBSCRIBE, filters: ["a"] });
  });

  it("stops to read where a subscriber is full, keeps alive, and goes on", async () => {
    const lab = new Lab();
    lab.memory = { capacity: 256 };
    const client = await lab.connect({ keepAliveSeconds: 60 });
    const slow = await client.subscribe("t/1", { maxQueued: 5 });
    const sent = Array.from({ length: 200 }, (_, i) => `${i}`);
    lab.peer.send(...sent.map((payload) => message(payload)));
    await settle();
    expect(slow.queued).toBe(5);
    await lab.runtime.advance(600_000);
    expect(client.state).toBe("connected");
    expect(slow.queued).toBe(5);
    expect(lab.peer.types().filter((type) => type === PacketType.PINGREQ).length).toBeGreaterThanOrEqual(10);
    const seen: (string | undefined)[] = [];
    while (seen.length < 200) {
      const { value } = await slow.next();
      seen.push(utf8Decode(value!.payload));
      await settle();
    }
    expect(seen).toEqual(sent);
  });

  it.each([0, 1] as const)("a full subscriber may publish at QoS %i: what is done settles", async (qos) => {
    const lab = new Lab();
    const client = await lab.connect();
    const messages = await client.subscribe("t/1", { maxQueued: 2 });
    lab.peer.send(message("1"), message("2"), message("3"));
    await settle();
    expect(messages.queued).toBe(2);
    const end = outcome(client.publish("a", "x", { qos }));
    await settle();
    expect(end).toMatchObject({ settled: true, error: undefined });
  });

  it("a full subscriber does not hold up close(), nor the end of a dead connection", async () => {
    const lab = new Lab();
    const client = await lab.connect({ keepAliveSeconds: 10 });
    await client.subscribe("t/1", { maxQueued: 2 });
    lab.peer.send(message("1"), message("2"), message("3"));
    await settle();
    // Nothing is read, so nobody sees it: keep-alive finds it.
    lab.peer.destroy();
    await lab.runtime.advance(60_000);
    expect(lab.peers).toHaveLength(2);
    expect(client.state).toBe("connected");
    lab.peer.send(message("1"), message("2"), message("3"));
    await settle();
    const closed = outcome(client.close());
    await settle();
    expect(closed.settled).toBe(true);
    expect(lab.peer.types().at(-1)).toBe(PacketType.DISCONNECT);
    expect(lab.runtime.armed).toBe(0);
  });

  it("an acknowledgement gets through behind messages for a full subscriber", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    await client.subscribe("t/1", { maxQueued: 5 });
    lab.answer = (packet, peer) => {
      peer.send(...Array.from({ length: 20 }, (_, i) => message(`${i}`)));
      obedient(packet, peer);
    };
    const end = outcome(client.publish("a", "x", { qos: 1 }));
    await settle();
    expect(end).toMatchObject({ settled: true, error: undefined });
  });
});

describe("a lost connection", () => {
  it("connects again after a wait, restores subscriptions, and settles what was under way", async () => {
    const lab = new Lab();
    const client = await lab.connect({ reconnect: { minMs: 1_000, maxMs: 8_000 } });
    const states: MqttStateChange[] = [];
    const off = client.on("state", (change) => states.push(change));
    const filters = Array.from({ length: 10 }, (_, i) => `f/${i}`);
    const many = await client.subscribe(filters.slice(0, 8), { qos: 1 });
    await client.subscribe(filters.slice(8));
    lab.answer = () => {};
    const end = outcome(client.publish("a", "x", { qos: 1, timeoutMs: 60_000 }));
    await settle();
    lab.answer = obedient;
    lab.peer.end();
    await settle();
    expect(client.state).toBe("waiting");
    const offline = outcome(client.publish("a", "offline"));
    await lab.runtime.advance(999);
    expect(lab.peers).toHaveLength(1);
    await lab.runtime.advance(1_001);
    expect(lab.peers).toHaveLength(2);
    expect(end).toMatchObject({ settled: true, error: undefined });
    expect(offline).toMatchObject({ settled: true, error: undefined });
    expect(lab.peer.received).toMatchObject([
      { type: PacketType.CONNECT },
      { type: PacketType.SUBSCRIBE, subscriptions: filters.slice(0, 8).map((filter) => ({ filter, qos: 1 })) },
      { type: PacketType.SUBSCRIBE, subscriptions: filters.slice(8).map((filter) => ({ filter, qos: 0 })) },
      { type: PacketType.PUBLISH, payload: text("x") },
      { type: PacketType.PUBLISH, payload: text("offline") },
    ]);
    lab.peer.send(message("back", 0, "f/3"));
    expect(utf8Decode((await many.next()).value!.payload)).toBe("back");
    expect(states.map(({ from, to }) => `${from} ${to}`)).toEqual([
      "connected waiting",
      "waiting connecting",
      "connecting connected",
    ]);
    expect(states[0]).toMatchObject({
      error: { code: "MQTT_CONNECTION_LOST", sdk: -13 },
      retryInMs: expect.any(Number),
    });
    off();
    lab.peer.end();
    await settle();
    expect(states).toHaveLength(3);
  });

  it("does not subscribe again where the server kept the session", async () => {
    const lab = new Lab();
    lab.answer = (packet, peer) => {
      if (packet.type === PacketType.CONNECT) {
        peer.send({ type: PacketType.CONNACK, sessionPresent: lab.peers.length > 1, returnCode: 0 });
      } else obedient(packet, peer);
    };
    const client = await lab.connect({ cleanSession: false });
    await client.subscribe("a");
    lab.peer.end();
    await lab.runtime.advance(10_000);
    expect(client).toMatchObject({ state: "connected", sessionPresent: true });
    expect(lab.peers[1]!.types()).toEqual([PacketType.CONNECT]);
  });

  it("ends a subscription that the server refuses to restore", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    const subscription = await client.subscribe("a");
    const next = outcome(subscription.next());
    lab.answer = (packet, peer) => {
      if (packet.type === PacketType.SUBSCRIBE) {
        peer.send({ type: PacketType.SUBACK, packetId: packet.packetId, returnCodes: [SUBACK_FAILURE] });
      } else obedient(packet, peer);
    };
    lab.peer.end();
    await lab.runtime.advance(10_000);
    expect(next.error).toMatchObject({ code: "MQTT_SUBSCRIBE_REFUSED" });
    expect(client.state).toBe("connected");
  });

  it("keeps trying with growing waits, and gives up on a refusal that no retry mends", async () => {
    const lab = new Lab();
    const client = await lab.connect({ reconnect: { minMs: 1_000, maxMs: 4_000 } });
    const waits: (number | undefined)[] = [];
    client.on("state", ({ to, retryInMs }) => {
      if (to === "waiting") waits.push(Math.round(retryInMs!));
    });
    const subscription = await client.subscribe("a");
    const next = outcome(subscription.next());
    const publish = outcome(client.publish("a", "x", { qos: 1, timeoutMs: 100_000 }));
    await settle();
    lab.answer = (_packet, peer) => peer.end();
    lab.peer.end();
    await lab.runtime.advance(10_000);
    expect(waits.slice(0, 4)).toEqual([1_502, 2_506, 2_506, 2_506]);
    lab.answer = (_packet, peer) => peer.send({ type: PacketType.CONNACK, sessionPresent: false, returnCode: 5 });
    await lab.runtime.advance(10_000);
    expect(client.state).toBe("closed");
    expect(publish.settled).toBe(true);
    expect(next.error).toMatchObject({ code: "MQTT_REFUSED_NOT_AUTHORIZED" });
    expect(lab.runtime.armed).toBe(0);
    await expect(client.publish("a", "x")).rejects.toMatchObject({ code: "MQTT_CLOSED" });
  });

  it("without reconnect everything settles with the connection", async () => {
    const lab = new Lab();
    const client = await lab.connect({ reconnect: false });
    const subscription = await client.subscribe("a");
    const next = outcome(subscription.next());
    lab.answer = () => {};
    const operations: Promise<unknown>[] = [
      client.publish("a", "x", { qos: 1 }),
      client.subscribe("b"),
      subscription.unsubscribe(),
    ];
    const ends = operations.map((operation) => outcome(operation));
    await settle();
    lab.peer.destroy();
    await settle();
    expect(ends.map(({ error }) => error)).toMatchObject(
      Array(3).fill({ code: "MQTT_CONNECTION_LOST", cause: { code: "TRANSPORT_RESET" } }),
    );
    expect(next.settled).toBe(true);
    expect(client.state).toBe("closed");
    expect(lab.runtime.armed).toBe(0);
  });

  it("is found by keep-alive where the peer only fell silent", async () => {
    const lab = new Lab();
    const client = await lab.connect({ keepAliveSeconds: 30 });
    const errors: unknown[] = [];
    client.on("state", ({ error }) => errors.push(error));
    lab.answer = () => {};
    await lab.runtime.advance(29_000 + 15_000);
    expect(errors[0]).toMatchObject({ code: "MQTT_PINGRESP_TIMEOUT" });
    expect(lab.peers[0]!.error).toBeDefined();
  });

  it("[MQTT-4.8.0-1] drops the connection where the peer breaks the protocol", async () => {
    const lab = new Lab();
    const client = await lab.connect({ reconnect: false });
    const errors: unknown[] = [];
    client.on("state", ({ error }) => errors.push(error));
    lab.peer.send({ type: PacketType.CONNACK, sessionPresent: false, returnCode: 0 });
    await settle();
    expect(errors).toMatchObject([{ code: "MQTT_UNEXPECTED_PACKET" }]);
    expect(lab.peer.error).toBeDefined();
  });
});

describe("close", () => {
  it("[MQTT-3.14.4-1] waits for what is under way, sends DISCONNECT last, and ends the transport in order", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    const subscription = await client.subscribe("a");
    lab.answer = () => {};
    const publish = outcome(client.publish("a", "x", { qos: 1 }));
    const closed = outcome(client.close());
    await settle();
    expect(client.state).toBe("closing");
    await expect(client.publish("a", "late")).rejects.toMatchObject({ code: "MQTT_CLOSED" });
    lab.peer.send({ type: PacketType.PUBACK, packetId: 2 });
    await settle();
    expect(publish).toMatchObject({ settled: true, error: undefined });
    expect(lab.peer.types().at(-1)).toBe(PacketType.DISCONNECT);
    expect(lab.peer.ended).toBe(true);
    expect(closed).toMatchObject({ settled: true, error: undefined });
    expect(await subscription.next()).toEqual({ done: true, value: undefined });
    expect(lab.runtime.armed).toBe(0);
    await client.close();
  });

  it("does not wait longer than its timeout", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    lab.answer = () => {};
    const publish = outcome(client.publish("a", "x", { qos: 1 }));
    const closed = outcome(client.close({ timeoutMs: 300 }));
    await lab.runtime.advance(300);
    expect(closed).toMatchObject({ settled: true, error: undefined });
    expect(publish.error).toMatchObject({ code: "MQTT_CLOSED" });
    expect(lab.runtime.armed).toBe(0);
  });

  it("ends the waiting between two attempts", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    lab.peer.end();
    await settle();
    expect(client.state).toBe("waiting");
    const publish = outcome(client.publish("a", "x"));
    await client.close();
    await settle();
    expect(publish.error).toMatchObject({ code: "MQTT_CLOSED" });
    expect(lab.runtime.armed).toBe(0);
    await lab.runtime.advance(1_000_000);
    expect(lab.peers).toHaveLength(1);
  });

  it.each(["waiting", "connecting", "connected"])(
    "from a listener at %s: the client stays closed, with nothing left",
    async (at) => {
      const lab = new Lab();
      const client = await lab.connect();
      const subscription = await client.subscribe("a");
      let closed: Promise<void> | undefined;
      client.on("state", ({ to }) => {
        if (to === at) closed = client.close();
      });
      lab.peer.destroy();
      await lab.runtime.advance(10_000);
      await closed;
      expect(client.state).toBe("closed");
      expect(lab.peers).toHaveLength(at === "connected" ? 2 : 1);
      expect(lab.runtime.armed).toBe(0);
      expect(await subscription.next()).toEqual({ done: true, value: undefined });
    },
  );

  it("from a listener at closed, it does not change why the client ended", async () => {
    const lab = new Lab();
    const client = await lab.connect({ reconnect: false });
    const subscription = await client.subscribe("a");
    client.on("state", ({ to }) => void (to === "closed" && client.close()));
    lab.answer = () => {};
    const publish = outcome(client.publish("a", "x", { qos: 1 }));
    await settle();
    lab.peer.destroy();
    await settle();
    expect(publish.error).toMatchObject({ code: "MQTT_CONNECTION_LOST" });
    await expect(subscription.next()).rejects.toMatchObject({ code: "TRANSPORT_RESET" });
  });

  it("from a listener or a callback while packets leave: every call settles", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    const ends: ReturnType<typeof outcome>[] = [];
    await client.subscribe("t/1", {
      onMessage: () => {
        for (const qos of [0, 1] as const) ends.push(outcome(client.publish("a", "x", { qos })));
        void client.close({ signal: AbortSignal.abort() });
        throw new Error("thrown by the app");
      },
    });
    lab.peer.send(message("1"), message("2"));
    await settle();
    expect(ends.map(({ settled }) => settled)).toEqual([true, true]);
    expect(client.state).toBe("closed");
    expect(lab.runtime.armed).toBe(0);
  });

  it("is what disposal does", async () => {
    const lab = new Lab();
    const client = await lab.connect();
    const subscription = await client.subscribe("a");
    await subscription[Symbol.asyncDispose]();
    await client[Symbol.asyncDispose]();
    expect(lab.peer.types()).toEqual([
      PacketType.CONNECT,
      PacketType.SUBSCRIBE,
      PacketType.UNSUBSCRIBE,
      PacketType.DISCONNECT,
    ]);
  });
});
