/**
 * Which broker it is, where it tells: ordinary brokers publish their version below `$SYS`, AWS IoT has nothing there.
 *
 * @module
 */

import { printableBytes } from "../../bytes.ts";
import type { Line } from "./line.ts";

const VERSION_TOPIC = "$SYS/broker/version";
/** A retained message comes at once. */
const WAIT_MS = 500;

/** The broker's name and version, or `undefined` where it does not say. */
export async function identifyBroker(line: Line): Promise<string | undefined> {
  const client = await line.client();
  if (client === undefined) return undefined;
  return await new Promise((resolve) => {
    const cancel = line.timers.set(line.timeoutMs, () => resolve(undefined));
    const tell = (version: string | undefined): void => {
      cancel();
      resolve(version);
    };
    client
      .subscribe(VERSION_TOPIC, {
        timeoutMs: line.timeoutMs,
        onMessage: ({ payload }) => tell(printableBytes(payload, 60)),
      })
      .then(() => line.timers.set(WAIT_MS, () => tell(undefined)))
      .catch(() => tell(undefined));
  });
}
