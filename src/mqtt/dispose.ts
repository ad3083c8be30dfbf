/**
 * `Symbol.asyncDispose` where the engine has it (Node 20, and newer ones), and a symbol of our own where not, so that classes
 * can name the method everywhere.
 *
 * @module
 */

/** The name of the method that `await using` calls. */
export const asyncDispose: typeof Symbol.asyncDispose = /* @__PURE__ */ (() =>
  Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose"))() as typeof Symbol.asyncDispose;
