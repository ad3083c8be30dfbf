/**
 * A local AWS IoT in one process: a registry of things with certificates under a CA of its own, the MQTT broker, and the shadow
 * service. No sockets: in-process clients come over memory transports, above TLS; `thingwire/simulator/node` puts a TLS port in front.
 *
 * Left out so far: policies, faults, the alerts of AWS IoT, HTTP.
 *
 * @module
 */

import { printableBytes } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { Broker, type BrokerConnection, type BrokerOptions } from "../mqtt/broker.ts";
import { asyncDispose } from "../mqtt/dispose.ts";
import { type Logger, type Runtime, silent } from "../ports.ts";
import { encodeJson, type JsonObject } from "../shadow/json.ts";
import { type ShadowPublication, ShadowService, type ShadowServiceOptions } from "../shadow/service.ts";
import type { StoredShadow } from "../shadow/state.ts";
import { checkNames, type ShadowName } from "../shadow/topics.ts";
import type { CryptoProvider } from "../tls/crypto/provider.ts";
import { encodePrivateKey } from "../tls/x509/keys.ts";
import { memoryPair } from "../transport/memory.ts";
import type { Transport } from "../transport/transport.ts";
import { certificateId, createAuthority, type IssuedCertificate, issueDevice } from "./authority.ts";
import { CertificateRegistry } from "./registry.ts";
import { serveMqtt } from "./serve.ts";
import { serveShadows } from "./shadow-bridge.ts";

/** Options of {@link simulate}. */
export interface SimulateOptions {
  /** Clocks, timers and randomness: `nodeRuntime`, or test doubles for a virtual clock. The time of day must be known. */
  readonly runtime: Runtime;
  /** Makes and signs the certificates: `createCrypto()`. */
  readonly crypto: CryptoProvider;
  /** The CA to go on with; a new one by default. */
  readonly authority?: IssuedCertificate | undefined;
  readonly broker?: Omit<BrokerOptions, "now" | "log"> | undefined;
  readonly shadows?: Omit<ShadowServiceOptions, "now"> | undefined;
  /** Tags `simulator`, `broker` and `shadow-service`. */
  readonly log?: Logger | undefined;
}

/** What a thing needs to connect in process: `connectThing({ ...credentials })`. */
export interface ThingCredentials {
  readonly endpoint: string;
  readonly thingName: string;
  /** A new connection above TLS, as {@link Cloud.transport} makes it; leave it out to connect to a TLS port in front of the cloud. */
  readonly transport: () => Transport;
  /** As AWS IoT makes it: the SHA-256 of the certificate. */
  readonly certificateId: string;
  /** DER. */
  readonly certificate: Uint8Array;
  /** PKCS#8 DER. */
  readonly privateKey: Uint8Array;
}

/** The app side of one shadow. */
export interface CloudShadow {
  /** Updates `desired`, as an app does over HTTP: the device gets the delta. Throws where the service rejects it. */
  desire(patch: JsonObject): Promise<void>;
  /** What is stored, or `undefined`. */
  get(): StoredShadow | undefined;
  delete(): Promise<void>;
}

/** Starts a cloud. It holds no timer or socket while nobody is connected. */
export function simulate(options: SimulateOptions): Promise<Cloud> {
  return Promise.resolve().then(() => new Cloud(options));
}

/**
 * The simulated cloud; made by {@link simulate}.
 *
 * @example
 * const cloud = await simulate({ runtime: nodeRuntime, crypto: createCrypto() });
 * const lamp = await cloud.createThing("lamp");
 * const client = await MqttClient.connect({ transport: lamp.transport, runtime, clientId: "lamp" });
 * await cloud.shadow("lamp").desire({ powerOn: true });
 */
export class Cloud {
  readonly broker: Broker;
  readonly shadows: ShadowService;
  readonly certificates: CertificateRegistry = new CertificateRegistry();
  /** The CA's certificate in DER: what devices trust, where a TLS port stands in front. */
  readonly caCertificate: Uint8Array;
  readonly #options: SimulateOptions;
  readonly #authority: IssuedCertificate;
  readonly #log: Logger;
  readonly #connections: Set<BrokerConnection> = new Set();
  /** Takes the shadow service off the broker, which then is a plain one. Shadows stay. */
  readonly detachShadows: () => void;
  #closed = false;

