import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { parsePrivateKey } from "../../../src/tls/x509/keys.ts";
import { memoryPair } from "../../../src/transport/memory.ts";
import { tls } from "../../../src/transport/tls.ts";
import { runs } from "../../runs.ts";
import { pattern, Recorder } from "../../unit/transport/contract.ts";
import { crypto, forClient, forLocalhost, makeAuthority, random } from "../../unit/transport/pki.ts";
import { tlsPeerOver } from "../../unit/transport/tls-server.ts";

const authority = makeAuthority("Test CA");
const server = authority.issue("server", forLocalhost);
const device = authority.issue("lamp", forClient);
const identity = { certificates: [device.certificateDer], privateKey: parsePrivateKey(device.privateKey) };

function client(below: ReturnType<typeof memoryPair>[0], sliceUnits: number): Recorder {
  return new Recorder(
    tls(below, {
      serverName: "localhost",
      trust: authority.trust,
      identity,
      crypto,
      random,
      sliceUnits,
      timers: nodeRuntime.timers,
      wallMs: nodeRuntime.clock.wallMs,
    }),
  );
}

const direction = fc.record({
  pieceBytes: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 20_000 })),
});

describe("tls over memory: chunk invariance", () => {
  it("any pieces, capacity and slice give the same bytes back, and one orderly end", async () => {
    await fc.assert(
      fc.asyncProperty(
        direction,
        direction,
        fc.integer({ min: 64, max: 70_000 }),
        fc.integer({ min: 200, max: 50_000 }),
        fc.integer({ min: 1, max: 40_000 }),
        async (toFirst, toSecond, capacity, sliceUnits, length) => {
          const [below, far] = memoryPair({ capacity, toFirst, toSecond });
          const peer = tlsPeerOver(far, { authority, server });
          const recorder = client(below, sliceUnits).open();
          const socket = await peer;
          socket.pipe(socket);
          await recorder.untilLogged("writable");
          await recorder.send(pattern(length));
          await recorder.until(() => recorder.received.length >= length);
          recorder.transport.shutdown();
          await recorder.until(() => recorder.log.includes("end") || recorder.log.includes("error"));
          expect(recorder.error).toBeUndefined();
          expect(Buffer.compare(recorder.received, pattern(length))).toBe(0);
          expect(recorder.reentrant).toBe(false);
        },
      ),
      runs(12),
    );
  });

  it("a stream that is cut or ended anywhere is told once, and never as an orderly end", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 6_000 }), fc.boolean(), async (at, cut) => {
        const [below, far] = memoryPair({ toFirst: cut ? { cutAfter: at } : { endAfter: at } });
        const peer = tlsPeerOver(far, { authority, server });
        const recorder = client(below, 5_000).open();
        // Enough records to reach any of the places.
        void peer.then((socket) => socket.write(Buffer.alloc(8_000)));
        await recorder.until(() => recorder.log.includes("end") || recorder.log.includes("error"));
        expect(recorder.count("end")).toBe(0);
        expect(recorder.count("error")).toBe(1);
        expect(recorder.error?.code).toBe(cut ? "TRANSPORT_RESET" : "TLS_CLOSED_WITHOUT_NOTIFY");
        recorder.transport.destroy();
      }),
      runs(15),
    );
  });
});
