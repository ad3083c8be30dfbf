/**
 * The local AWS IoT endpoint on Node: a TLS port on loopback that demands client certificates, in front of the simulator. It
 * admits certificates of its own CA that are registered and active.
 *
 * Left out so far: the alerts that AWS IoT sends. A client that is not admitted sees its handshake succeed and the connection
 * close before CONNACK; the reason stands in the log.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { UsageError } from "../../errors.ts";
import { type Logger, silent } from "../../ports.ts";
import { nodeRuntime } from "../../runtime/node-ports.ts";
import { checkNames } from "../../shadow/topics.ts";
import { AWS_MQTT_ALPN } from "../../thing/aws.ts";
import { createCrypto } from "../../tls/crypto/index.ts";
import { type Cloud, simulate } from "../cloud.ts";
import { acceptedSocket } from "./accepted-socket.ts";
import { type EndpointFolder, openFolder } from "./folder.ts";

export interface LocalEndpointOptions {
  /** Where certificates are kept; `.thingwire` in the working folder by default. */
  readonly dir?: string | undefined;
  /** 8883 by default; 0 takes any free port. */
  readonly port?: number | undefined;
  /** The thing that gets a certificate; `thingwire-demo` by default. */
  readonly thingName?: string | undefined;
  /** Tags `simulator`, `broker` and `shadow-service`. */
  readonly log?: Logger | undefined;
}

/** A running endpoint. */
export interface LocalEndpoint {
  /** `localhost`. */
  readonly host: string;
  readonly port: number;
  readonly thingName: string;
  /** The CA, the server's and the device's certificate, and where their files are. */
  readonly folder: EndpointFolder;
  readonly cloud: Cloud;
  /** Drops all connections and closes the port. */
  close(): Promise<void>;
}

const HANDSHAKE_TIMEOUT_MS = 15_000;
const CLOSE_GRACE_MS = 250;

/**
 * Starts the endpoint. Resolves when the port is open.
 *
 * Errors: `USAGE_INVALID_ARGUMENT` where the port is taken or not allowed, the folder cannot be written, or a file in it is damaged.
 *
 * @example
 * const endpoint = await startLocalEndpoint({ port: 0 });
 * endpoint.port; endpoint.folder.caPem; endpoint.folder.device.certificatePem;
 */
export async function startLocalEndpoint(options: LocalEndpointOptions = {}): Promise<LocalEndpoint> {
  const { dir = ".thingwire", port = 8883, thingName = "thingwire-demo", log = silent } = options;
  checkNames({ thingName });
  const crypto = createCrypto();
  const { random, clock } = nodeRuntime;
  const folder = openFolder(dir, thingName, { crypto, random, clock });
  const cloud = await simulate({ runtime: nodeRuntime, crypto, authority: folder.authority, log });
  cloud.certificates.register({ certificateId: folder.device.certificateId, thingName, status: "ACTIVE" });

  const sockets = new Set<TLSSocket>();
  const server = createServer({
    key: folder.server.privateKeyPem,
    cert: folder.server.certificatePem + folder.caPem,
    ca: folder.caPem,
    requestCert: true,
    // Looked at below, so that the log can say why.
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ALPNProtocols: [AWS_MQTT_ALPN, "mqtt"],
    allowHalfOpen: true,
  });
  server.on("secureConnection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    admit(socket, cloud, log);
  });
  server.on("tlsClientError", (error, socket) => {
    log.log("warn", "simulator", `a TLS handshake failed: ${error.message}`);
    socket.destroy();
  });
  const below = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    below.add(socket);
    socket.on("close", () => below.delete(socket));
  });
  const address = await listen(server, port);
  log.log("info", "simulator", `listening on localhost:${address.port}, certificates in ${dir}`);
  return {
    host: "localhost",
    port: address.port,
    thingName,
    folder,
    cloud,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await cloud.close();
      for (const socket of sockets) socket.destroySoon();
      // What waits in a handshake, or does not take its last bytes, gets no more time than this.
      const timer = setTimeout(() => {
        for (const socket of below) socket.destroy();
      }, CLOSE_GRACE_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

function admit(socket: TLSSocket, cloud: Cloud, log: Logger): void {
  const peer = `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? "?"}`;
  const { raw } = socket.getPeerCertificate();
  if (raw === undefined || !socket.authorized) {
    const reason = raw === undefined ? "it sent no certificate" : String(socket.authorizationError);
    log.log("warn", "simulator", `${peer} refused: ${reason}`);
    socket.on("error", () => {});
    socket.destroySoon();
    return;
  }
  const certificateId = createHash("sha256").update(raw).digest("hex");
  log.log("debug", "simulator", `${peer} ${socket.getProtocol()}, certificate ${certificateId.slice(0, 8)}…`);
  socket.on("error", () => {});
  cloud.serve(acceptedSocket(socket, `tls ${peer}`), certificateId);
}

async function listen(server: Server, port: number): Promise<AddressInfo> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, host: "127.0.0.1" }, resolve);
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === "EADDRINUSE" ? "something listens there already" : message;
    throw new UsageError("USAGE_INVALID_ARGUMENT", `port ${port} cannot be opened: ${reason}`);
  }
  return server.address() as AddressInfo;
}
