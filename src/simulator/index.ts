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
export type { AuthorityRegistration, AuthorityRegistry, RegisteredAuthority } from "./authorities.ts";
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
  type CertificateRegistry,
  type CertificateStatus,
  certificateStatuses,
  type RegisteredCertificate,
} from "./certificates.ts";
export {
  Cloud,
  type CloudFront,
  type CloudShadow,
  type CreateThingOptions,
  type SimulateOptions,
  simulate,
  type ThingCredentials,
} from "./cloud.ts";
export type { Faults } from "./faults.ts";
export type { Ledger, RecordKind } from "./ledger.ts";
export type { Arrival } from "./listener.ts";
export type { PolicyInput, PolicyRegistry } from "./policies.ts";
export {
  type CertificateNames,
  defaultPolicy,
  evaluate,
  examplePolicies,
  lintPolicy,
  type Policy,
  type PolicyAction,
  type PolicyCertificate,
  type PolicyContext,
  type PolicyDecision,
  type PolicyDocument,
  type PolicyRequest,
  type PolicyWarning,
  type PolicyWarningCode,
  parsePolicy,
  type StatementDocument,
} from "./policy/index.ts";
export type { Registry } from "./registry.ts";
export { type Ended, type ServeOptions, serveMqtt } from "./serve.ts";
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
