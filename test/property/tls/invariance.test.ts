import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, toHex } from "../../../src/bytes.ts";
import { chunked } from "../../../src/testing/chunked.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { ContentType } from "../../../src/tls/record.ts";
import recording from "../../fixtures/handshake.json" with { type: "json" };
import { type ReplayOptions, replay } from "../../fixtures/replay.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { runs } from "../../runs.ts";
import { Driver, ecIdentity } from "../../unit/tls/client.ts";
import { nullCrypto } from "../../unit/tls/null-crypto.ts";
import { inPieces, ScriptedServer } from "../../unit/tls/scripted-server.ts";

const own = createCrypto();
const nothing = nullCrypto();

function recorded(options: ReplayOptions) {
  const { output, data, events, secured, error } = replay(recording, own, options);
  expect(error).toBeUndefined();
  return {
    output: toHex(concat(output)),
    data: toHex(concat(data)),
    events,
    suite: secured?.suite.name,
    alpn: secured?.alpn,
    scheme: secured?.clientSignatureScheme?.name,
  };
}

describe("a recorded handshake", () => {
  const whole = recorded({});

  it("RFC 5246 §7.3 replays to Finished and data, with the recorded parameters", () => {
    const { suite, alpn, clientSignatureScheme, data } = recording.expected;
    expect(whole).toMatchObject({ suite, alpn, data, scheme: clientSignatureScheme, events: ["secured"] });
  });

  it("byte by byte gives the same events and output", () => {
    expect(recorded({ cut: (flight) => Array.from(flight, (byte) => Uint8Array.of(byte)) })).toEqual(whole);
  });

  it("a budget of 1 gives the same events and output, in many calls", () => {
    let calls = 0;
    const count = () => {
      calls++;
      return 1;
    };
    expect(recorded({ budget: count })).toEqual(whole);
    expect(calls).toBeGreaterThan(400);
  });

  it("no call of work() overspends its budget by more than one indivisible step", () => {
    const { units, calls } = replay(recording, own, { budget: () => 50 });
    expect(units / calls).toBeLessThan(100);
  });

  it("any cut and any budget give the same events and output", () => {
    fc.assert(
      fc.property(chunked(), fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1 }), (cut, budgets) => {
        let i = 0;
        expect(recorded({ cut, budget: () => budgets[i++ % budgets.length]! })).toEqual(whole);
      }),
      runs(12),
    );
  });
});

/** A whole dialog with a server that protects nothing: handshake, records of all kinds, close_notify. */
function dialog(cut: (bytes: Uint8Array) => Uint8Array[], budget: () => number, fragment: number) {
  const server = new ScriptedServer(
    { framing: inPieces(fragment), request: { types: [64], schemes: [0x0403], authorities: [] } },
    nothing,
  );
  const driver = new Driver({ crypto: nothing, identity: ecIdentity, random: seededRandom(1) }, budget);
  const feed = (bytes: Uint8Array) => {
    for (const piece of cut(bytes)) driver.feed(piece);
  };
  const output: string[] = [];
  const relay = () => {
    for (let bytes = driver.output.shift(); bytes !== undefined; bytes = driver.output.shift()) {
      output.push(toHex(bytes));
      feed(server.receive(bytes));
    }
  };
  relay();
  expect(driver.isSecured).toBe(true);
  for (const size of [0, 1, 5000, 16_384, 3])
    feed(server.seal(ContentType.application_data, new Uint8Array(size).fill(size)));
  feed(server.seal(ContentType.handshake, new Uint8Array(4)));
  feed(server.seal(ContentType.alert, Uint8Array.of(1)));
  feed(server.seal(ContentType.alert, Uint8Array.of(90)));
  relay();
  driver.client.write(new Uint8Array(300).fill(7));
  driver.rest();
  relay();
  feed(server.seal(ContentType.alert, Uint8Array.of(1, 0)));
  relay();
  return {
    output: output.join(""),
    data: toHex(concat(driver.data)),
    events: driver.events.map(({ type }) => type),
    received: toHex(concat(server.data)),
  };
}

describe("a dialog with data, warnings and close_notify", () => {
  const whole = dialog(
    (bytes) => [bytes],
    () => Number.MAX_SAFE_INTEGER,
    16_384,
  );

  it("has the events that it should have", () => {
    expect(whole.events).toEqual(["secured", "warning", "closed"]);
    expect(whole.data).toHaveLength(2 * (1 + 5000 + 16_384 + 3));
  });

  it("is the same for any cut, any budget and any fragments of the handshake", () => {
    fc.assert(
      fc.property(
        chunked(),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 3000 }),
        (cut, budgets, fragment) => {
          let i = 0;
          expect(dialog(cut, () => budgets[i++ % budgets.length]!, fragment)).toEqual(whole);
        },
      ),
      runs(25),
    );
  });
});
