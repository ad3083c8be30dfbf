/**
 * An engine and the service with every message in the test's hands: what the service publishes waits in `mail` until it is
 * delivered, in any order, twice, or never.
 */
import { utf8Decode, utf8Encode } from "../../../src/bytes.ts";
import type { Random } from "../../../src/ports.ts";
import { ShadowEngine, type ShadowEngineEvent, type ShadowEngineOptions } from "../../../src/shadow/engine.ts";
import type { Json, JsonObject } from "../../../src/shadow/json.ts";
import { type ShadowPublication, ShadowService } from "../../../src/shadow/service.ts";

export const countingRandom = (): Random => {
  let next = 0;
  return {
    fill: (bytes) => {
      for (let i = 0; i < bytes.length; i++) bytes[i] = next++ & 255;
    },
  };
};

export interface Sent {
  readonly operation: string;
  readonly body: { state?: JsonObject; version?: number; clientToken: string };
}

export class Bench {
  now = 0;
  readonly service = new ShadowService({ now: () => 1000 + this.now / 1000 });
  readonly engine: ShadowEngine;
  readonly events: ShadowEngineEvent[] = [];
  /** What the engine published and the service has not seen. */
  requests: ShadowPublication[] = [];
  /** What the service published and the engine has not seen. */
  mail: ShadowPublication[] = [];
  /** All that the engine ever published. */
  readonly sent: Sent[] = [];
  /** All deltas, as a receiver takes them. */
  readonly deltas: JsonObject[] = [];
  takes = true;

  constructor(options: Partial<ShadowEngineOptions> = {}) {
    this.engine = new ShadowEngine({ thingName: "lamp", random: countingRandom(), ...options });
  }

  /** Takes the engine's events. */
  drain(): this {
    for (let event: ShadowEngineEvent | undefined; (event = this.engine.nextEvent()); ) {
      this.events.push(event);
      if (event.type === "publish") {
        this.requests.push(event);
        const operation = event.topic.slice(event.topic.lastIndexOf("/") + 1);
        this.sent.push({ operation, body: JSON.parse(utf8Decode(event.payload)!) });
      }
      if (event.type === "delta" && this.takes) this.take();
    }
    return this;
  }

  take(): void {
    const taken = this.engine.takeDelta();
    if (taken !== undefined) this.deltas.push(taken.delta);
  }

  /** Lets the service handle what was published. */
  serve(): this {
    this.drain();
    for (const { topic, payload } of this.requests.splice(0)) this.mail.push(...this.service.handle(topic, payload)!);
    return this;
  }

  /** Delivers mail whose topic ends so; all of it without an argument. It is gone from the mail then. */
  deliver(...ends: string[]): this {
    const chosen = this.mail.filter(({ topic }) => ends.length === 0 || ends.some((end) => topic.endsWith(end)));
    this.mail = this.mail.filter((message) => !chosen.includes(message));
    for (const message of chosen) this.give(message);
    return this;
  }

  give(message: ShadowPublication): void {
    this.engine.message(message.topic, message.payload, this.now);
    this.drain();
  }

  /** Serves and delivers until nothing moves. */
  settle(): this {
    this.drain();
    while (this.requests.length > 0 || this.mail.length > 0) this.serve().deliver();
    return this;
  }

  /** An update by somebody else; its messages wait in the mail. */
  other(state: Json): this {
    this.mail.push(...this.service.update({ thingName: "lamp", payload: utf8Encode(JSON.stringify({ state })) }));
    return this;
  }

  /** Lets time pass, with every timer of the engine on the way. */
  pass(ms: number): this {
    const end = this.now + ms;
    for (let at: number | undefined; (at = this.engine.nextTimeout()) !== undefined && at <= end; ) {
      this.now = Math.max(this.now, at);
      this.engine.handleTimeout(this.now);
      this.drain();
    }
    this.now = end;
    return this;
  }

  /** Connects and reaches the live state. */
  connect(sessionPresent = false): this {
    this.engine.connected(sessionPresent, this.now);
    this.drain();
    this.engine.subscribed(this.now);
    return this.settle();
  }

  report(patch: unknown, options?: { full?: boolean; deadline?: number }): number {
    const id = this.engine.report(patch, this.now, options);
    this.drain();
    return id;
  }

  disconnect(): this {
    this.engine.disconnected(this.now);
    this.requests = [];
    this.mail = [];
    return this.drain();
  }

  outcome(id: number): "pending" | "done" | string {
    const found = this.events.filter((event) => (event.type === "done" || event.type === "failed") && event.id === id);
    if (found.length > 1) return "settled twice";
    const [event] = found;
    return event === undefined ? "pending" : event.type === "failed" ? event.error.code : event.type;
  }

  get stored() {
    return this.service.peek({ thingName: "lamp" });
  }
}
