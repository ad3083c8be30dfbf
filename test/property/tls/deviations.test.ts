/** Random scripts of the server: whatever it does wrong, the client stays sound, and what changes a handshake is never accepted. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/bytes.ts";
import type { Deviation, OutgoingName } from "../../../src/tls/deviations.ts";
import { TlsError } from "../../../src/tls/errors.ts";
import { runs } from "../../runs.ts";
import { Dialog } from "../../unit/tls/server.ts";

const HANDSHAKE = ["ServerHello", "Certificate", "ServerKeyExchange", "CertificateRequest", "ServerHelloDone"] as const;
const NAMES: readonly OutgoingName[] = [...HANDSHAKE, "ChangeCipherSpec", "Finished"];

const position = fc.double({ min: 0, max: 0.999, noNaN: true });
const flipped = fc.tuple(position, fc.integer({ min: 0, max: 7 })).map(
  ([at, bit]) =>
    (bytes: Uint8Array) =>
      bytes.map((byte, i) => (i === Math.floor(at * bytes.length) ? byte ^ (1 << bit) : byte)),
);

const deviation: fc.Arbitrary<Deviation> = fc
  .tuple(
    fc.constantFrom(...NAMES),
    fc.oneof(
      flipped.map((alter) => ({ alter })),
      flipped.map((alter) => ({ alter, onlyOnWire: true })),
      flipped.map((wire) => ({ wire })),
      fc.integer({ min: 0, max: 3 }).map((times) => ({ times })),
      fc.constantFrom(...NAMES).map((postponeBehind) => ({ postponeBehind })),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 4 }).map((fragments) => ({ fragments })),
      fc.constant({ join: true }),
      fc.constant({ plain: true }),
      fc.integer({ min: 0, max: 300 }).map((endAfter) => ({ endAfter })),
      fc.record({ version: fc.integer({ min: 0x0300, max: 0x0305 }) }).map((header) => ({ header })),
      fc
        .record({ type: fc.constantFrom(20, 21, 22, 23), bytes: fc.uint8Array({ maxLength: 20 }) })
        .map((record) => ({ before: [record] })),
    ),
  )
  .map(([on, what]) => ({ on, ...what }) as Deviation);

/** The client must be right about what it says, and wrong only in ways that are told. */
function checkSound(dialog: Dialog): void {
  const { client, server } = dialog;
  if (client.error !== undefined) {
    expect(client.error).toBeInstanceOf(TlsError);
    expect(client.error.blame).toMatch(/^(peer|network)$/);
  }
  if (client.error !== undefined || !client.isSecured) return;
  // A script that cuts the stream behind the whole Finished ends a server that then has no keys any more to compare.
  if (server.server.stateName === "Closed") return;
  // Who is secured has the keys of the other one.
  const keys = (engine: { exportKeyingMaterial(label: string, context: undefined, length: number): Uint8Array }) =>
    toHex(engine.exportKeyingMaterial("test", undefined, 16));
  expect(keys(client.client)).toBe(keys(server.server));
}

describe("whatever the server's script", () => {
  it("the client ends with an error of the peer, or is secured with the server's keys", () => {
    let secured = 0;
    fc.assert(
      fc.property(fc.array(deviation, { minLength: 1, maxLength: 3 }), (deviations) => {
        const dialog = new Dialog({ deviations });
        checkSound(dialog);
        if (dialog.isSecured) secured++;
      }),
      runs(80),
    );
    expect(secured).toBeGreaterThan(0);
  });

  it("RFC 5246 §7.4.9: a handshake message that was changed on its way is never accepted", () => {
    fc.assert(
      fc.property(fc.constantFrom(...HANDSHAKE), flipped, (on, alter) => {
        const { client, server } = new Dialog({ deviations: [{ on, alter, onlyOnWire: true }] });
        expect(client.isSecured).toBe(false);
        expect(server.secured).toBeUndefined();
      }),
      runs(60),
    );
  });

  it("RFC 5246 §6.2.3.3: a protected record that was changed is never accepted", () => {
    fc.assert(
      fc.property(flipped, fc.uint8Array({ minLength: 1, maxLength: 300 }), (wire, bytes) => {
        const dialog = new Dialog({ deviations: [{ on: "ApplicationData", wire }] });
        expect(dialog.isSecured).toBe(true);
        dialog.server.server.write(bytes);
        dialog.run();
        expect(dialog.client.data).toEqual([]);
      }),
      runs(40),
    );
  });
});
