/**
 * The types of a shadow's state as an app declares it: `interface Lamp { powerOn: boolean; color?: { … } }`.
 *
 * @module
 */

/** Any part of a state, as deltas are. Arrays are values: they come whole. */
export type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> | undefined }
    : T;

/** A change to a state: any part of it, where null removes a key. */
export type StateChange<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: StateChange<T[K]> | null | undefined }
    : T;

/** A whole shadow as the service knows it. */
export interface ShadowDocument<T> {
  readonly state: {
    readonly desired?: DeepPartial<T>;
    readonly reported?: DeepPartial<T>;
  };
  /** Beside the state and of its shape: `{ timestamp: seconds since 1970 }` for each leaf. */
  readonly metadata: { readonly desired?: object; readonly reported?: object };
  readonly version: number;
}
