/**
 * Where brokers differ from each other and from MQTT 3.1.1, as options, each switchable by itself; and AWS IoT Core's choice of them
 * (AWS IoT Developer Guide, "MQTT": differences from the specification; General Reference: quotas).
 *
 * Left out on purpose: bytes per second and the limits of an account, which a device does not meet; and that AWS IoT sends what it has
 * stored for a client at ten messages a second.
 *
 * @module
 */

import { awsLimits, type MqttLimits } from "./limits.ts";

/** Something that happens by chance, and again with the same seed. */
export interface Mischief {
  readonly seed: number;
  /** 0 to 1. */
  readonly probability: number;
}

/** How a broker behaves where there is a choice. The default of each is that of MQTT 3.1.1. */
export interface BrokerBehaviour {
  /**
   * A CONNECT that is not authorised: closed without an answer, or CONNACK with code 5 or 7 and closed then. `"connack-5"` by
   * default (§3.1.4); AWS IoT closes where a policy is missing, and answers 7 elsewhere.
   */
  readonly deniedConnect?: "close" | "connack-5" | "connack-7" | undefined;
  /** A filter that is not authorised: closes the connection, or gets the code 0x80. `"suback"` by default (§3.9.3); AWS IoT closes. */
  readonly deniedSubscribe?: "close" | "suback" | undefined;
  /**
   * `"handshake"` receives QoS 2 by the specification (§4.3.3); `"silence"` answers neither PUBLISH nor SUBSCRIBE at QoS 2, as
   * AWS IoT does. `"handshake"` by default.
   */
  readonly qos2?: "handshake" | "silence" | undefined;
  /** Whether `a/#` matches `a` (§4.7.1.2); not at AWS IoT. */
  readonly hashMatchesParent?: boolean | undefined;
  /** Whether a filter with wildcards gets retained messages when it is subscribed ([MQTT-3.3.1-6]); not at AWS IoT. */
  readonly retainedForWildcards?: boolean | undefined;
  /** Whether a message to a topic that begins with `$` can be retained; not at AWS IoT, which delivers it only. */
  readonly retainReserved?: boolean | undefined;
  /** Whether a will to a topic that begins with `$` is published; AWS IoT ignores it. */
  readonly willReserved?: boolean | undefined;
  /**
   * What a reconnected client has not acknowledged: comes again with its packet identifier and DUP (`"dup"`, [MQTT-4.4.0-1]), or
   * as if it were new, as at AWS IoT, which does not support DUP.
   */
  readonly redelivery?: "dup" | "as-new" | undefined;
  /**
   * How long the session of a client that is away is kept, in milliseconds; with no end by default (§3.1.2.4), an hour at AWS IoT. Afterwards
   * its subscriptions and messages are gone.
   */
  readonly sessionExpiryMs?: number | undefined;
  /** Milliseconds behind its SUBACK during which a new subscription does not get what is published yet. 0 by default; AWS IoT has such a delay. */
  readonly subscribeDelayMs?: number | undefined;
  /**
   * What closes the connection where a client exceeds it, and the range into which its keep-alive is moved. A limit that is absent does
   * not apply. Subscriptions above `maxSubscriptions` get the code 0x80 instead. None by default.
   */
  readonly limits?: MqttLimits | undefined;
  /** PUBLISH packets of one connection in a second; what comes above is discarded without PUBACK. No limit by default. */
  readonly publishesPerSecond?: number | undefined;
  /** CONNECTs with the same client id in a second; one more is closed without an answer. No limit by default. */
  readonly connectsPerSecond?: number | undefined;
  /** Deliveries that come twice: at QoS 1 with another packet identifier, never with DUP. None by default. */
  readonly duplicates?: Mischief | undefined;
  /** Deliveries and acknowledgements that are held up, up to `holdMs` milliseconds, so that later ones overtake them. None by default. */
  readonly disorder?: (Mischief & { readonly holdMs: number }) | undefined;
}

/**
 * What AWS IoT Core does every time: its deviations from MQTT 3.1.1 and its quotas.
 *
 * @example
 * new Broker({ now, ...awsBehaviour, deniedConnect: "connack-7" });
 */
export const awsBehaviour: BrokerBehaviour = /* @__PURE__ */ Object.freeze({
  deniedConnect: "close",
  deniedSubscribe: "close",
  qos2: "silence",
  hashMatchesParent: false,
  retainedForWildcards: false,
  retainReserved: false,
  willReserved: false,
  redelivery: "as-new",
  sessionExpiryMs: 3_600_000,
  limits: awsLimits,
});

/**
 * What AWS IoT Core may do besides: duplicates, no order, subscriptions that take effect behind their SUBACK, and the quotas that are rates. A device has to live with all of it; the same
 * seed gives the same again.
 *
 * @example
 * new Broker({ now, ...awsBehaviour, ...awsAtWorst(7) });
 */
export function awsAtWorst(seed: number): BrokerBehaviour {
  return {
    publishesPerSecond: 100,
    connectsPerSecond: 1,
    subscribeDelayMs: 100,
    duplicates: { seed, probability: 0.2 },
    disorder: { seed, probability: 0.2, holdMs: 200 },
  };
}
