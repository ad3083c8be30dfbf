/**
 * All codes of the X.509 layer in one table: for documentation, tools and tests. The library itself takes the rows from where they stand.
 *
 * @module
 */

import { chainErrors } from "./errors.ts";
import { fileErrors } from "./file-errors.ts";
import { revocationErrors } from "./revocation-errors.ts";

/** All codes of this layer. */
export const certificateErrors = /* @__PURE__ */ Object.freeze({
  ...chainErrors,
  ...revocationErrors,
  ...fileErrors,
} as const);
