/**
 * The fourteen control packets of MQTT 3.1.1 as plain objects of a fixed shape (chapter 3): every field is always there, so that
 * engines see one shape a packet.
 *
 * @module
 */

/** Control packet types (§2.2.1). */
export const PacketType = {
  CONNECT: 1,
  CONNACK: 2,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  SUBSCRIBE: 8,
  SUBACK: 9,
  UNSUBSCRIBE: 10,
  UNSUBACK: 11,
  PINGREQ: 12,
  PINGRESP: 13,
  DISCONNECT: 14,
} as const;

/** One of the 14 control packet types (§2.2.1). */
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** The names of the types, by number; 0 and 15 are reserved. */
export const PACKET_NAMES = [
  "reserved 0",
  "CONNECT",
  "CONNACK",
  "PUBLISH",
  "PUBACK",
  "PUBREC",
  "PUBREL",
  "PUBCOMP",
  "SUBSCRIBE",
  "SUBACK",
  "UNSUBSCRIBE",
  "UNSUBACK",
  "PINGREQ",
  "PINGRESP",
  "DISCONNECT",
  "reserved 15",
] as const;

/** Quality of service: 0 at most once, 1 at least once, 2 exactly once (§4.3). */
export type QoS = 0 | 1 | 2;

/** The protocol level of MQTT 3.1.1 (§3.1.2.2). */
export const PROTOCOL_LEVEL = 4;

/** Return codes of CONNACK (§3.2.2.3). Others are reserved; AWS IoT was seen to use more. */
export const ConnackCode = {
  accepted: 0,
  unacceptableProtocolVersion: 1,
  identifierRejected: 2,
  serverUnavailable: 3,
  badUserNameOrPassword: 4,
  notAuthorized: 5,
} as const;

/** The SUBACK return code for a refused filter (§3.9.3); 0, 1 and 2 are granted QoS. */
export const SUBACK_FAILURE = 0x80;

/** The longest string or binary field, in bytes (§1.5.3). */
export const MAX_FIELD_BYTES = 65_535;

/** The greatest remaining length (§2.2.3). */
export const MAX_REMAINING_LENGTH = 268_435_455;

/** What the server publishes when the connection ends without DISCONNECT (§3.1.2.5). */
export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
}

/** CONNECT (§3.1). */
export interface ConnectPacket {
  readonly type: typeof PacketType.CONNECT;
  readonly clientId: string;
  readonly cleanSession: boolean;
  /** Seconds, 0 to 65,535; 0 is off. */
  readonly keepAliveSeconds: number;
  readonly will: Will | undefined;
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
}

/** CONNACK (§3.2). */
export interface ConnackPacket {
  readonly type: typeof PacketType.CONNACK;
  readonly sessionPresent: boolean;
  /** 0 is accepted; see {@link ConnackCode}. */
  readonly returnCode: number;
}

/** PUBLISH (§3.3). */
export interface PublishPacket {
  readonly type: typeof PacketType.PUBLISH;
  readonly dup: boolean;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly topic: string;
  /** 1 to 65,535; 0 where QoS is 0, which has none [MQTT-2.3.1-5]. */
  readonly packetId: number;
  /** Out of the parser: a view that is valid until its next `feed`. */
  readonly payload: Uint8Array;
}

/** The packets that consist of a packet identifier. */
export interface AckPacket<Type extends PacketType> {
  readonly type: Type;
  /** 1 to 65,535. */
  readonly packetId: number;
}

/** PUBACK (§3.4). */
export type PubackPacket = AckPacket<typeof PacketType.PUBACK>;
/** PUBREC (§3.5). */
export type PubrecPacket = AckPacket<typeof PacketType.PUBREC>;
/** PUBREL (§3.6). */
export type PubrelPacket = AckPacket<typeof PacketType.PUBREL>;
/** PUBCOMP (§3.7). */
export type PubcompPacket = AckPacket<typeof PacketType.PUBCOMP>;
/** UNSUBACK (§3.11). */
export type UnsubackPacket = AckPacket<typeof PacketType.UNSUBACK>;

/** One topic filter of a SUBSCRIBE with the QoS asked for. */
export interface SubscriptionRequest {
  readonly filter: string;
  /** The highest QoS wanted. */
  readonly qos: QoS;
}

/** SUBSCRIBE (§3.8). */
export interface SubscribePacket {
  readonly type: typeof PacketType.SUBSCRIBE;
  readonly packetId: number;
  readonly subscriptions: readonly SubscriptionRequest[];
}

/** SUBACK (§3.9): a code for each filter, in order. */
export interface SubackPacket {
  readonly type: typeof PacketType.SUBACK;
  readonly packetId: number;
  /** One a filter, in order: the granted QoS or {@link SUBACK_FAILURE}. */
  readonly returnCodes: readonly number[];
}

/** UNSUBSCRIBE (§3.10). */
export interface UnsubscribePacket {
  readonly type: typeof PacketType.UNSUBSCRIBE;
  readonly packetId: number;
  readonly filters: readonly string[];
}

/** PINGREQ (§3.12). */
export interface PingreqPacket {
  readonly type: typeof PacketType.PINGREQ;
}

/** PINGRESP (§3.13). */
export interface PingrespPacket {
  readonly type: typeof PacketType.PINGRESP;
}

/** DISCONNECT (§3.14). */
export interface DisconnectPacket {
  readonly type: typeof PacketType.DISCONNECT;
}

/** Any control packet; `type` tells them apart. */
export type Packet =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | PubackPacket
  | PubrecPacket
  | PubrelPacket
  | PubcompPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingreqPacket
  | PingrespPacket
  | DisconnectPacket;
