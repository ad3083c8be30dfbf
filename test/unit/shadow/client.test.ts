import { describe, expect, it } from "vitest";
import { utf8Decode, utf8Encode } from "../../../src/bytes.ts";
import type { MqttClient } from "../../../src/mqtt/client.ts";
import type { Runtime } from "../../../src/ports.ts";
import { Reject, type ShadowChannel, ShadowClient, type ShadowClientOptions } from "../../../src/shadow/client.ts";
import { ShadowError } from "../../../src/shadow/errors.ts";
import type { Json } from "../../../src/shadow/json.ts";
import { ShadowService } from "../../../src/shadow/service.ts";
import { countingRandom } from "./harness.ts";

interface Lamp {
  power?: boolean;
  lux?: number;
  color?: { r: number; g: number };
}

type OnMessage = (message: { topic: string; payload: Uint8Array }) => void;

/** A broker with the shadow service behind it, and connections to it that a test can cut. */
class Cloud {
  seconds = 1000;
  readonly service = new ShadowService({ now: () => this.seconds });
  readonly channels = new Set<Channel>();
  readonly published: string[] = [];

  publish(topic: string, payload: Uint8Array): void {
    this.published.push(`${topic.slice("$aws/things/lamp/shadow/".length)} ${utf8Decode(payload)}`);
    const answers = this.service.handle(topic, payload) ?? [{ topic, payload }];
    for (const answer of answers) for (const channel of this.channels) channel.take(answer);
  }

  update(state: Json): void {
    this.publish("$aws/things/lamp/shadow/update", utf8Encode(JSON.stringify({ state })));
  }

  get stored() {
    return this.service.peek({ thingName: "lamp" });
  }
}

