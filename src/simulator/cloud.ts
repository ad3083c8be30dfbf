/**
 * A local AWS IoT in one process: the registry of an account, the rules and failures of the endpoint, the MQTT broker with AWS's
 * deviations, policies, and the shadow service. No sockets: in-process clients come over memory transports, below TLS (`dial`) or above it
 * (`transport`); `thingwire/simulator/node` puts ports in front and keeps the account in a folder.
 *
 * Left out on purpose: HTTP, WebSocket, custom authentication, jobs, fleet provisioning, rules.
 *
 * @module
 */

import { printableBytes, utf8Encode } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { awsBehaviour, Broker, type BrokerOptions } from "../mqtt/broker.ts";
import { asyncDispose } from "../mqtt/dispose.ts";
import { type Logger, type Runtime, silent } from "../ports.ts";
import { encodeJson, type JsonObject } from "../shadow/json.ts";
import { type ShadowPublication, ShadowService, type ShadowServiceOptions } from "../shadow/service.ts";
import type { StoredShadow } from "../shadow/state.ts";
import { checkNames, type ShadowName } from "../shadow/topics.ts";
import type { CryptoProvider, PrivateKey } from "../tls/crypto/provider.ts";
import type { Identity } from "../tls/events.ts";
import { encodePrivateKey } from "../tls/x509/keys.ts";
import { memoryPair } from "../transport/memory.ts";
import type { Transport } from "../transport/transport.ts";
import type { AuthorityRegistry } from "./authorities.ts";
import { createAuthority, type IssuedCertificate, issueDevice, issueServer } from "./authority.ts";
import { Authorization, type Explanation } from "./authorization.ts";
import type { CertificateRegistry, CertificateStatus } from "./certificates.ts";
import { Faults } from "./faults.ts";
import { forgetful, type Ledger } from "./ledger.ts";
import { type Arrival, Listener } from "./listener.ts";
import type { PolicyInput, PolicyRegistry } from "./policies.ts";
import { defaultPolicy, type Policy } from "./policy/index.ts";
import { Registry } from "./registry.ts";
import { serveShadows } from "./shadow-bridge.ts";
import { keepShadow, keptShadows } from "./shadow-ledger.ts";
import type { ThingRegistry } from "./things.ts";
import { awsDenialEndings, awsTreatments, type DenialEndings, type Treatments } from "./treatment.ts";

/** Options of {@link simulate}. */
export interface SimulateOptions {
  /** Clocks, timers and randomness: `nodeRuntime`, or test doubles for a virtual clock. The time of day must be known. */
  readonly runtime: Runtime;
  /** Makes and signs the certificates, and serves TLS: `createCrypto()`. */
  readonly crypto: CryptoProvider;
  /** The CA to go on with; a new one by default. It plays the part of AWS's own, for servers and devices. */
  readonly authority?: IssuedCertificate | undefined;
  /** The server's certificate, issued by `authority`; a new one for `serverNames` by default. */
  readonly server?: IssuedCertificate | undefined;
  /** The names of the endpoint: the first is what devices are told, all are what they may ask for (SNI). `localhost` by default. */
  readonly serverNames?: readonly string[] | undefined;
  /** Keeps registry and shadows; in memory only by default. */
  readonly ledger?: Ledger | undefined;
  /** Where it shall differ from AWS IoT's broker, and bounds; `awsBehaviour` by default. */
  readonly broker?: Omit<BrokerOptions, "now" | "log" | "authorize"> | undefined;
  readonly shadows?: Omit<ShadowServiceOptions, "now" | "onChange"> | undefined;
  /** How clients in some condition are treated, where it shall differ from `awsTreatments`. */
  readonly treatment?: Partial<Treatments> | undefined;
  /** How denials end a connection, where it shall differ from `awsDenialEndings`. */
  readonly denials?: Partial<DenialEndings> | undefined;
  /**
   * Milliseconds until a change of policies, or the end of a certificate, reaches the connections that stand: 0 by default, minutes at
   * AWS IoT. New handshakes see the change at once.
   */
  readonly propagationMs?: number | undefined;
  /** What ARNs in policies are held against; where absent, any region and account fits. */
  readonly account?: { readonly region?: string; readonly accountId?: string } | undefined;
  /** Makes RSA keys for things; Node brings one. Without it `keyType: "rsa"` is refused. */
  readonly generateRsaKey?: (() => PrivateKey) | undefined;
  /** Tags `simulator`, `broker`, `shadow-service` and those of the TLS engine. */
  readonly log?: Logger | undefined;
}

