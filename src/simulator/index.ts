/**
 * `thingwire/simulator`: a local AWS IoT in one process, for tests and for trying things out. Runtime-free; the TLS port and the
 * folder that keeps its certificates are in `thingwire/simulator/node`.
 *
 * @module
 */

export {
  type Authorize,
  Broker,
  type BrokerAction,
  BrokerConnection,
  type BrokerOptions,
  type CloseReason,
  type ConnectionHost,
  type LocalHandler,
  type Publication,
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
