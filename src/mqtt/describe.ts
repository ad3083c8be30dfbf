/**
 * One line for a packet, for the log at level verbose: names, identifiers, topics, lengths; never a payload, user name or
 * password.
 *
 * @module
 */

import { printable } from "../bytes.ts";
import { PACKET_NAMES, type Packet, PacketType } from "./packets.ts";

/**
 * @example
 * describePacket({ type: PacketType.PUBACK, packetId: 7 }); // "PUBACK id 7"
 */
export function describePacket(packet: Packet): string {
  const name = PACKET_NAMES[packet.type];
  switch (packet.type) {
    case PacketType.CONNECT:
      return (
        `${name} client id "${printable(packet.clientId)}", clean session ${packet.cleanSession}, ` +
        `keep-alive ${packet.keepAliveSeconds} s${packet.will === undefined ? "" : `, will "${printable(packet.will.topic)}"`}`
      );
    case PacketType.CONNACK:
      return `${name} code ${packet.returnCode}, session present ${packet.sessionPresent}`;
    case PacketType.PUBLISH: {
      const id = packet.qos === 0 ? "" : ` id ${packet.packetId}`;
      const flags = `${packet.dup ? " dup" : ""}${packet.retain ? " retain" : ""}`;
      return `${name} "${printable(packet.topic)}" QoS ${packet.qos}${id}${flags}, ${packet.payload.length} bytes`;
    }
    case PacketType.SUBSCRIBE: {
      const filters = packet.subscriptions.map(({ filter, qos }) => `"${printable(filter)}" QoS ${qos}`);
      return `${name} id ${packet.packetId} ${filters.join(", ")}`;
    }
    case PacketType.SUBACK:
      return `${name} id ${packet.packetId} codes ${packet.returnCodes.join(", ")}`;
    case PacketType.UNSUBSCRIBE:
      return `${name} id ${packet.packetId} ${packet.filters.map((filter) => `"${printable(filter)}"`).join(", ")}`;
    case PacketType.PINGREQ:
    case PacketType.PINGRESP:
    case PacketType.DISCONNECT:
      return name;
    default:
      return `${name} id ${packet.packetId}`;
  }
}
