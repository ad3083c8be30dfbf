/**
 * The errors of the shadow layer: what the service answered, what its messages lacked, and what a caller asked in vain.
 *
 * @module
 */

import { type ErrorData, type ErrorRow, ThingwireError } from "../errors.ts";

/** All codes of {@link ShadowError}. `sdk` is the code of the AWS IoT C SDK v3 for the same event. */
export const shadowErrors = {
  SHADOW_REJECTED_INVALID: {
    meaning: "the shadow service refused the request as invalid (400)",
    blame: "caller",
    retry: false,
    hint: "See the service's message: the state must be an object with `desired` and `reported`, nested at most 6 deep, without nulls in arrays.",
    sdk: -45,
  },
  SHADOW_REJECTED_UNAUTHORIZED: {
    meaning: "the shadow service does not know who asks (401)",
    blame: "caller",
    retry: false,
    hint: "Check that the certificate is active and attached to the thing, and that a policy is attached to the certificate.",
    sdk: -41,
  },
  SHADOW_REJECTED_FORBIDDEN: {
    meaning: "the shadow service does not allow the request (403)",
    blame: "caller",
    retry: false,
    hint: "Allow the request in the policy of the certificate.",
    sdk: -41,
  },
  SHADOW_REJECTED_NOT_FOUND: {
    meaning: "there is no such shadow (404)",
    blame: "caller",
    retry: false,
    hint: "The first report or desire creates it. Thing and shadow names must match letter by letter, upper and lower case too.",
  },
  SHADOW_REJECTED_CONFLICT: {
    meaning: "the shadow has changed meanwhile (409)",
    blame: "network",
    retry: true,
    hint: "Get the document, apply the change to it, and send it with the new version. ShadowClient does so by itself.",
  },
  SHADOW_REJECTED_TOO_LARGE: {
    meaning: "the shadow would be larger than the service stores (413)",
    blame: "caller",
    retry: false,
    hint: "Desired and reported together may take 8192 bytes of JSON unless the account's quota was raised. Remove keys with null.",
    sdk: -44,
  },
  SHADOW_REJECTED_ENCODING: {
    meaning: "the shadow service could not read the request as UTF-8 (415)",
    blame: "caller",
    retry: false,
    hint: "Send JSON in UTF-8.",
  },
  SHADOW_REJECTED_THROTTLED: {
    meaning: "the shadow service has too many requests of this thing to answer (429)",
    blame: "caller",
    retry: true,
    hint: "Report less often, or several values in one report. ShadowClient waits and tries again by itself.",
  },
  SHADOW_REJECTED_INTERNAL: {
    meaning: "the shadow service failed (500)",
    blame: "peer",
    retry: true,
    hint: "Try again later. ShadowClient waits and tries again by itself.",
  },
  SHADOW_REJECTED_OTHER: {
    meaning: "the shadow service refused the request with a code that its guide does not list",
    blame: "peer",
    retry: false,
    hint: "See the service's message.",
  },
  SHADOW_TIMEOUT: {
    meaning: "the shadow operation was not finished in time",
    blame: "network",
    retry: true,
    hint: "Check the connection, that the thing's name is exact, and that the policy lets the device publish to, subscribe to and receive from the shadow's topics. The service may have applied the change nevertheless.",
    sdk: -28,
  },
  SHADOW_INVALID_JSON: {
    meaning: "a message on a shadow topic is not JSON that can be read",
    blame: "peer",
    retry: false,
    hint: "See who publishes to the shadow's reserved topics; on a plain broker anyone can.",
    sdk: -42,
  },
  SHADOW_INVALID_MESSAGE: {
    meaning: "a message on a shadow topic lacks what the service always sends",
    blame: "peer",
    retry: false,
    hint: "See who publishes to the shadow's reserved topics; on a plain broker anyone can.",
    sdk: -45,
  },
  SHADOW_INVALID_STATE: {
    meaning: "the state cannot be stored in a shadow",
    blame: "caller",
    retry: false,
    hint: "A state is an object of plain JSON, nested at most 6 deep; null removes a key, and no array holds a null.",
    sdk: -45,
  },
  SHADOW_TOO_LARGE: {
    meaning: "the state would make the shadow larger than the service stores",
    blame: "caller",
    retry: false,
    hint: "Desired and reported together may take 8192 bytes of JSON. Remove keys with null, or set `limits.documentBytes` where the account's quota was raised.",
    sdk: -44,
  },
  SHADOW_NOT_SUBSCRIBED: {
    meaning: "the topics on which the shadow service answers could not be subscribed to",
    blame: "network",
    retry: true,
    hint: "Let the policy allow iot:Subscribe and iot:Receive for the shadow's topics; see the cause.",
    sdk: -34,
  },
  SHADOW_DELTA_REFUSED: {
    meaning: "the device refuses a desired value",
    blame: "peer",
    retry: false,
    hint: "Thrown by an onDelta handler by means of Reject(path, why): the key is removed from desired.",
  },
  SHADOW_CLOSED: {
    meaning: "the shadow client was closed",
    blame: "caller",
    retry: false,
    hint: "Make a new one; operations that were under way when it was closed may have been applied.",
  },
} as const satisfies Record<string, ErrorRow>;

/** A key of {@link shadowErrors}. */
export type ShadowErrorCode = keyof typeof shadowErrors;

/** What goes wrong with a shadow. Match on `code`; `data.status` and `data.message` hold the service's answer. */
export class ShadowError extends ThingwireError<ShadowErrorCode> {
  constructor(code: ShadowErrorCode, detail?: string, data?: ErrorData, cause?: unknown) {
    super("shadow", code, shadowErrors[code], detail, data, cause);
    this.name = "ShadowError";
  }
}

/** The code for a number out of a `rejected` message. */
export function rejectionCode(status: number): ShadowErrorCode {
  switch (status) {
    case 400:
      return "SHADOW_REJECTED_INVALID";
    case 401:
      return "SHADOW_REJECTED_UNAUTHORIZED";
    case 403:
      return "SHADOW_REJECTED_FORBIDDEN";
    case 404:
      return "SHADOW_REJECTED_NOT_FOUND";
    case 409:
      return "SHADOW_REJECTED_CONFLICT";
    case 413:
      return "SHADOW_REJECTED_TOO_LARGE";
    case 415:
      return "SHADOW_REJECTED_ENCODING";
    case 429:
      return "SHADOW_REJECTED_THROTTLED";
    case 500:
      return "SHADOW_REJECTED_INTERNAL";
    default:
      return "SHADOW_REJECTED_OTHER";
  }
}
