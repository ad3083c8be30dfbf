/**
 * One connection as far as it comes: TCP, TLS, CONNECT. It does not judge; it keeps what the checks judge by.
 *
 * @module
 */

import { asThingwireError, isThingwireError, type ThingwireError } from "../../errors.ts";
import { MqttClient } from "../../mqtt/client.ts";
import type { MqttErrorCode } from "../../mqtt/errors.ts";
import { Attempt } from "../../thing/attempt.ts";
import type { TlsConnectionInfo } from "../../tls/events.ts";
import { amazonTrust } from "../../tls/x509/amazon.ts";
import { tls } from "../../transport/tls.ts";
import type { DeviceFiles } from "./credentials.ts";
import type { DoctorOptions, DoctorPorts } from "./ports.ts";
import { Tap } from "./tap.ts";

/** What every connection of one examination has in common. */
export interface Target {
  readonly options: DoctorOptions;
  readonly ports: DoctorPorts;
  readonly files: DeviceFiles;
  readonly port: number;
  readonly alpn: readonly string[];
  readonly clientId: string;
  readonly timeoutMs: number;
}

/** How it went. */
export interface Outcome {
  readonly clientId: string;
  /** Below TLS. */
  readonly raw: Tap;
  /** Above TLS; connected where the handshake is done. */
  readonly plain: Tap;
  readonly info: TlsConnectionInfo | undefined;
  /** Connected, where there is no error. */
  readonly client: MqttClient | undefined;
  readonly error: ThingwireError | undefined;
  /** When it ended or CONNACK came, in ms of the monotonic clock. */
  readonly at: number;
}

/** Connects up to CONNACK. Never rejects but for the signal. */
export async function connectOnce(
  target: Target,
  change: Partial<Pick<Target, "alpn" | "clientId">> = {},
): Promise<Outcome> {
  const { options, ports, files, port, timeoutMs } = target;
  const { alpn = target.alpn, clientId = target.clientId } = change;
  const { runtime, crypto } = ports;
  const raw = new Tap(ports.tcp({ host: options.endpoint, port, timeoutMs }));
  let info: TlsConnectionInfo | undefined;
  const plain = new Tap(
    tls(raw, {
      serverName: options.endpoint,
      ...(alpn.length === 0 ? {} : { alpn }),
      trust: files.trust ?? amazonTrust,
      identity: {
        certificates: files.certificates?.map(({ der }) => der) ?? [],
        privateKey: files.privateKey,
      },
      crypto,
      random: runtime.random,
      timers: runtime.timers,
      now: () => runtime.clock.now(),
      wallMs: () => runtime.clock.wallMs(),
      handshakeTimeoutMs: timeoutMs,
      log: options.log,
      onSecured: (secured) => {
        info = secured;
      },
    }),
  );
  const attempt = new Attempt(plain, runtime.timers, timeoutMs);
  const ended = (client: MqttClient | undefined, error: ThingwireError | undefined): Outcome => ({
    ...{ clientId, raw, plain, info, client, error },
    at: runtime.clock.now(),
  });
  try {
    const client = await MqttClient.connect({
      transport: () => attempt,
      runtime,
      clientId,
      reconnect: false,
      connectTimeoutMs: 3 * timeoutMs,
      signal: options.signal,
      log: options.log,
    });
    attempt.accepted();
    return ended(client, undefined);
  } catch (caught) {
    const error = asThingwireError(caught);
    if (error.code === "USAGE_ABORTED" || error.code === "INTERNAL_BUG") throw error;
    return ended(undefined, error);
  }
}

/** Whether the port takes connections: TCP alone, closed again at once. */
export function reach({ ports, options, port, timeoutMs }: Target): Promise<ThingwireError | undefined> {
  const transport = ports.tcp({ host: options.endpoint, port, timeoutMs });
  return new Promise((resolve) => {
    const end = (error?: ThingwireError): void => {
      transport.destroy();
      resolve(error);
    };
    transport.open({ onData: () => {}, onWritable: () => end(), onEnd: () => end(), onError: end });
  });
}

/** An error and its causes, from above. */
export function chainOf(error: ThingwireError): ThingwireError[] {
  const chain: ThingwireError[] = [];
  for (let at: unknown = error; isThingwireError(at) && chain.length < 16; at = at.cause) chain.push(at);
  return chain;
}

const UNSOUND: readonly MqttErrorCode[] = [
  "MQTT_MALFORMED_PACKET",
  "MQTT_INVALID_REMAINING_LENGTH",
  "MQTT_UNEXPECTED_PACKET",
  "MQTT_PROTOCOL_VIOLATION",
];

/** Whether an error says that the broker broke MQTT. */
export function isUnsound(code: string): boolean {
  return (UNSOUND as readonly string[]).includes(code);
}

/** The deepest error of the layers below MQTT, which knows what happened on the wire. */
export function wireError(error: ThingwireError): ThingwireError | undefined {
  return chainOf(error)
    .reverse()
    .find(({ layer }) => layer === "tls" || layer === "transport");
}