/** Options of {@link Cloud.createThing}. */
export interface CreateThingOptions {
  /** P-256 by default. */
  readonly keyType?: "p256" | "rsa" | undefined;
  /**
   * The policy that is attached to its certificate: the name of one that is there, a new one as text or object, or `false` for none.
   * `defaultPolicy` by default, which allows what the examples do.
   */
  readonly policy?: PolicyInput | Policy | false | undefined;
  readonly typeName?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** ACTIVE by default. */
  readonly status?: CertificateStatus | undefined;
}

/** What a thing needs to connect: `connectThing(credentials)`. */
export interface ThingCredentials {
  readonly endpoint: string;
  readonly thingName: string;
  /** The port in front of the cloud, where there is one. */
  readonly port?: number;
  /** Where there is none: a new connection below TLS, as {@link Cloud.dial} makes it. */
  readonly dial?: () => Transport;
  /** As AWS IoT makes it: the SHA-256 of the certificate. */
  readonly certificateId: string;
  /** DER. */
  readonly certificate: Uint8Array;
  /** PKCS#8 DER. */
  readonly privateKey: Uint8Array;
  /** The CA to trust, in DER. */
  readonly trust: Uint8Array;
}

/** What listens in front of a cloud. */
export interface CloudFront {
  readonly port: number;
  close(): Promise<void>;
}

/** The app side of one shadow. */
export interface CloudShadow {
  /** Updates `desired`, as an app does over HTTP: the device gets the delta. Throws where the service rejects it. */
  desire(patch: JsonObject): Promise<void>;
  /** What is stored, or `undefined`. */
  get(): StoredShadow | undefined;
  delete(): Promise<void>;
}

/** The name of the policy that things get where nothing else is said. */
export const DEFAULT_POLICY_NAME = "thingwire-default";

/** Starts a cloud. It holds no timer or socket while nobody is connected. */
export function simulate(options: SimulateOptions): Promise<Cloud> {
  return Promise.resolve().then(() => new Cloud(options));
}

/**
 * The simulated cloud; made by {@link simulate}.
 *
 * @example
 * const cloud = await simulate({ runtime: nodeRuntime, crypto: createCrypto() });
 * const credentials = await cloud.createThing("lamp");
 * const thing = await connectThing(credentials);
 * await cloud.shadow("lamp").desire({ powerOn: true });
 * cloud.certificates.deactivate(credentials.certificateId); // its next handshake ends with an alert
 * cloud.explain();                                    // why
 */
export class Cloud {
  readonly broker: Broker;
  readonly shadows: ShadowService;
  readonly registry: Registry;
  /** What goes wrong on the way between devices and cloud. */
  readonly faults: Faults;
  /** The CA's certificate in DER: what devices trust. */
  readonly caCertificate: Uint8Array;
  /** The name by which devices know the endpoint. */
  readonly endpoint: string;
  readonly #options: SimulateOptions;
  readonly #authority: IssuedCertificate;
  readonly #authorization: Authorization;
  readonly #listener: Listener;
  readonly #serverNames: readonly string[];
  #server: IssuedCertificate | undefined;
  #front: CloudFront | undefined;
  /** Takes the shadow service off the broker, which then is a plain one. Shadows stay. */
  readonly detachShadows: () => void;

