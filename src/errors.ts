/**
 * The one shape of every error: a code out of its layer's table, who is to blame, the values that show it, and what to do.
 *
 * Each layer has one class (`TlsError`, `CertificateError`, `MqttError`, `ShadowError`, `TransportError`, …) and one as-const
 * table of codes beside it; this file holds what they share, and the codes for mistakes of the caller and of this library.
 * Match on `error.code`, not on the message. Brands are `Symbol.for`, so that the ESM and the CJS copy of the package agree.
 *
 * @module
 */

/** Who made the mistake: `bug` is ours. */
export type Blame = "peer" | "caller" | "network" | "bug";

/** Where an error comes from; each layer has a class and a table of codes. */
export type Layer = "tls" | "x509" | "mqtt" | "shadow" | "transport" | "thing" | "usage";

/** One row of a layer's table of codes. */
export interface ErrorRow {
  /** One line: what went wrong. */
  readonly meaning: string;
  readonly blame: Blame;
  /** Whether the same call can succeed later without a change. */
  readonly retry: boolean;
  /** What the user should do. */
  readonly hint: string;
  /** The TLS alert that is sent for it (RFC 5246 §7.2). */
  readonly alert?: number;
  /** The code of mbedTLS 3.6, negative: -0x7780. */
  readonly mbedtls?: number;
  /** The code of the AWS IoT C SDK v3, negative: -28. */
  readonly sdk?: number;
}

/** Values that show the mistake; never secrets, and text of a peer only through `printable`. */
export type ErrorData = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

const BRAND: unique symbol = /* @__PURE__ */ Symbol.for("thingwire.error") as never;

/**
 * The base of all errors that this library throws or reports.
 *
 * @example
 * try { … } catch (error) {
 *   if (isThingwireError(error)) console.error(error.code, error.hint, error.data);
 * }
 */
export class ThingwireError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly layer: Layer;
  readonly blame: Blame;
  readonly retry: boolean;
  readonly hint: string;
  readonly data: ErrorData;
  /** mbedTLS 3.6's code (-0x7780) where one exists, or that of the cause. */
  readonly mbedtls: number | undefined;
  /** The AWS IoT C SDK v3's code (-28) where one exists. */
  readonly sdk: number | undefined;

  constructor(layer: Layer, code: Code, row: ErrorRow, detail?: string, data: ErrorData = {}, cause?: unknown) {
    super(
      detail === undefined ? row.meaning : `${row.meaning}: ${detail}`,
      cause === undefined ? undefined : { cause },
    );
    this.name = "ThingwireError";
    this.code = code;
    this.layer = layer;
    this.blame = row.blame;
    this.retry = row.retry;
    this.hint = row.hint;
    this.data = data;
    this.mbedtls = row.mbedtls ?? (isThingwireError(cause) ? cause.mbedtls : undefined);
    this.sdk = row.sdk;
    Object.defineProperty(this, BRAND, { value: true });
  }

  toJSON(): Record<string, unknown> {
    return {
      name: this.name,
      code: this.code,
      layer: this.layer,
      blame: this.blame,
      message: this.message,
      hint: this.hint,
      retry: this.retry,
      data: this.data,
      ...(this.mbedtls === undefined ? {} : { mbedtls: mbedtlsText(this.mbedtls) }),
      ...(this.sdk === undefined ? {} : { sdk: this.sdk }),
      ...(isThingwireError(this.cause) ? { cause: this.cause.toJSON() } : {}),
    };
  }
}

/** Whether something caught is an error of this library, of this copy of the package or another. */
export function isThingwireError(error: unknown): error is ThingwireError {
  return typeof error === "object" && error !== null && BRAND in error;
}

/** A code of mbedTLS as people know it: `-0x7780`. */
export function mbedtlsText(code: number): string {
  return `-0x${(-code).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Mistakes of the caller, and ours, which no layer owns. */
export const usageErrors = {
  USAGE_INVALID_ARGUMENT: {
    meaning: "an argument is not usable",
    blame: "caller",
    retry: false,
    hint: "See the message for the argument and the values that it takes.",
    mbedtls: -0x7100,
    sdk: -2,
  },
  USAGE_NO_RANDOM: {
    meaning: "no source of randomness was given",
    blame: "caller",
    retry: false,
    hint: "Pass `random`. There is no fallback on purpose: keys made with weak randomness are public.",
    mbedtls: -0x7400,
    sdk: -16,
  },
  USAGE_WRONG_STATE: {
    meaning: "the call does not fit the present state",
    blame: "caller",
    retry: false,
    hint: "See the message for the state and what may be called in it.",
    sdk: -29,
  },
  USAGE_ABORTED: {
    meaning: "the operation was aborted by its signal",
    blame: "caller",
    retry: true,
    hint: "The AbortSignal that was passed fired.",
  },
  INTERNAL_BUG: {
    meaning: "a mistake in thingwire",
    blame: "bug",
    retry: false,
    hint: "Please report it with the message, the stack and what led to it.",
    mbedtls: -0x6c00,
    sdk: -1,
  },
} as const satisfies Record<string, ErrorRow>;

/** A key of {@link usageErrors}. */
export type UsageErrorCode = keyof typeof usageErrors;

/** A mistake of the caller (`USAGE_…`) or of this library (`INTERNAL_BUG`). */
export class UsageError extends ThingwireError<UsageErrorCode> {
  constructor(code: UsageErrorCode, detail?: string, data?: ErrorData, cause?: unknown) {
    super("usage", code, usageErrors[code], detail, data, cause);
    this.name = "UsageError";
  }
}

/** Passes this library's errors on, and makes anything else an `INTERNAL_BUG` that keeps it as the cause. */
export function asThingwireError(error: unknown): ThingwireError {
  if (isThingwireError(error)) return error;
  return new UsageError("INTERNAL_BUG", error instanceof Error ? error.message : String(error), {}, error);
}
