/**
 * Packets into room that the layer below owns: whole where they fit, else in pieces, so that a payload is never copied but into
 * that room, and a packet larger than any room still leaves. Nothing comes between the pieces of one packet.
 *
 * @module
 */

import { copyOf } from "../bytes.ts";
import { encode, packetSize, writePacket, writePublishHeader } from "./encode.ts";
import { type Packet, PacketType } from "./packets.ts";

/** One packet on its way out. */
export class PacketOutput {
  #pieces: Uint8Array[] = [];
  #rest = 0;

  /** Bytes of a begun packet that are still to be written. */
  get rest(): number {
    return this.#rest;
  }

  /** Writes a packet, or as much of it as there is room for, at `at`; returns the position behind. Only where `rest` is 0. */
  begin(packet: Packet, room: Uint8Array, at: number): number {
    const size = packetSize(packet);
    if (size <= room.length - at) return writePacket(packet, room, at);
    if (packet.type === PacketType.PUBLISH) {
      const header = new Uint8Array(size - packet.payload.length);
      writePublishHeader(packet, header, 0);
      this.#pieces = [header, packet.payload];
    } else {
      this.#pieces = [encode(packet)];
    }
    this.#rest = size;
    return this.continue(room, at);
  }

  /** Writes more of the begun packet at `at`; returns the position behind. */
  continue(room: Uint8Array, at: number): number {
    while (this.#rest > 0 && at < room.length) {
      const piece = this.#pieces[0]!;
      const part = piece.subarray(0, Math.min(piece.length, room.length - at));
      room.set(part, at);
      at += part.length;
      this.#rest -= part.length;
      if (part.length < piece.length) this.#pieces[0] = piece.subarray(part.length);
      else this.#pieces.shift();
    }
    if (this.#rest === 0) this.#pieces = [];
    return at;
  }

  /** Copies what is left of the begun packet, because its payload's owner takes it back. */
  detach(): void {
    this.#pieces = this.#pieces.map(copyOf);
  }

  /** Forgets a begun packet: its connection is gone. */
  clear(): void {
    this.#pieces = [];
    this.#rest = 0;
  }
}
