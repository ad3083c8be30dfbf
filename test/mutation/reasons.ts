/**
 * Why a mutant may survive, for those that do: `scripts/mutate.ts` reports each survivor that has no row here. A row names the file
 * and what stands in the mutated lines, so that it outlives a change of line numbers.
 *
 * @module
 */

/** A row. */
export interface Reason {
  /** In `src/tls`, without `.ts`. */
  readonly file: string;
  /** Stands in the lines that the mutant touches. */
  readonly line: string;
  /** Which mutant of them; all where it is `undefined`. */
  readonly replacement?: string;
  readonly reason: string;
}

const COMPILER = "does not compile: the type demands what the mutant leaves out";
const NARROWING = "for the compiler: what was accepted has it";
const NO_SESSION = "for the compiler: a session is made only where the app wants resumption";
const UNREAD = "nobody reads it: `readStored` makes `undefined` of whatever is wrong";

export const reasons: readonly Reason[] = [
  {
    file: "aead-protection",
    line: "for (let i = 0; i < 8; i++) this.nonce[4 + i]! ^= bytes[i]!;",
    replacement: "i <= 8",
    reason: "equivalent: what is written behind the end of a typed array is not written",
  },
  {
    file: "cbc-protection",
    line: 'encryptThenMac ? "encrypt-then-mac" : "mac-then-encrypt"',
    replacement: '""',
    reason: COMPILER,
  },
  {
    file: "server-sessions",
    line: "maxFragmentLength === undefined ? 0 : 1 + maxFragmentLengths.indexOf(maxFragmentLength)",
    replacement: "false",
    reason: "equivalent: indexOf finds nothing, which is −1; the case stands there for the reader",
  },
  {
    file: "connection",
    line: "if (state.name !== this.#state?.name)",
    replacement: "this.#state.name",
    reason: "for the compiler: a connection that computes has begun, and so has a state",
  },
  {
    file: "connection",
    line: "if (signer?.verified === false)",
    replacement: "signer.verified",
    reason: "for the compiler: an identity without a key has a signer",
  },
  {
    file: "connection",
    line: 'if (!this.#settings.log.enabled("verbose", TAG)) return;',
    replacement: "false",
    reason: "equivalent: below that level nothing is logged anyway; records are not walked through for it",
  },
  {
    file: "connection",
    line: "if (event.session !== undefined) wipe(event.session);",
    replacement: "true",
    reason: "for the compiler: an event without a session comes with the end, and nothing is dropped behind it",
  },
  { file: "states", line: 'publicKey === undefined ? "unknown"', reason: NARROWING },
  {
    file: "server-sessions",
    line: "if (resumption === undefined || now === undefined || now < createdMs)",
    reason: "equivalent: of no time comes NaN, which is not above 0; the cases stand there for the compiler",
  },
  { file: "verify", line: '"an unknown kind of key"', replacement: '""', reason: NARROWING },
  {
    file: "server-flight",
    line: "settings.resumption?.ticketKey !== undefined;",
    replacement: "settings.resumption.ticketKey",
    reason: NO_SESSION,
  },
  {
    file: "server-flight",
    line: "settings.resumption?.cache !== undefined;",
    replacement: "settings.resumption.cache",
    reason: NO_SESSION,
  },
  {
    file: "server-sessions",
    line: "const now = resumption?.wallMs();",
    replacement: "resumption.wallMs",
    reason: NO_SESSION,
  },
  { file: "server-sessions", line: 'reader.fail("another version")', replacement: '""', reason: UNREAD },
  { file: "session", line: "reader.fail(", replacement: "``", reason: UNREAD },
  { file: "session", line: "reader.fail(", replacement: '""', reason: UNREAD },
  { file: "messages", line: 'frameMessage("HelloRequest"', replacement: '""', reason: COMPILER },
  { file: "server-states", line: "(keyed, { client, finished })", replacement: "{}", reason: COMPILER },
  {
    file: "verify",
    line: "hint: first?.hint",
    reason: "for the compiler: a chain is refused for one problem at least",
  },
  { file: "verify", line: "certificate: first?.certificate", reason: "for the compiler: the same" },
  {
    file: "verify",
    line: "result.anchor === undefined || leaf === undefined",
    replacement: "false",
    reason: NARROWING,
  },
  { file: "verify", line: "if (key === undefined || (key.type", replacement: "false", reason: NARROWING },
];