  /** @internal use {@link simulate} */
  constructor(options: SimulateOptions) {
    const { runtime, crypto, log = silent } = options;
    const { clock, random } = runtime;
    this.#options = options;
    this.#log = log;
    this.#authority = options.authority ?? createAuthority({ crypto, random, clock });
    this.caCertificate = this.#authority.certificate;
    this.broker = new Broker({ ...options.broker, now: () => clock.now(), log });
    this.shadows = new ShadowService({ ...options.shadows, now: () => (clock.wallMs() ?? 0) / 1000 });
    this.detachShadows = serveShadows(this.broker, this.shadows, log);
  }

  /**
   * Registers a thing with a new, active certificate. A thing that is there already gets one more.
   *
   * Errors: `USAGE_INVALID_ARGUMENT` for a name that no thing can have.
   */
  async createThing(thingName: string): Promise<ThingCredentials> {
    checkNames({ thingName });
    const { crypto, runtime } = this.#options;
    const issued = issueDevice(this.#authority, { crypto, random: runtime.random, clock: runtime.clock }, thingName);
    const id = certificateId(issued.certificate, crypto);
    this.certificates.register({ certificateId: id, thingName, status: "ACTIVE" });
    const privateKey = encodePrivateKey(issued.privateKey);
    const transport = (): Transport => this.transport(id);
    return {
      endpoint: "localhost",
      thingName,
      transport,
      certificateId: id,
      certificate: issued.certificate,
      privateKey,
    };
  }

  /**
   * The client's end of a new connection, above TLS: plain MQTT. The server closes it at once unless the certificate is active.
   */
  transport(certificateId: string): Transport {
    const [client, server] = memoryPair();
    this.serve(server, certificateId);
    return client;
  }

  /**
   * Serves a client whose certificate was verified: that of a TLS server, or of {@link transport}. Returns why it is refused, or
   * `undefined` where it is served.
   */
  serve(transport: Transport, certificateId: string): string | undefined {
    const status = this.certificates.find(certificateId)?.status ?? "not registered";
    const refusal = this.#closed ? "the simulator was closed" : refusalOf(status);
    if (refusal !== undefined) {
      this.#log.log("warn", "simulator", `certificate ${certificateId.slice(0, 8)}… refused: ${refusal}`);
      transport.shutdown();
      transport.destroy();
      return refusal;
    }
    for (const old of this.#connections) if (old.closed !== undefined) this.#connections.delete(old);
    this.#connections.add(serveMqtt(this.broker, transport, this.#options.runtime, certificateId));
    return undefined;
  }

  /** The app side of a thing's shadow. */
  shadow(thingName: string, shadowName?: string): CloudShadow {
    const name: ShadowName = shadowName === undefined ? { thingName } : { thingName, shadowName };
    return {
      desire: async (desired) =>
        this.#publish(this.shadows.update({ ...name, payload: encodeJson({ state: { desired } }) })),
      get: () => this.shadows.peek(name),
      delete: async () => this.#publish(this.shadows.delete(name)),
    };
  }

  /** Drops all connections. Afterwards nobody is served. */
  async close(): Promise<void> {
    this.#closed = true;
    this.detachShadows();
    for (const connection of this.#connections) connection.close("the simulator was closed");
    this.#connections.clear();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  #publish(publications: readonly ShadowPublication[]): void {
    for (const { topic, payload } of publications) {
      if (topic.endsWith("/rejected"))
        throw new UsageError(
          "USAGE_INVALID_ARGUMENT",
          `the shadow service rejects it: ${printableBytes(payload, 300)}`,
        );
      this.broker.publish({ topic, payload, qos: 1 });
    }
  }
}

function refusalOf(status: string): string | undefined {
  return status === "ACTIVE" ? undefined : `the certificate is ${status}`;
}
