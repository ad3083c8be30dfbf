/**
 * One thing, from its credentials to a connected client: what `thingwire/node` and the other runtimes bind to their ports.
 *
 * Order: arguments, credentials (read, matched, logged), then MQTT's client, which dials. A failure is a `ThingError` that names its phase.
 *
 * @module
 */

import { wipe } from "../bytes.ts";
import { asThingwireError, isThingwireError, type ThingwireError, UsageError } from "../errors.ts";
import { MqttClient } from "../mqtt/client.ts";
import type { MqttStateChange } from "../mqtt/client-options.ts";
import { asyncDispose } from "../mqtt/dispose.ts";
import { awsLimits } from "../mqtt/limits.ts";
import { type CallOptions, type Logger, silent } from "../ports.ts";
import { ShadowClient } from "../shadow/client.ts";
import type { JsonObject } from "../shadow/json.ts";
import type { CryptoProvider } from "../tls/crypto/provider.ts";
import type { TlsConnectionInfo } from "../tls/events.ts";
import { type Certificate, parseCertificate } from "../tls/x509/certificate.ts";
import { describe, oneLine } from "../tls/x509/describe.ts";
import { encodePrivateKey } from "../tls/x509/keys.ts";
import { toPem } from "../tls/x509/pem.ts";
import { parseCertificateChain } from "../tls/x509/trust.ts";
import type { NativeTlsInfo } from "../transport/native-tls.ts";
import { tls } from "../transport/tls.ts";
import type { Transport } from "../transport/transport.ts";
import { Attempt } from "./attempt.ts";
import { alpnForPort, awsPorts, checkEndpoint, checkThingName, endpointWarning } from "./aws.ts";
import { type Credentials, readThingCredentials } from "./credentials.ts";
import { explainFailure, type Progress } from "./diagnosis.ts";
import { ThingError } from "./errors.ts";
import { type ConnectThingOptions, checkThingOptions, type ThingPorts, type ThingTlsOptions } from "./options.ts";

const TAG = "thing";
/** How the transport below says that the peer was there and a handshake came to nothing. */
const HANDSHAKE_BREAKS: readonly string[] = ["TRANSPORT_HANDSHAKE_TIMEOUT", "TRANSPORT_RESET"];
const DEFAULT_DIAL_MS = 10_000;
const DEFAULT_HANDSHAKE_MS = 20_000;
const DEFAULT_CONNACK_MS = 20_000;

/** A connected thing. */
export interface Thing {
  readonly thingName: string;
  readonly mqtt: MqttClient;
  /** What our TLS negotiated at the last connection; `undefined` with another TLS. */
  readonly info: TlsConnectionInfo | undefined;
  /** What the runtime's TLS negotiated; `undefined` with another TLS. */
  readonly nativeInfo: NativeTlsInfo | undefined;
  /** The classic shadow, or a named one. The same name gives the same client; closing that one is final. */
  shadow<T extends object = JsonObject>(name?: string): ShadowClient<T>;
  /**
   * Ends the shadows, waits for what is under way, says DISCONNECT, and ends the connection in order; 5 s for all of it, as
   * `MqttClient.close`. Never rejects; calling it again is harmless.
   */
  close(options?: CallOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Connects a thing, and resolves on CONNACK.
 *
 * Rejects with a `ThingError` whose `phase` says how far it came and whose `cause` is the layer's own error; with a `UsageError` or
 * `MqttError` for arguments that cannot be used. Nothing is dialled before the credentials are read and key and certificate match.
 */
export async function connectThing(options: ConnectThingOptions, ports: ThingPorts): Promise<Thing> {
  const thing = new Connector(options, ports);
  return await thing.connect();
}

class Connector {
  readonly #options: ConnectThingOptions;
  readonly #ports: ThingPorts;
  readonly #log: Logger;
  readonly #port: number;
  readonly #where: string;
  readonly #crypto: CryptoProvider | undefined;
  readonly #credentials: Credentials | undefined;
  #attempt: Attempt | undefined;
  /** The first CONNACK came; what fails before it is the rejection of `connect`. */
  #wasConnected = false;
  #loss: ThingwireError | undefined;
  /** What the last handshake left for the next one; holds secrets. */
  #session: Uint8Array | undefined;
  info: TlsConnectionInfo | undefined;
  nativeInfo: NativeTlsInfo | undefined;

  constructor(options: ConnectThingOptions, ports: ThingPorts) {
    checkThingOptions(options);
    const { endpoint, thingName, port = awsPorts.mqtt, log = silent } = options;
    checkEndpoint(endpoint);
    checkThingName(thingName);
    this.#options = options;
    this.#ports = ports;
    this.#log = log;
    this.#port = port;
    this.#where = `${endpoint}:${port}`;
    const warning = endpointWarning(endpoint);
    if (warning !== undefined) log.log("warn", TAG, warning);
    log.log("debug", TAG, `endpoint ${this.#where}, thing ${thingName}, client id ${options.clientId ?? thingName}`);
    if (options.transport !== undefined) return;
    this.#crypto = ports.crypto();
    const { random, clock } = ports.runtime;
    this.#credentials = readThingCredentials(options, {
      crypto: this.#crypto,
      random,
      wallMs: () => clock.wallMs(),
      log,
    });
    this.#logCertificates("device certificate", this.#credentials.certificates);
  }

