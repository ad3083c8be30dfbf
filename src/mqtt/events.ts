/**
 * What goes into a client's session and what comes out of it: options, publications, events.
 *
 * @module
 */

import type { ThingwireError } from "../errors.ts";
import type { Logger } from "../ports.ts";
import type { MqttLimits } from "./limits.ts";
import type { QoS, Will } from "./packets.ts";

/** Options of {@link MqttSession}: what goes into CONNECT, limits and time limits. */
export interface MqttSessionOptions {
  /** May be empty with a clean session: the server then chooses one. */
  readonly clientId: string;
  /** Start anew at each connection; true by default. */
  readonly cleanSession?: boolean | undefined;
  /** Seconds, 0 to 65,535; 60 by default; 0 is off. */
  readonly keepAliveSeconds?: number | undefined;
  readonly will?: Will | undefined;
  readonly username?: string | undefined;
  readonly password?: Uint8Array | undefined;
  /** Milliseconds from `connect` to CONNACK; 30,000 by default. */
  readonly connectTimeoutMs?: number | undefined;
  /** Milliseconds from PINGREQ to PINGRESP; half the keep-alive by default, 30,000 at most. */
  readonly pingTimeoutMs?: number | undefined;
  /** The largest packet that is accepted; 262,144 bytes by default. */
  readonly maxPacketBytes?: number | undefined;
  /** Packets that may wait for an acknowledgement at once; 100 by default. */
  readonly maxInFlight?: number | undefined;
  /** Operations that are held, in flight or waiting, at most; 1,000 by default. */
  readonly maxQueued?: number | undefined;
  /** The bytes of their packets at most; 1,048,576 by default. */
  readonly maxQueuedBytes?: number | undefined;
  /** `awsLimits`, or none by default. */
  readonly limits?: MqttLimits | undefined;
  readonly log?: Logger | undefined;
}

/** An Application Message as the session delivers it. */
export interface MqttMessage {
  readonly topic: string;
  /** In a `message` event: a view that is valid until the next `feed`. */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
}

/** What a PUBLISH says. The payload is kept by reference until the operation is settled: do not change it before. */
export interface MqttPublication {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos?: QoS | undefined;
  readonly retain?: boolean | undefined;
}

/** What a session tells: see each `type`. */
export type MqttSessionEvent =
  | { readonly type: "connected"; readonly sessionPresent: boolean }
  | ({ readonly type: "message" } & MqttMessage)
  /** QoS 0: written. QoS 1: acknowledged. */
  | { readonly type: "published"; readonly id: number }
  /** One code a filter, as requested: the granted QoS, or 128 where it was refused. */
  | { readonly type: "subscribed"; readonly id: number; readonly returnCodes: readonly number[] }
  | { readonly type: "unsubscribed"; readonly id: number }
  | { readonly type: "failed"; readonly id: number; readonly error: ThingwireError }
  /** The network connection has to be closed, or is; without an error after our own DISCONNECT. */
  | { readonly type: "closed"; readonly error: ThingwireError | undefined };

/** Where a session stands towards the present network connection. */
export type MqttSessionState = "offline" | "awaitingConnack" | "connected" | "disconnecting";
