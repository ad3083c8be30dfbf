/**
 * The device reports its room temperature and its window to its shadow, and opens or closes the window when the app asks for it
 * in `desired`, as the ESP32 example `thing_shadow` does.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectThingOptions, connectThing, isThingwireError } from "thingwire/node";
import { handshakeFailed } from "../handshake-failed.ts";

const TAG = "ShadowDemo";
const LOWER_LIMIT = 25;
const UPPER_LIMIT = 32;

/** What the shadow of this device holds. */
export interface Room {
  temperature: number;
  windowOpen: boolean;
}

export interface ThingShadowOptions {
  /** Endpoint, thing name, certificate and key: what any app passes to `connectThing`. */
  readonly device: ConnectThingOptions;
  /** How often the device reports. */
  readonly rounds: number;
  /** Milliseconds between reports; 1,000 by default. */
  readonly pauseMs?: number;
  /** Takes each log line. */
  readonly log: (line: string) => void;
  /** The app side: called once, between two reports, to set `windowOpen` in `desired`. */
  readonly askForWindow: (windowOpen: boolean) => Promise<void>;
}

/** Runs the example and returns what the device reported last. Throws where it cannot connect or the window never follows. */
export async function thingShadow(options: ThingShadowOptions): Promise<Room> {
  const { device, rounds, pauseMs = 1_000, log, askForWindow } = options;
  const say = (message: string): void => log(`${TAG}: ${message}`);
  say("Shadow Connect");
  const thing = await connectThing(device).catch((error: unknown) => {
    if (!isThingwireError(error)) throw error;
    handshakeFailed(error).forEach(log);
    say(`aws_iot_shadow_connect returned error ${error.sdk ?? -1}, aborting...`);
    throw error;
  });

  try {
    const room: Room = { temperature: LOWER_LIMIT, windowOpen: false };
    let rising = true;
    const shadow = thing.shadow<Room>();

    // The device acts on what is asked for, and returns what it really did: that is what gets reported.
    shadow.onDelta((delta) => {
      if (delta.windowOpen === undefined) return {};
      room.windowOpen = delta.windowOpen;
      say(`Delta - Window state changed to ${room.windowOpen ? 1 : 0}`);
      return { windowOpen: room.windowOpen };
    });

    for (let round = 0; round < rounds; round++) {
      if (round === Math.floor(rounds / 2)) await askForWindow(!room.windowOpen);
      rising = room.temperature >= UPPER_LIMIT ? false : room.temperature <= LOWER_LIMIT ? true : rising;
      room.temperature += rising ? 0.5 : -0.5;
      say("=======================================================================================");
      say(`On Device: window state ${room.windowOpen}`);
      say(`Update Shadow: ${JSON.stringify({ state: { reported: room } })}`);
      say(await shadow.report({ ...room }, { full: true, timeoutMs: 4_000 }).then(() => "Update accepted", whyNot));
      await sleep(pauseMs);
    }
    await shadow.settled({ timeoutMs: 4_000 });
    return room;
  } finally {
    await thing.close();
  }
}

/** The example's words for an update that was not accepted; anything else goes on as an error. */
function whyNot(error: unknown): string {
  if (isThingwireError(error) && error.code.startsWith("SHADOW_REJECTED_")) return "Update rejected";
  if (isThingwireError(error) && error.code === "SHADOW_TIMEOUT") return "Update timed out";
  throw error;
}
