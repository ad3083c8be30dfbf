import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Backoff } from "../../../src/mqtt/index.ts";
import { KeepAlive } from "../../../src/mqtt/keep-alive.ts";
import { runs } from "../../runs.ts";

const fixed = (byte: number) => ({ fill: (bytes: Uint8Array) => void bytes.fill(byte) });

describe("Backoff", { timeout: 300_000 }, () => {
  it("waits between the least and the doubled bound, spread over all of it", () => {
    const low = new Backoff(fixed(0), { minMs: 1_000, maxMs: 10_000 });
    const high = new Backoff(fixed(255), { minMs: 1_000, maxMs: 10_000 });
    expect([1, 2, 3, 4, 5].map(() => low.next(0))).toEqual([1_000, 1_000, 1_000, 1_000, 1_000]);
    expect([1, 2, 3, 4, 5].map(() => Math.round(high.next(0)))).toEqual([2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  it("starts anew only after a connection that lasted", () => {
    const backoff = new Backoff(fixed(255), { minMs: 1_000, maxMs: 128_000, stableMs: 20_000 });
    backoff.next(0);
    backoff.connected(0);
    expect(Math.round(backoff.next(19_999))).toBe(4_000);
    backoff.connected(30_000);
    expect(Math.round(backoff.next(50_000))).toBe(2_000);
  });

  it("stays finite for ever", () => {
    const backoff = new Backoff(fixed(255));
    for (let i = 0; i < 2_000; i++) expect(backoff.next(0)).toBeLessThanOrEqual(128_000);
  });

  it("refuses bounds that are none", () => {
    for (const options of [
      { minMs: 0 },
      { minMs: 5, maxMs: 4 },
      { maxMs: Number.NaN },
      { maxMs: Number.POSITIVE_INFINITY },
    ]) {
      expect(() => new Backoff(fixed(0), options)).toThrow(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
    }
  });
});

describe("KeepAlive", { timeout: 300_000 }, () => {
  it("[MQTT-3.1.2-23] whatever is sent when, no more than the interval passes between two packets", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_200 }),
        fc.array(fc.tuple(fc.nat(2_000_000), fc.constantFrom("packet", "paused", "resumed")), { maxLength: 30 }),
        (seconds, acts) => {
          const keepAlive = new KeepAlive(seconds);
          keepAlive.start(0);
          let now = 0;
          let lastSent = 0;
          const sent = () => {
            expect(now - lastSent).toBeLessThanOrEqual(seconds * 1_000);
            lastSent = now;
            keepAlive.packetSent(now);
          };
          const runUntil = (until: number) => {
            for (let at = keepAlive.nextTimeout(); at !== undefined && at <= until; at = keepAlive.nextTimeout()) {
              now = at;
              if (keepAlive.handleTimeout(now) !== "ping")
                throw new Error("nothing else is due: each PINGREQ is answered");
              keepAlive.pingreqSent(now);
              sent();
              keepAlive.pingrespReceived();
            }
            now = until;
          };
          for (const [wait, act] of acts) {
            runUntil(now + wait);
            if (act === "packet") sent();
            else keepAlive.setReading(act === "resumed", now);
          }
          runUntil(now + 3_000_000);
        },
      ),
      runs(50),
    );
  });
});