class Channel implements ShadowChannel {
  state = "connected";
  sessionPresent = false;
  refuses = false;
  /** Loses what is published. */
  deaf = false;
  readonly subscriptions: { filters: readonly string[]; onMessage: OnMessage }[] = [];
  subscribed = 0;
  readonly #cloud: Cloud;
  readonly #listeners = new Set<(change: { to: string; error?: unknown }) => void>();

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    cloud.channels.add(this);
  }

  on(_event: "state", listener: (change: { to: string; error?: unknown }) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  become(state: string, error?: unknown): void {
    this.state = state;
    for (const listener of this.#listeners) listener({ to: state, error });
  }

  async subscribe(filters: readonly string[], { onMessage }: { onMessage: OnMessage }) {
    await Promise.resolve();
    if (this.refuses) throw new Error("SUBACK 0x80");
    this.subscribed++;
    const subscription = { filters, onMessage };
    this.subscriptions.push(subscription);
    return {
      close: async () => {
        this.subscriptions.splice(this.subscriptions.indexOf(subscription), 1);
      },
    };
  }

  async publish(topic: string, payload: Uint8Array): Promise<void> {
    await Promise.resolve();
    if (this.state !== "connected") throw new Error("not connected");
    if (!this.deaf) this.#cloud.publish(topic, payload.slice());
  }

  take({ topic, payload }: { topic: string; payload: Uint8Array }): void {
    if (this.state !== "connected") return;
    const view = payload.slice();
    for (const { filters, onMessage } of [...this.subscriptions])
      if (filters.includes(topic)) onMessage({ topic, payload: view });
    // As MqttClient's: the view is valid during the call only.
    view.fill(0);
  }
}

/** A clock that a test moves; between its timers all promises settle. */
class Time implements Runtime {
  #now = 0;
  #timers: { at: number; fire: () => void }[] = [];
  readonly clock = { now: () => this.#now, wallMs: () => undefined };
  readonly timers = {
    set: (delayMs: number, fire: () => void) => {
      const timer = { at: this.#now + delayMs, fire };
      this.#timers.push(timer);
      return () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      };
    },
  };
  readonly random = countingRandom();

  get pending(): number {
    return this.#timers.length;
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await quiet();
    for (;;) {
      this.#timers.sort((a, b) => a.at - b.at);
      const next = this.#timers[0];
      if (next === undefined || next.at > end) break;
      this.#timers.shift();
      this.#now = next.at;
      next.fire();
      await quiet();
    }
    this.#now = end;
  }
}

const quiet = () => new Promise((resolve) => setImmediate(resolve));

function setUp(options: Partial<ShadowClientOptions> = {}) {
  const cloud = new Cloud();
  const time = new Time();
  const channel = new Channel(cloud);
  const client = new ShadowClient<Lamp>(channel, { thingName: "lamp", runtime: time, tokenPrefix: "t", ...options });
  return { cloud, time, channel, client };
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => "resolved",
    (error: ShadowError) => error.code,
  );

describe("ShadowClient", () => {
  it("is made for MqttClient", () => {
    const fits = (client: MqttClient): ShadowChannel => client;
    expect(fits).toBeTypeOf("function");
  });

  it("report resolves when accepted, with the smallest difference on the wire", async () => {
    const { client, cloud } = setUp();
    await client.report({ power: true, color: { r: 1, g: 2 } });
    await client.report({ power: true, color: { r: 1, g: 3 } });
    await client.report({ power: true });
    await client.report({ power: true }, { full: true });
    expect(cloud.published).toEqual([
      'get {"clientToken":"t-2"}',
      'update {"state":{"reported":{"power":true,"color":{"r":1,"g":2}}},"clientToken":"t-3"}',
      'update {"state":{"reported":{"color":{"g":3}}},"version":1,"clientToken":"t-5"}',
      'update {"state":{"reported":{"power":true}},"version":2,"clientToken":"t-8"}',
    ]);
    expect(client.document).toEqual(cloud.stored);
    await client.settled();
    await client.close();
  });

  it("a desired change reaches the handler, what it returns is reported, and the documents converge", async () => {
    const { client, cloud } = setUp();
    const calls: unknown[] = [];
    client.onDelta(async (delta, { version }) => {
      calls.push([delta, version]);
      await quiet();
      return delta;
    });
    await client.report({ power: false, lux: 3 });
    cloud.update({ desired: { power: true, color: { r: 1 } } });
    await client.settled();
    expect(calls).toEqual([[{ power: true, color: { r: 1 } }, 2]]);
    expect(cloud.stored?.state.reported).toEqual({ power: true, color: { r: 1 }, lux: 3 });
    expect(client.document).toEqual(cloud.stored);
  });

  it("a device and an app over one service", async () => {
    const { client, cloud, time } = setUp();
    const app = new ShadowClient<Lamp>(new Channel(cloud), { thingName: "lamp", runtime: time, tokenPrefix: "app" });
    client.onDelta((delta) => delta);
    await client.report({ power: false });
    await app.desire({ power: true });
    await Promise.all([app.settled(), client.settled()]);
    expect(app.document?.state).toEqual({ desired: { power: true }, reported: { power: true } });
    expect(app.document).toEqual(client.document);
    await app.desire({ power: null });
    expect(app.document?.state).toEqual({ reported: { power: true } });
  });

  it("one call of the handler at a time; what comes meanwhile comes in one, without what was withdrawn", async () => {
    const { client, cloud } = setUp();
    const calls: unknown[] = [];
    let goOn = () => {};
    client.onDelta(async (delta) => {
      calls.push(delta);
      if (calls.length === 1) await new Promise<void>((resolve) => (goOn = resolve));
      return delta;
    });
    await client.report({ lux: 0 });
    cloud.update({ desired: { lux: 1 } });
    await quiet();
    cloud.update({ desired: { lux: 2, power: true } });
    cloud.update({ desired: { lux: 3, power: null, color: { r: 1 } } });
    expect(calls).toEqual([{ lux: 1 }]);
    goOn();
    await client.settled();
    expect(calls).toEqual([{ lux: 1 }, { lux: 3, color: { r: 1 } }]);
    expect(cloud.stored?.state.reported).toEqual({ lux: 3, color: { r: 1 } });
  });

  it("a delta that was there before the handler is handed out when it comes; there is one handler", async () => {
    const { client, cloud } = setUp();
    cloud.update({ desired: { power: true } });
    await client.get();
    const calls: unknown[] = [];
    const off = client.onDelta((delta) => void calls.push(delta));
    expect(calls).toEqual([{ power: true }]);
    expect(() => client.onDelta(() => {})).toThrow(/onDelta/);
    off();
    client.onDelta(() => {});
  });

  it("Reject removes the desired value, and the rest is handed out again", async () => {
    const { client, cloud } = setUp();
    const warnings: unknown[] = [];
    client.on("warning", (warning) => warnings.push(warning));
    client.onDelta((delta) => {
      if (delta.color?.r !== undefined) throw Reject("color.r", "this lamp is white");
      return delta;
    });
    await client.report({ power: false });
    cloud.update({ desired: { power: true, color: { r: 1, g: 2 } } });
    await client.settled();
    expect(cloud.stored?.state).toEqual({
      desired: { power: true, color: { g: 2 } },
      reported: { power: true, color: { g: 2 } },
    });
    expect(warnings).toMatchObject([{ code: "SHADOW_DELTA_REFUSED", path: ["color", "r"], why: "this lamp is white" }]);
  });

  it("a handler that fails is told, and asked again at the next change only", async () => {
    const { client, cloud } = setUp();
    const warnings: Error[] = [];
    let calls = 0;
    client.on("warning", (warning) => warnings.push(warning));
    client.onDelta((delta) => {
      if (++calls === 1) throw new Error("no power");
      return delta;
    });
    await client.report({ lux: 1 });
    cloud.update({ desired: { power: true } });
    await quiet();
    expect([calls, warnings.length]).toEqual([1, 1]);
    expect((warnings[0]!.cause as Error).message).toBe("no power");
    await client.report({ lux: 2 });
    await client.settled();
    expect(calls).toBe(2);
    expect(cloud.stored?.state.reported).toEqual({ lux: 2, power: true });
  });

  it("settled times out with what is left", async () => {
    const { client, cloud, time } = setUp();
    await client.report({ power: false });
    cloud.update({ desired: { power: true } });
    const waiting = client.settled({ timeoutMs: 500 }).catch((error: ShadowError) => error);
    await time.pass(500);
    expect(await waiting).toMatchObject({ code: "SHADOW_TIMEOUT", data: { phase: "live", left: '{"power":true}' } });
  });

  it("rejections carry the service's answer: 413, 404", async () => {
    const { client } = setUp({ limits: { documentBytes: 30_000 } });
    const tooLarge = client.report({ note: "x".repeat(9000) } as Lamp).catch((error: ShadowError) => error);
    expect(await tooLarge).toMatchObject({
      code: "SHADOW_REJECTED_TOO_LARGE",
      data: { status: 413, message: "The payload exceeds the maximum size allowed" },
    });
    expect(await failure(client.get())).toBe("SHADOW_REJECTED_NOT_FOUND");
    expect(await client.delete()).toBe(false);
  });

  it("bad states are refused as rejected promises: nothing is thrown synchronously", async () => {
    const { client } = setUp();
    expect(await failure(client.report({ lux: Number.NaN }))).toBe("SHADOW_INVALID_STATE");
    expect(await failure(client.report({ lux: 1 }, { timeoutMs: -1 }))).toBe("USAGE_INVALID_ARGUMENT");
  });

  it("timeouts: 30 s by default, or as told, also while nobody answers", async () => {
    const { client, channel, time } = setUp();
    await client.report({ lux: 1 });
    channel.deaf = true;
    const short = failure(client.report({ lux: 2 }, { timeoutMs: 4_000 }));
    const usual = failure(client.report({ lux: 3 }));
    let settled = 0;
    short.then(() => settled++);
    usual.then(() => settled++);
    await time.pass(3_999);
    expect(settled).toBe(0);
    await time.pass(1);
    expect(await short).toBe("SHADOW_TIMEOUT");
    await time.pass(25_000);
    expect(settled).toBe(1);
    await time.pass(1_000);
    expect(await usual).toBe("SHADOW_TIMEOUT");
  });

  it("an AbortSignal withdraws an operation", async () => {
    const { client, channel, cloud, time } = setUp();
    channel.become("waiting");
    const controller = new AbortController();
    const aborted = failure(client.report({ lux: 1 }, { signal: controller.signal }));
    controller.abort();
    expect(await aborted).toBe("USAGE_ABORTED");
    expect(await failure(client.report({ lux: 1 }, { signal: AbortSignal.abort() }))).toBe("USAGE_ABORTED");
    channel.become("connected");
    await time.pass(1_000);
    expect(cloud.stored).toBeUndefined();
  });

  it("follows the connection: subscribes again without a gap, gets, and sends what waited", async () => {
    const { client, channel, cloud } = setUp();
    const calls: unknown[] = [];
    client.onDelta((delta) => {
      calls.push(delta);
      return delta;
    });
    await client.report({ lux: 1 });
    channel.become("waiting");
    const waiting = client.report({ lux: 2 });
    cloud.update({ desired: { power: true } });
    channel.become("connected");
    await waiting;
    await client.settled();
    expect(calls).toEqual([{ power: true }]);
    expect(channel.subscriptions).toHaveLength(1);
    expect(channel.subscribed).toBe(2);
    channel.become("waiting");
    channel.sessionPresent = true;
    channel.become("connected");
    await client.report({ lux: 3 });
    expect(channel.subscribed).toBe(2);
    expect(client.document).toEqual(cloud.stored);
  });

  it("refused subscriptions fail what waits with the cause, and are asked for again", async () => {
    const cloud = new Cloud();
    const time = new Time();
    const channel = new Channel(cloud);
    channel.refuses = true;
    const client = new ShadowClient<Lamp>(channel, { thingName: "lamp", runtime: time });
    const refused = client.report({ lux: 1 }).catch((error: ShadowError) => error);
    expect(await refused).toMatchObject({ code: "SHADOW_NOT_SUBSCRIBED", cause: { message: "SUBACK 0x80" } });
    channel.refuses = false;
    const later = client.report({ lux: 2 });
    await time.pass(1_000);
    await later;
    expect(cloud.stored?.state.reported).toEqual({ lux: 2 });
  });

  it("tells of documents, deletions and messages that cannot be used; a listener that throws harms nobody", async () => {
    const { client, cloud } = setUp();
    const events: unknown[] = [];
    client.on("document", () => {
      throw new Error("listener");
    });
    const off = client.on("document", (document) => events.push(document?.version));
    client.on("deleted", ({ version }) => events.push(`deleted ${version}`));
    client.on("warning", (warning) => events.push((warning as ShadowError).code));
    await client.report({ lux: 1 });
    await client.report({ lux: 2 });
    expect(await client.delete()).toBe(true);
    cloud.publish("$aws/things/lamp/shadow/update/delta", utf8Encode("nonsense"));
    off();
    await client.report({ lux: 3 });
    expect(events).toEqual([1, 2, "deleted 2", undefined, "SHADOW_INVALID_JSON"]);
  });

  it("documents are copies", async () => {
    const { client, cloud } = setUp();
    await client.report({ color: { r: 1, g: 1 } });
    (client.document!.state.reported!.color as { r: number }).r = 9;
    expect(client.document).toEqual(cloud.stored);
    expect((await client.get()).state.reported).toEqual({ color: { r: 1, g: 1 } });
  });

  it("close fails what is pending, unsubscribes, leaves no timer, and can be called again", async () => {
    const { client, channel, time } = setUp();
    await client.report({ lux: 1 });
    channel.deaf = true;
    const pending = failure(client.report({ lux: 2 }));
    const settling = failure(client.settled());
    await client.close();
    await client.close();
    expect([await pending, await settling]).toEqual(["SHADOW_CLOSED", "SHADOW_CLOSED"]);
    expect(await failure(client.report({ lux: 3 }))).toBe("SHADOW_CLOSED");
    expect(channel.subscriptions).toHaveLength(0);
    expect(time.pending).toBe(0);
    channel.become("waiting");
    channel.become("connected");
    await quiet();
    expect(channel.subscriptions).toHaveLength(0);
  });

  it("a connection that is closed for good ends it, with the reason", async () => {
    const { client, channel, time } = setUp();
    const pending = client.report({ lux: 1 }).catch((error: ShadowError) => error);
    channel.become("closed", new ShadowError("SHADOW_TIMEOUT", "the reason"));
    expect(await pending).toMatchObject({ code: "SHADOW_CLOSED", cause: { code: "SHADOW_TIMEOUT" } });
    expect(time.pending).toBe(0);
  });

  it("logs under the tag shadow, and no payload", async () => {
    const lines: string[] = [];
    const log = {
      enabled: () => true,
      log: (level: string, tag: string, message: string) => void lines.push(`${level} ${tag} ${message}`),
    };
    const { client } = setUp({ log });
    await client.report({ lux: 1 });
    expect(lines).toEqual(["debug shadow get t-2", "debug shadow patch t-3"]);
  });
});
