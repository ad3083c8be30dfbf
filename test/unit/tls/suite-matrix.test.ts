/**
 * Every suite, with both orders of MAC for those of CBC: our client with Node's server and with ours, on every group; and data of lengths
 * around the blocks.
 */
import { describe, expect, it } from "vitest";
import { concat, equal } from "../../../src/bytes.ts";
import { TlsClient } from "../../../src/tls/client.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import type { TlsEvent } from "../../../src/tls/events.ts";
import { presets } from "../../../src/tls/presets.ts";
import { allGroups, type CipherSuite } from "../../../src/tls/suites.ts";
import { ecIdentity, options } from "./client.ts";
import * as fixtures from "./fixtures.ts";
import { nodeServer, pump } from "./node-peer.ts";
import { Dialog, ecServer, rsaServer } from "./server.ts";

interface Spoken {
  readonly suite: CipherSuite;
  readonly encryptThenMac: boolean;
}

/** Each suite as it can be spoken. */
const spoken = presets
  .full()
  .flatMap((suite): Spoken[] =>
    (suite.kind === "cbc" ? [true, false] : [false]).map((encryptThenMac) => ({ suite, encryptThenMac })),
  )
  .map((one) => ({ ...one, title: titleOf(one) }));

function titleOf({ suite, encryptThenMac }: Spoken): string {
  return suite.kind === "cbc" ? `${suite.name}, ${encryptThenMac ? "RFC 7366" : "MAC then encrypt"}` : suite.name;
}

/** Bytes that differ from one another and from those of other lengths. */
const textOf = (length: number) => new Uint8Array(length).map((_, i) => i * 31 + length);
const SIZES = [1, 15, 16, 17, 31, 32, 33, 255, 1000, 16_384];
const all = concat(SIZES.map(textOf));

describe("RFC 5246 §6.2.3 data both ways with Node's TLS server", () => {
  // One provider for all, as an app has it.
  const crypto = createCrypto();
  const servers = {
    rsa: { cert: fixtures.rsaServerCertificate, key: fixtures.rsaServerKey },
    ecdsa: { cert: fixtures.ecServerCertificate, key: fixtures.ecServerKey },
  };

  it.each(spoken)("$title", async ({ suite, encryptThenMac }) => {
    const peer = nodeServer(servers[suite.authentication]);
    const tls = new TlsClient(options({ suites: [suite], crypto, encryptThenMac, identity: ecIdentity }));
    tls.start();
    const events: TlsEvent[] = [];
    const dataOf = () => concat(events.flatMap((event) => (event.type === "data" ? [event.bytes] : [])));
    await pump(tls, peer, () => events.some(({ type }) => type === "secured" || type === "fatal"), events);
    expect(events.find(({ type }) => type !== "data")).toMatchObject({ type: "secured", suite, encryptThenMac });
    for (const size of SIZES) peer.socket.write(textOf(size));
    await pump(tls, peer, () => dataOf().length === all.length, events);
    expect(equal(dataOf(), all)).toBe(true);
    for (const size of SIZES) {
      for (let at = 0; at < size; ) {
        at += tls.write(textOf(size).subarray(at));
        await pump(tls, peer, () => peer.wire.written.length > 0 || tls.room > 0, events);
      }
    }
    await pump(tls, peer, () => concat(peer.received).length === all.length, events);
    expect(equal(concat(peer.received), all)).toBe(true);
    peer.socket.end();
    await pump(tls, peer, () => events.at(-1)?.type === "closed", events);
    expect(peer.errors).toEqual([]);
    expect(events.at(-1)).toEqual({ type: "closed", cleanly: true });
  });
});

describe("RFC 8422 §5.1.1 every group, with our own server", () => {
  describe.each(allGroups)("$name", (group) => {
    it.each(spoken)("$title", ({ suite, encryptThenMac }) => {
      const identity = suite.authentication === "rsa" ? rsaServer : ecServer;
      const dialog = new Dialog(
        { suites: [suite], encryptThenMac, groups: [group], select: () => ({ identity }) },
        // All groups: that of an ECDSA certificate must be among them.
        { suites: [suite] },
      );
      expect(dialog.client.error ?? dialog.server.error).toBeUndefined();
      expect(dialog.client.events).toMatchObject([{ type: "secured", suite, group, encryptThenMac }]);
      expect(dialog.server.events).toMatchObject([{ type: "secured", suite, group, encryptThenMac }]);
      for (const engine of [dialog.client.client, dialog.server.server])
        for (const size of SIZES) {
          expect(engine.write(textOf(size))).toBe(size);
          dialog.run();
        }
      expect(equal(concat(dialog.client.data), all)).toBe(true);
      expect(equal(concat(dialog.server.data), all)).toBe(true);
      dialog.client.client.close();
      dialog.run();
      expect([dialog.client, dialog.server].map(({ events }) => events.at(-1))).toEqual([
        { type: "closed", cleanly: true },
        { type: "closed", cleanly: true },
      ]);
    });
  });
});
