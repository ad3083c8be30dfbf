/**
 * What the tests of the server engine share: options for the test certificates, and our client and server joined without a transport.
 *
 * @module
 */

import { concat } from "../../../src/bytes.ts";
import type { TlsError } from "../../../src/tls/errors.ts";
import type {
  Identity,
  TlsClientOptions,
  TlsEvent,
  TlsServerConnectionInfo,
  TlsServerOptions,
} from "../../../src/tls/events.ts";
import { admitByTrust, TlsServer } from "../../../src/tls/server.ts";
import { parsePrivateKey } from "../../../src/tls/x509/keys.ts";
import { crypto, Driver, der, ecIdentity, NOW, systemRandom, trust } from "./client.ts";
import { ecServerCertificate, ecServerKey, rsaServerCertificate, rsaServerKey } from "./fixtures.ts";

export const ecServer: Identity = {
  certificates: [der(ecServerCertificate)],
  privateKey: parsePrivateKey(ecServerKey),
};
export const rsaServer: Identity = {
  certificates: [der(rsaServerCertificate)],
  privateKey: parsePrivateKey(rsaServerKey),
};

/** Options of a server that demands a certificate of the test CA. */
export function serverOptions(more: Partial<TlsServerOptions> = {}): TlsServerOptions {
  return {
    crypto,
    random: systemRandom,
    select: () => ({ identity: ecServer }),
    clientCertificate: "require",
    admit: admitByTrust({ trust, crypto, wallMs: () => NOW }),
    ...more,
  };
}

type ServerEvent = TlsEvent<TlsServerConnectionInfo>;

/** Runs a server to rest, and collects what comes out. */
export class ServerDriver {
  readonly server: TlsServer;
  readonly output: Uint8Array[] = [];
  readonly data: Uint8Array[] = [];
  readonly events: ServerEvent[] = [];
  readonly #budget: () => number;

  constructor(more: Partial<TlsServerOptions> = {}, budget: () => number = () => 1_000_000) {
    this.server = new TlsServer(serverOptions(more));
    this.#budget = budget;
  }

  rest(): void {
    if (this.server.stateName !== "Dead") while (this.server.work(this.#budget()) === "more");
    for (let event = this.server.nextEvent(); event !== undefined; event = this.server.nextEvent()) {
      if (event.type === "output") this.output.push(event.bytes.slice());
      else if (event.type === "data") this.data.push(event.bytes.slice());
      else this.events.push(event);
    }
  }

  feed(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.error === undefined; ) {
      at += this.server.feed(bytes.subarray(at));
      this.rest();
    }
  }

  get error(): TlsError | undefined {
    const fatal = this.events.find((event) => event.type === "fatal");
    return fatal?.type === "fatal" ? fatal.error : undefined;
  }

  get secured(): TlsServerConnectionInfo | undefined {
    return this.events.find((event) => event.type === "secured");
  }
}

/** Our client and our server, joined. */
export class Dialog {
  readonly client: Driver;
  readonly server: ServerDriver;

  constructor(
    server: Partial<TlsServerOptions> = {},
    client: Partial<TlsClientOptions> = {},
    budget: () => number = () => 1_000_000,
  ) {
    this.server = new ServerDriver(server, budget);
    this.client = new Driver({ identity: ecIdentity, ...client }, budget);
    this.run();
  }

  /** Passes on what each side has to say until neither has more. */
  run(): this {
    for (;;) {
      this.client.rest();
      const toServer = concat(this.client.output.splice(0));
      this.server.feed(toServer);
      this.server.rest();
      const toClient = concat(this.server.output.splice(0));
      this.client.feed(toClient);
      if (toServer.length === 0 && toClient.length === 0) return this;
    }
  }

  get isSecured(): boolean {
    return this.client.isSecured && this.server.secured !== undefined;
  }
}
