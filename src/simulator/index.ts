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
export {
  certificateId,
  createAuthority,
  type IssuedCertificate,
  type IssuingPorts,
  issueDevice,
  issueServer,
} from "./authority.ts";
export { Cloud, type CloudShadow, type SimulateOptions, simulate, type ThingCredentials } from "./cloud.ts";
export { CertificateRegistry, type CertificateStatus, type RegisteredCertificate } from "./registry.ts";
export { serveMqtt } from "./serve.ts";
export { type AttachedShadowService, attachShadowService, serveShadows } from "./shadow-bridge.ts";
