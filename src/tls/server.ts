/**
 * A small TLS 1.2 server engine (RFC 5246), for tests and for the simulator: mutual authentication, an identity that is chosen by SNI and
 * ALPN, resumption, and a script of deviations. It is not hardened for the open internet; see `server-states.ts`.
 *
 * What it does is in `connection.ts`, which it shares with the client. Life: `feed`, `work`, `nextEvent` in turn, from the start.
 *
 * @module
 */

import type { Clock } from "../ports.ts";
import { finish } from "../task.ts";
import { alertForCertificateFlags } from "./alerts.ts";
import { Connection } from "./connection.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import { DeviatingFramer } from "./deviating-framer.ts";
import type { TlsEvent, TlsServerConnectionInfo, TlsServerOptions } from "./events.ts";
import { checkServerOptions, type ServerSettings } from "./server-settings.ts";
import { ExpectClientHello } from "./server-states.ts";
import type { Certificate } from "./x509/certificate.ts";
import { checkPolicy, type VerificationPolicy } from "./x509/policy.ts";
import type { TrustAnchor } from "./x509/trust.ts";
import { certificateVerification } from "./x509/verify.ts";

/**
 * A TLS 1.2 server's end of one connection.
 *
 * @example
 * const tls = new TlsServer({
 *   crypto, random, select: () => ({ identity }), clientCertificate: "require", admit: admitByTrust({ trust, crypto, wallMs }),
 * });
 * for (;;) {
 *   tls.feed(await socket.read());
 *   while (tls.work(2_000) === "more");
 *   for (let event; (event = tls.nextEvent()); ) if (event.type === "output") socket.write(event.bytes);
 * }
 */
export class TlsServer extends Connection<ServerSettings, TlsServerConnectionInfo> {
  readonly #script: DeviatingFramer | undefined;

  /** @throws UsageError for options that are missing or not usable. */
  constructor(options: TlsServerOptions) {
    const settings = checkServerOptions(options);
    const script = settings.deviations.length === 0 ? undefined : new DeviatingFramer(settings.deviations);
    super(settings, script);
    this.#script = script;
    this.begin(new ExpectClientHello());
  }

  override feed(chunk: Uint8Array): number {
    if (chunk.length > 0) this.#script?.clientSpoke();
    return super.feed(chunk);
  }

  /** As the client's; with a script there are also `delay`, and a `closed` where the script ends the stream. */
  override nextEvent(): TlsEvent<TlsServerConnectionInfo> | undefined {
    const event = super.nextEvent();
    const script = this.#script;
    if (event !== undefined || script === undefined) return event;
    const ms = script.takeDelay();
    if (ms !== undefined) return { type: "delay", ms };
    if (!script.isCut || ["Closed", "Dead"].includes(this.stateName)) return undefined;
    this.destroy();
    return { type: "closed", cleanly: false };
  }

  /** The time of a `delay` event is over: what waited comes as `output`. */
  endDelay(): void {
    this.#script?.endDelay();
  }

  /**
   * Sends a fatal alert and ends: what AWS IoT does after CONNECT. The alert comes as `output`, and nothing behind it. Does nothing once
   * the connection is over.
   */
  abort(alert: number): void {
    this.refuse(alert);
  }
}

/**
 * An `admit` for {@link TlsServer} that verifies the client's chain (RFC 5280 §6, with the purpose of client authentication) at once, and
 * refuses with the alert that mbedTLS would send.
 */
export function admitByTrust(options: {
  readonly trust: readonly TrustAnchor[];
  readonly crypto: CryptoProvider;
  readonly wallMs: Clock["wallMs"];
  /** How chains are verified. One that is accepted without the time is not looked at again. */
  readonly verification?: VerificationPolicy | undefined;
}): (certificates: readonly Certificate[]) => number | undefined {
  const { trust, crypto, wallMs, verification } = options;
  checkPolicy(verification ?? {});
  return (certificates) => {
    if (certificates.length === 0) return undefined;
    const inDer = certificates.map(({ der }) => der);
    const { ok, flags } = finish(
      certificateVerification({ ...verification, purpose: "client", chain: inDer, trust, at: wallMs(), crypto }),
    );
    return ok ? undefined : alertForCertificateFlags(flags);
  };
}
