/** What a broker of these tests does with the bytes of a client, over any of Node's sockets. */
import type { Duplex } from "node:stream";

export type Script = (socket: Duplex) => void;

const CONNACK = 0x20;
const FIRST = { connect: 0x10, subscribe: 0x82, pingreq: 0xc0, disconnect: 0xe0 };

/** Answers CONNECT with that return code, and pings; ends when the client says DISCONNECT. */
export function answering(returnCode = 0): Script {
  return (socket) => {
    socket.on("data", (chunk: Buffer) => {
      if (chunk[0] === FIRST.connect) socket.write(Buffer.from([CONNACK, 2, 0, returnCode]));
      if (chunk[0] === FIRST.pingreq) socket.write(Buffer.from([0xd0, 0]));
      if (chunk.at(-2) === FIRST.disconnect) socket.end();
    });
  };
}

/** Reads, and says nothing. */
export const silentScript: Script = (socket) => void socket.resume();

/** Ends the connection in order as soon as CONNECT comes, as AWS IoT does where the policy does not allow it. */
export const closingOnConnect: Script = (socket) => void socket.once("data", () => socket.end());

/** Drops it instead, without close_notify. */
export const droppingOnConnect: Script = (socket) => void socket.once("data", () => socket.destroy());

/** Answers CONNECT and drops the connection after a while. */
export function droppingAfter(ms: number): Script {
  return (socket) => {
    answering()(socket);
    socket.once("data", () => setTimeout(() => socket.destroy(), ms));
  };
}