  async connect(): Promise<Thing> {
    const { clientId, thingName, limits = awsLimits, timeouts = {} } = this.#options;
    const { dialMs = DEFAULT_DIAL_MS, handshakeMs = DEFAULT_HANDSHAKE_MS, connackMs = DEFAULT_CONNACK_MS } = timeouts;
    const { cleanSession, keepAliveSeconds, will, username, password, reconnect, signal, timeoutMs } = this.#options;
    const { runtime } = this.#ports;
    const transport = (): Transport => {
      this.#attempt = new Attempt(this.#makeTransport(dialMs, handshakeMs), runtime.timers, connackMs);
      return this.#attempt;
    };
    try {
      const mqtt = await MqttClient.connect({
        ...{ transport, runtime, clientId: clientId ?? thingName, limits, log: this.#log },
        ...{ cleanSession, keepAliveSeconds, will, username, password, reconnect, signal, timeoutMs },
        connectTimeoutMs: dialMs + handshakeMs + connackMs,
        onState: (change) => this.#stateChanged(change),
      });
      // It ended for good right behind CONNACK.
      if (mqtt.state === "closed" && this.#loss !== undefined) throw this.#loss;
      return new ConnectedThing(thingName, mqtt, this, runtime, this.#log);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #makeTransport(dialMs: number, handshakeMs: number): Transport {
    const { endpoint, tls: choice = "own", transport, dial } = this.#options;
    if (transport !== undefined) return transport();
    if (choice === "native") return this.#nativeTransport(dialMs + handshakeMs);
    const lower = dial?.() ?? this.#ports.tcp({ host: endpoint, port: this.#port, timeoutMs: dialMs });
    const own: ThingTlsOptions = choice === "own" ? {} : choice;
    const { runtime } = this.#ports;
    const { identity, trust } = this.#credentials!;
    return tls(lower, {
      serverName: endpoint,
      alpn: alpnForPort(this.#port),
      ...own,
      trust,
      identity,
      crypto: this.#crypto!,
      random: runtime.random,
      timers: runtime.timers,
      now: () => runtime.clock.now(),
      wallMs: () => runtime.clock.wallMs(),
      handshakeTimeoutMs: handshakeMs,
      log: this.#log,
      keyLog: this.#options.keyLog,
      session: this.#session,
      onSession: (session) => this.#keepSession(session),
      onSecured: (info) => this.#secured(info),
    });
  }

  #keepSession(session: Uint8Array | undefined): void {
    wipe(this.#session);
    this.#session = session;
  }

  #nativeTransport(timeoutMs: number): Transport {
    const { endpoint, trust, dial } = this.#options;
    const { nativeTls } = this.#ports;
    const { identity, trust: anchors } = this.#credentials!;
    if (nativeTls === undefined) throw new UsageError("USAGE_INVALID_ARGUMENT", "this runtime has no TLS of its own");
    if (dial !== undefined)
      throw new UsageError("USAGE_INVALID_ARGUMENT", "dial goes below our own TLS: leave tls out, or pass transport");
    if (identity.privateKey === undefined)
      throw new UsageError("USAGE_INVALID_ARGUMENT", "the runtime's TLS cannot use a signer: leave tls out");
    const asPem = typeof trust === "string" || trust instanceof Uint8Array;
    return nativeTls({
      host: endpoint,
      port: this.#port,
      ...(asPem ? { ca: parseCertificateChain(trust).map((der) => toPem("CERTIFICATE", der)) } : { trust: anchors }),
      certificate: identity.certificates,
      privateKey: encodePrivateKey(identity.privateKey),
      alpn: alpnForPort(this.#port),
      timeoutMs,
      onSecured: (info) => this.#nativelySecured(info),
    });
  }

  #secured(info: TlsConnectionInfo): void {
    this.info = info;
    const { suite, group, alpn, clientSignatureScheme, peer, statistics } = info;
    const ms = Math.round(statistics.timeline.at(-1)?.atMs ?? 0);
    this.#log.log("info", TAG, `TLS 1.2 with ${this.#where} in ${ms} ms: ${suite.name}, ${group.name}`);
    this.#log.log(
      "debug",
      TAG,
      `ALPN ${alpn ?? "none"}, extended master secret ${info.extendedMasterSecret ? "yes" : "no"}, server signed with ` +
        `${info.signatureScheme.name}, we with ${clientSignatureScheme?.name ?? "nothing"}, trust anchor ${peer.anchor.label}`,
    );
    this.#logCertificates("server certificate", peer.path);
    this.#options.onSecured?.(info);
  }

  #nativelySecured(info: NativeTlsInfo): void {
    this.nativeInfo = info;
    this.#log.log("info", TAG, `${info.protocol} of the runtime with ${this.#where}: ${info.suite}`);
    this.#log.log("debug", TAG, `ALPN ${info.alpn ?? "none"}`);
    if (this.#log.enabled("debug", TAG))
      this.#logCertificates("server certificate", info.certificates.map(parseCertificate));
    this.#options.onNativeSecured?.(info);
  }

  #logCertificates(what: string, certificates: readonly Certificate[]): void {
    if (!this.#log.enabled("debug", TAG)) return;
    certificates.forEach((certificate, index) => {
      this.#log.log("debug", TAG, `${what} ${index + 1} of ${certificates.length}: ${oneLine(certificate)}`);
      for (const line of describe(certificate, this.#crypto).trimEnd().split("\n")) this.#log.log("debug", TAG, line);
    });
  }

  #stateChanged({ to, error, sessionPresent }: MqttStateChange): void {
    if (to === "connected") {
      this.#wasConnected = true;
      this.#attempt?.accepted();
      this.#log.log("debug", TAG, `CONNACK: accepted, session present ${sessionPresent ? "yes" : "no"}`);
    }
    if (to === "closed" || spoilsSession(error, this.#attempt?.progress)) this.#keepSession(undefined);
    if (!this.#wasConnected || error === undefined || (to !== "waiting" && to !== "closed")) return;
    const explained = this.#explain(error);
    this.#loss = explained;
    this.#log.log("warn", TAG, `${explained.message}. ${explained.hint}`);
    if (explained instanceof ThingError) this.#options.onInterrupted?.(explained);
  }

  #explain(error: unknown): ReturnType<typeof explainFailure> {
    return explainFailure(
      isThingwireError(error) ? error : asThingwireError(error),
      this.#attempt?.progress ?? "handshake",
      this.#where,
    );
  }
}

/**
 * Whether no session is offered after such an end: a server that falls silent or hangs up in the handshake may do so because of the offer, time
 * and again. Of fatal alerts `onSession` tells (RFC 5246 §7.2.2).
 */
function spoilsSession(error: unknown, progress: Progress | undefined): boolean {
  for (let one = error; isThingwireError(one); one = one.cause) {
    if (progress === "handshake" && (one.layer === "tls" || HANDSHAKE_BREAKS.includes(one.code))) return true;
  }
  return false;
}

class ConnectedThing implements Thing {
  readonly thingName: string;
  readonly mqtt: MqttClient;
  readonly #connector: Connector;
  readonly #ports: ThingPorts["runtime"];
  readonly #log: Logger;
  readonly #shadows = new Map<string | undefined, ShadowClient<never>>();

  constructor(thingName: string, mqtt: MqttClient, connector: Connector, runtime: ThingPorts["runtime"], log: Logger) {
    this.thingName = thingName;
    this.mqtt = mqtt;
    this.#connector = connector;
    this.#ports = runtime;
    this.#log = log;
  }

  get info(): TlsConnectionInfo | undefined {
    return this.#connector.info;
  }

  get nativeInfo(): NativeTlsInfo | undefined {
    return this.#connector.nativeInfo;
  }

  shadow<T extends object = JsonObject>(name?: string): ShadowClient<T> {
    const there = this.#shadows.get(name);
    if (there !== undefined) return there as unknown as ShadowClient<T>;
    const shadow = new ShadowClient<T>(this.mqtt, {
      thingName: this.thingName,
      shadowName: name,
      runtime: this.#ports,
      log: this.#log,
    });
    this.#shadows.set(name, shadow as unknown as ShadowClient<never>);
    return shadow;
  }

  async close(options: CallOptions = {}): Promise<void> {
    // They end at once. They have nothing to unsubscribe from: the session ends here, or keeps its subscriptions for the next time.
    for (const shadow of this.#shadows.values()) void shadow.close();
    this.#shadows.clear();
    await this.mqtt.close(options);
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }
}
