/** What the C SDK's log says of a handshake that failed, above the line of the example. */

import { ThingError, type ThingwireError } from "thingwire/node";

/** `failed! mbedtls_ssl_handshake returned -0x7780`, or nothing where it was not the handshake that failed. */
export function handshakeFailed(error: ThingwireError): readonly string[] {
  if (!(error instanceof ThingError) || error.phase !== "handshake" || error.mbedtls === undefined) return [];
  return [`failed! mbedtls_ssl_handshake returned -0x${(-error.mbedtls).toString(16)}`];
}
