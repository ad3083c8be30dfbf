/**
 * A TLS server on loopback that ends the connection where and how a test wants it, with alerts at will: what Node's own server cannot
 * do. Its certificate is that of the TLS fixtures, and it takes every client.
 */
import { createServer, type Socket } from "node:net";
import { ContentType } from "../../../src/tls/record.ts";
import { plain, ScriptedServer } from "../tls/scripted-server.ts";

const FATAL = 2;
const CONNACK = Uint8Array.of(0x20, 2, 0, 0);
const NO_BYTES = new Uint8Array(0);

/** In the handshake, where the client's flight is complete; when CONNECT comes; or behind CONNACK. */
export type Moment = "handshake" | "connect" | "session";

/** How it ends: a fatal alert, close_notify, or nothing but the end of TCP. */
export type Ending = { readonly alert: number } | "close_notify" | "end";

export interface AlertingServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function alertingServer(moment: Moment, ending: Ending): Promise<AlertingServer> {
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    serve(socket, moment, ending);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return {
    port: (listener.address() as { port: number }).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

function serve(socket: Socket, moment: Moment, ending: Ending): void {
  const alert = typeof ending === "object" ? [FATAL, ending.alert] : ending === "close_notify" ? [1, 0] : undefined;
  let refused = false;
  const tls: ScriptedServer = new ScriptedServer({
    request: { types: [64, 1], schemes: [0x0403, 0x0804], authorities: [] },
    ...(moment === "handshake"
      ? {
          last: () => {
            refused = true;
            return alert === undefined ? NO_BYTES : plain(ContentType.alert, Uint8Array.from(alert));
          },
        }
      : {}),
  });
  socket.on("data", (chunk: Buffer) => {
    const answer = tls.receive(chunk);
    if (answer.length > 0) socket.write(answer);
    const hasConnect = tls.data.length > 0;
    if (moment === "session" && hasConnect) socket.write(tls.seal(ContentType.application_data, CONNACK));
    if (!refused && !hasConnect) return;
    if (moment !== "handshake" && alert !== undefined)
      socket.write(tls.seal(ContentType.alert, Uint8Array.from(alert)));
    socket.end();
    socket.removeAllListeners("data").resume();
  });
}
