/**
 * One thing: connecting it over any runtime's ports, and what its failures mean.
 *
 * @module
 */

export {
  AWS_MQTT_ALPN,
  alpnForPort,
  awsPorts,
  checkEndpoint,
  checkThingName,
  connectCauses,
  connectionFactors,
  endpointWarning,
  handshakeCauses,
} from "./aws.ts";
export { connectThing, type Thing } from "./connect.ts";
export { type CredentialOptions, type Credentials, readThingCredentials } from "./credentials.ts";
export { explainFailure, type Progress } from "./diagnosis.ts";
export { ThingError, type ThingErrorCode, type ThingErrorRow, type ThingPhase, thingErrors } from "./errors.ts";
export type { ConnectThingOptions, ThingPorts, ThingTimeouts, ThingTlsOptions } from "./options.ts";
