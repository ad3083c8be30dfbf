/**
 * `thingwire/shadow`: AWS IoT Device Shadow from one core. The algebra (`merge`, `diff`, `delta`), the service for simulators and
 * tests (`ShadowService`), the sans-I/O engine of a device (`ShadowEngine`) and the client over MQTT (`ShadowClient`).
 *
 * @module
 */

export {
  type ChangeOptions,
  type DeltaHandler,
  DeltaRejection,
  Reject,
  type ShadowChannel,
  ShadowClient,
  type ShadowClientEvents,
  type ShadowClientOptions,
} from "./client.ts";
export { delta, diff, merge, type OnlyNulls } from "./document.ts";
export { ShadowEngine, type ShadowEngineEvent, type ShadowEngineOptions, type ShadowPhase } from "./engine.ts";
export { ShadowError, type ShadowErrorCode, shadowErrors } from "./errors.ts";
export { decodeJson, encodeJson, type Json, type JsonArray, type JsonObject, jsonBytes, nesting } from "./json.ts";
export { type ShadowLimits, shadowLimits } from "./request.ts";
export {
  type ShadowAssumptions,
  type ShadowChange,
  type ShadowList,
  type ShadowPublication,
  type ShadowRequest,
  ShadowService,
  type ShadowServiceOptions,
  type ShadowSnapshot,
  shadowAssumptions,
  type Tombstone,
} from "./service.ts";
export { applyUpdate, project, type ShadowState, type StatePatch, type StoredShadow, stamp } from "./state.ts";
export {
  isShadowName,
  isThingName,
  parseShadowTopic,
  type ShadowMessageKind,
  type ShadowName,
  type ShadowOperation,
  type ShadowTopic,
  type ShadowTopics,
  shadowTopics,
} from "./topics.ts";
export type { DeepPartial, ShadowDocument, StateChange } from "./types.ts";
