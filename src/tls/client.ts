/**
 * The TLS 1.2 client engine (RFC 5246): bytes in, bytes and events out, no socket, timer, clock or promise.
 *
 * What it does is in `connection.ts`, which it shares with the server; what it expects is in `states.ts`. Life: `start()`; then `feed`,
 * `work`, `nextEvent` in turn.
 *
 * @module
 */

import { NO_BYTES } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { chain, done, map } from "../task.ts";
import { Connection } from "./connection.ts";
import type { TlsClientOptions, TlsConnectionInfo } from "./events.ts";
import { encodeClientExtensions } from "./extensions.ts";
import { encodeClientHello } from "./messages.ts";
import { TLS_1_2 } from "./record.ts";
import { offerSession, type SessionOffer } from "./session-offer.ts";
import { checkOptions, type Settings } from "./settings.ts";
import { ExpectServerHello } from "./states.ts";
import type { ClientProofs, ServerProofs } from "./traffic.ts";
import { recheckPeer } from "./verify.ts";

/**
 * A TLS 1.2 client.
 *
 * @example
 * const tls = new TlsClient({ serverName: "localhost", trust, crypto, random, wallMs });
 * tls.start();
 * for (;;) {
 *   while (tls.work(2_000) === "more");
 *   for (let event; (event = tls.nextEvent()); ) if (event.type === "output") socket.write(event.bytes);
 *   tls.feed(await socket.read());
 * }
 */
export class TlsClient extends Connection<Settings, TlsConnectionInfo> {
  readonly #settings: Settings;

  /**
   * Checks the options; nothing is sent before {@link start}.
   *
   * @throws UsageError for what is missing or not usable; TlsError `TLS_IDENTITY_UNREADABLE`;
   * CertificateError `X509_KEY_MISMATCH` for a key that is not that of the certificate.
   */
  constructor(options: TlsClientOptions) {
    const settings = checkOptions(options);
    super(settings);
    this.#settings = settings;
  }

  protected override watch(proofs: ClientProofs | ServerProofs): void {
    if ("peer" in proofs) recheckPeer(this.#settings, proofs.peer);
  }

  /** Sends the ClientHello. Called once. */
  start(): void {
    if (this.stateName !== "Idle")
      throw new UsageError(
        "USAGE_WRONG_STATE",
        `start() in ${this.stateName}: it was called already, or the end came first`,
      );
    this.begin(new ExpectServerHello(undefined), (handshake) => {
      const { settings, clientRandom, log } = handshake;
      settings.random.fill(clientRandom, "client_random");
      log("debug", () => `handshake with ${settings.serverName} starts, SNI ${settings.sni ?? "none"}`);
      const offer = settings.resumption ? offerSession(handshake) : done(undefined);
      return chain<SessionOffer | undefined, ExpectServerHello>(offer, (sessions) =>
        map(
          handshake.send(
            encodeClientHello({
              version: TLS_1_2,
              random: clientRandom,
              sessionId: sessions?.sessionId ?? NO_BYTES,
              suites: settings.suites.map((suite) => suite.id),
              compressions: [0],
              extensions: encodeClientExtensions(settings, sessions?.ticket),
            }),
          ),
          () => new ExpectServerHello(sessions),
        ),
      );
    });
  }
}
