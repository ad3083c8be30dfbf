/**
 * What a client wants to do at the broker, and the answer of whoever decides: the broker asks before every CONNECT, PUBLISH and topic
 * filter, and before every single delivery.
 *
 * @module
 */

import type { QoS } from "./packets.ts";

interface Client {
  readonly clientId: string;
  /** What `accept` was given, such as the id of the client's certificate. */
  readonly principal: string | undefined;
}

/** CONNECT: a client id, whether the session shall be kept, and where its will would go. */
export interface ConnectAction extends Client {
  readonly type: "connect";
  readonly cleanSession: boolean;
  readonly willTopic: string | undefined;
}

/** PUBLISH, or the will at the moment in which it is published. */
export interface PublishAction extends Client {
  readonly type: "publish";
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
}

/** One filter of SUBSCRIBE. */
export interface SubscribeAction extends Client {
  readonly type: "subscribe";
  readonly filter: string;
  /** The QoS asked for. */
  readonly qos: QoS;
}

/** One message that is about to be sent to the client, sent again included. */
export interface ReceiveAction extends Client {
  readonly type: "receive";
  readonly topic: string;
}

/** What a client wants to do; `type` tells them apart. */
export type BrokerAction = ConnectAction | PublishAction | SubscribeAction | ReceiveAction;

/** No, and why: for the log and the {@link CloseReason}, never for the client. */
export interface Denial {
  readonly denied: string;
}

/** Whether an action is allowed. Must not call the broker. */
export type Authorize = (action: BrokerAction) => true | Denial;