  /** @internal use {@link simulate} */
  constructor(options: SimulateOptions) {
    if (options?.runtime === undefined || options.crypto === undefined)
      throw new UsageError(
        "USAGE_INVALID_ARGUMENT",
        "simulate takes { runtime, crypto }: the one of thingwire/simulator/node brings its own",
      );
    const {
      runtime,
      crypto,
      log = silent,
      ledger = forgetful,
      propagationMs = 0,
      serverNames = ["localhost"],
    } = options;
    const { clock, random } = runtime;
    if (serverNames.length === 0) throw new UsageError("USAGE_INVALID_ARGUMENT", "serverNames must name the endpoint");
    this.#options = options;
    this.#serverNames = serverNames.map((name) => name.toLowerCase());
    this.endpoint = serverNames[0]!;
    this.#authority = options.authority ?? createAuthority({ crypto, random, clock });
    this.#server = options.server;
    this.caCertificate = this.#authority.certificate;
    this.registry = new Registry({
      ...{ ledger, crypto, random, clock, propagationMs },
      deactivated: (certificateId) => this.#listener.dropCertificate(certificateId),
    });
    this.#authorization = new Authorization(this.registry, clock, options.account);
    this.faults = new Faults(runtime);
    const behaviour = { ...awsBehaviour, ...options.broker };
    this.broker = new Broker({
      ...behaviour,
      now: () => clock.now(),
      authorize: (action) => this.#listener.authorize(action),
      log,
    });
    this.#listener = new Listener({
      runtime,
      crypto,
      broker: this.broker,
      registry: this.registry,
      authorization: this.#authorization,
      identity: () => this.#identity(),
      serverNames: this.#serverNames,
      ownAuthority: this.caCertificate,
      treatments: { ...awsTreatments, ...options.treatment },
      denialEndings: { ...awsDenialEndings, ...options.denials },
      answersDeniedConnect: behaviour.deniedConnect !== "close",
      propagationMs,
      registered: (certificateId, caCertificateId) => this.#announceRegistration(certificateId, caCertificateId),
      log,
    });
    this.shadows = new ShadowService({
      ...options.shadows,
      now: () => (clock.wallMs() ?? 0) / 1000,
      onChange: (name, kept) => keepShadow(ledger, name, kept),
    });
    this.shadows.restore(keptShadows(ledger, (clock.wallMs() ?? 0) / 1000));
    this.detachShadows = serveShadows(this.broker, this.shadows, log);
  }

  get things(): ThingRegistry {
    return this.registry.things;
  }

  get certificates(): CertificateRegistry {
    return this.registry.certificates;
  }

  get policies(): PolicyRegistry {
    return this.registry.policies;
  }

  /** The CAs that users register. */
  get authorities(): AuthorityRegistry {
    return this.registry.authorities;
  }

  /**
   * Registers a thing with a new certificate, attached to it and to a policy. A thing that is there already gets one more certificate.
   *
   * Errors: `USAGE_INVALID_ARGUMENT` for a name that no thing can have, a policy that is malformed or not there, or RSA without `generateRsaKey`.
   */
  async createThing(thingName: string, options: CreateThingOptions = {}): Promise<ThingCredentials> {
    checkNames({ thingName });
    const { keyType = "p256", status = "ACTIVE" } = options;
    const policyName = this.policyFor(thingName, options.policy);
    const issued = issueDevice(this.#authority, this.#issuingPorts, thingName, this.#deviceKey(keyType));
    const { certificateId } = this.adopt(issued.certificate, { ...options, thingName, policyName, status });
    return {
      endpoint: this.endpoint,
      thingName,
      ...(this.#front === undefined ? { dial: this.dial } : { port: this.#front.port }),
      certificateId,
      certificate: issued.certificate,
      privateKey: encodePrivateKey(issued.privateKey),
      trust: this.caCertificate,
    };
  }

  /** Registers a certificate that is there already, and attaches it to a thing, which is registered too, and to a policy. */
  adopt(
    certificate: Uint8Array,
    options: Pick<CreateThingOptions, "typeName" | "attributes" | "status"> & {
      readonly thingName: string;
      readonly policyName?: string | undefined;
    },
  ): { readonly certificateId: string } {
    const { thingName, policyName, typeName, attributes, status } = options;
    if (typeName !== undefined || attributes !== undefined || this.things.find(thingName) === undefined)
      this.things.put({ thingName, typeName, attributes });
    const { certificateId } = this.registry.adopt(certificate, status, {
      things: [thingName],
      policies: policyName === undefined ? [] : [policyName],
    });
    return { certificateId };
  }

  /** @internal The name of the policy that a new thing gets, which is kept where it is new; see {@link CreateThingOptions}. */
  policyFor(thingName: string, policy: CreateThingOptions["policy"]): string | undefined {
    if (policy === false) return undefined;
    if (policy === undefined)
      return (
        this.policies.find(DEFAULT_POLICY_NAME)?.name ?? this.policies.put(DEFAULT_POLICY_NAME, defaultPolicy).name
      );
    if (typeof policy === "string" && this.policies.find(policy) !== undefined) return policy;
    if (typeof policy === "object" && policy !== null && "name" in policy && "document" in policy)
      return this.policies.put(policy.name, policy.document).name;
    return this.policies.put(`${thingName}-policy`.replace(/:/g, "-"), policy).name;
  }

  /**
   * The client's end of a new connection below TLS, to port 8883: `connectThing({ ...credentials, dial: cloud.dial })`. It needs no `this`.
   */
  readonly dial = (): Transport => this.connect();

  /** As {@link dial}, with a choice of port and address. */
  connect(arrival: Arrival = {}): Transport {
    const [client, server] = memoryPair();
    this.accept(server, arrival);
    return client;
  }

  /** The client's end of a new connection above TLS: plain MQTT, for a client whose certificate is taken as proved. */
  transport(certificateId: string, arrival: Arrival = {}): Transport {
    const [client, server] = memoryPair();
    this.#listener.acceptSecured(this.faults.over(server), certificateId, arrival);
    return client;
  }

  /** Serves a client over a byte stream below TLS: what a port in front of the cloud calls for each connection. */
  accept(lower: Transport, arrival: Arrival = {}): void {
    this.#listener.accept(this.faults.over(lower), arrival);
  }

  /** The latest refusals with their reasons, the newest last: what AWS IoT never tells. */
  explain(): readonly Explanation[] {
    return this.#authorization.explanations;
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

  /** The port in front of the cloud; `undefined` in process. */
  get port(): number | undefined {
    return this.#front?.port;
  }

  /** Things are told the port of `front` from now on, and it is closed with the cloud. What it accepts it hands to {@link accept}. */
  listenAt(front: CloudFront): void {
    this.#front = front;
  }

  /**
   * Drops all connections. Afterwards nobody is served. Without a port in front, clients may take up to five seconds for their last bytes;
   * closing it again does not wait for them.
   */
  async close(): Promise<void> {
    this.detachShadows();
    const closed = this.#front?.close();
    this.#listener.close();
    if (closed === undefined) return;
    await closed;
    this.#listener.close();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  get #issuingPorts() {
    const { crypto, runtime } = this.#options;
    return { crypto, random: runtime.random, clock: runtime.clock };
  }

  /** Made when the first client asks: above TLS nobody does. */
  #identity(): Identity {
    this.#server ??= issueServer(this.#authority, this.#issuingPorts, {
      dnsNames: this.#serverNames,
      ipAddresses: [],
    });
    const { certificate, privateKey } = this.#server;
    return { certificates: [certificate, this.caCertificate], privateKey };
  }

  #deviceKey(keyType: "p256" | "rsa"): PrivateKey | undefined {
    if (keyType === "p256") return undefined;
    const { generateRsaKey } = this.#options;
    if (keyType !== "rsa" || generateRsaKey === undefined)
      throw new UsageError(
        "USAGE_INVALID_ARGUMENT",
        `keyType ${keyType}: "p256", or "rsa" where generateRsaKey was given`,
      );
    return generateRsaKey();
  }

  /** As AWS IoT does at just-in-time registration (Developer Guide, "Just-in-time registration"). */
  #announceRegistration(certificateId: string, caCertificateId: string): void {
    const timestamp = this.#options.runtime.clock.wallMs() ?? 0;
    const message = {
      certificateId,
      caCertificateId,
      timestamp,
      certificateStatus: "PENDING_ACTIVATION",
      awsAccountId: this.#options.account?.accountId ?? "",
      certificateRegistrationTimestamp: String(timestamp),
    };
    const topic = `$aws/events/certificates/registered/${caCertificateId}`;
    this.broker.publish({ topic, payload: utf8Encode(JSON.stringify(message)) });
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
