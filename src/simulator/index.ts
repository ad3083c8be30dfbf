/**
 * `thingwire/simulator`: a local AWS IoT in one process, for tests and for trying things out. Runtime-free; the TLS port and the
 * folder that keeps its certificates are in `thingwire/simulator/node`.
 *
 * @module
 */

export {
  type Authorize,
  awsAtWorst,
  awsBehaviour,
  Broker,
  type BrokerAction,
  type BrokerBehaviour,
  BrokerConnection,
  type BrokerOptions,
  type CloseKind,
  type CloseReason,
  type ConnectAction,
  type ConnectionHost,
  type Denial,
  type LocalHandler,
  type Mischief,
  type Publication,
  type PublishAction,
  type ReceiveAction,
  type SubscribeAction,
} from "../mqtt/broker.ts";
export type { EndpointPort } from "./admission.ts";
export { type AuthorityRegistration, AuthorityRegistry, type RegisteredAuthority } from "./authorities.ts";
export {
  certificateId,
  createAuthority,
  type IssuedCertificate,
  type IssuingPorts,
  issueDevice,
  issueServer,
} from "./authority.ts";
export type { Explanation } from "./authorization.ts";
export {
  CertificateRegistry,
  type CertificateStatus,
  certificateStatuses,
  type RegisteredCertificate,
} from "./certificates.ts";
export {
  Cloud,
  type CloudShadow,
  type CreateThingOptions,
  DEFAULT_POLICY_NAME,
  type SimulateOptions,
  simulate,
  type ThingCredentials,
} from "./cloud.ts";
export type { Faults } from "./faults.ts";
export { type Ledger, type RecordKind, recordKinds } from "./ledger.ts";
export type { Arrival } from "./listener.ts";
export type { PolicyInput, PolicyRegistry } from "./policies.ts";
export * from "./policy/index.ts";
export { Registry, type RegistryOptions } from "./registry.ts";
export { type Ended, endOrderly, type ServeOptions, serveMqtt } from "./serve.ts";
export { type AttachedShadowService, attachShadowService, serveShadows } from "./shadow-bridge.ts";
export type { RegisteredThing, ThingRegistry } from "./things.ts";
export {
  awsDenialEndings,
  awsTreatments,
  type DenialEndings,
  type Ending,
  type Treatment,
  type Treatments,
} from "./treatment.ts";
