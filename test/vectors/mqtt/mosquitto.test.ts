/**
 * Eclipse Mosquitto's cases of malformed and unexpected packets, played against the session: the broker's hexadecimal in, and
 * whether the connection has to be closed.
 */
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/bytes.ts";
import { PacketType } from "../../../src/mqtt/index.ts";
import { puback, SessionHarness, text } from "../../unit/mqtt/session-harness.ts";
import { loadVectors, vectorsAvailable } from "../vectors.ts";

interface Message {
  readonly type: "send" | "recv";
  readonly payload: string;
}

interface Group {
  readonly group: string;
  readonly connack?: boolean;
  readonly command?: string;
  readonly group_msgs?: readonly Message[];
  readonly tests: readonly {
    readonly name: string;
    readonly connack?: boolean;
    readonly expect_disconnect?: boolean;
    readonly msgs: readonly Message[];
  }[];
}

/** How many cases each file has: none may be lost. */
const FILES = { CONNACK: 19, PUBACK: 18, SUBSCRIBE: 36, UNSUBACK: 15 };

function begin(h: SessionHarness, command: string | undefined): void {
  switch (command) {
    case undefined:
      return;
    case "publish-1":
      h.session.publish({ topic: "test/publish", payload: text("message"), qos: 1 });
      return;
    case "unsubscribe":
      h.session.unsubscribe(["test/subscribe"]);
      return;
    default:
      throw new Error(`unknown command ${command}`);
  }
}

describe.skipIf(!vectorsAvailable())("Mosquitto's cases for a client", () => {
  for (const [file, count] of Object.entries(FILES)) {
    const groups = vectorsAvailable() ? (loadVectors(`mqtt/${file}.json`) as Group[]) : [];

    it(`${file}.json has ${count} cases`, () => {
      expect(groups.reduce((sum, { tests }) => sum + tests.length, 0)).toBe(count);
    });

    for (const group of groups) {
      for (const test of group.tests) {
        it(`${group.group}: ${test.name}`, () => {
          const h = new SessionHarness();
          h.session.connect(h.now);
          expect(h.sent()).toHaveLength(1);
          if (test.connack ?? group.connack ?? true) h.receive("20 02 0000");
          begin(h, group.command);
          for (const { type, payload } of [...(group.group_msgs ?? []), ...test.msgs]) {
            if (type === "send") h.receive(payload);
            else expect(h.sentHex()).toBe(toHex(fromHex(payload)));
          }
          if (test.expect_disconnect ?? true) {
            expect(h.last).toMatchObject({ type: "closed", error: { blame: "peer" } });
            return;
          }
          expect(h.session.state).toBe("connected");
          h.receive({
            type: PacketType.PUBLISH,
            dup: false,
            qos: 1,
            retain: false,
            topic: "t",
            packetId: 65_535,
            payload: text(""),
          });
          expect(h.sent()).toEqual([puback(65_535)]);
        });
      }
    }
  }
});
