/**
 * What is combined in the interop matrix: eight factors, the cells of their cross product, and a choice of cells in which each two values
 * of different factors meet.
 *
 * @module
 */

import { presets } from "../../../src/tls/presets.ts";
import {
  allGroups,
  allSignatureSchemes,
  type CipherSuite,
  type NamedGroup,
  type SignatureScheme,
} from "../../../src/tls/suites.ts";
import { type KeyType, keyTypes } from "../certificates.ts";

/** What a server is started with. */
export interface Setting {
  readonly server: KeyType;
  readonly resumption: "session ID" | "ticket";
  /** Bytes of plaintext in the server's longest records. */
  readonly theirRecords: 512 | 16_384;
  /** Whether the server knows the extended master secret (RFC 7627). */
  readonly ems: boolean;
}

/** A full handshake and, with the session that it left, a second one. */
export interface Cell extends Setting {
  readonly suite: CipherSuite;
  readonly client: KeyType;
  /** Bytes of plaintext in our longest records. */
  readonly ourRecords: 1 | 512;
  /** Whether we offer encrypt-then-MAC (RFC 7366). */
  readonly etm: boolean;
  /** The group and the scheme that we name first; which is taken, the server decides. */
  readonly group: NamedGroup;
  readonly scheme: SignatureScheme;
}

const both = [true, false] as const;

export const settings: readonly Setting[] = keyTypes.flatMap((server) =>
  (["session ID", "ticket"] as const).flatMap((resumption) =>
    ([512, 16_384] as const).flatMap((theirRecords) => both.map((ems) => ({ server, resumption, theirRecords, ems }))),
  ),
);

/** The schemes that a server with this key can sign with. */
const schemesOf = (server: KeyType): readonly SignatureScheme[] =>
  allSignatureSchemes.filter(({ key }) => (key === "rsa") === (server === "rsa"));

/**
 * The whole cross product: a suite goes with the server's keys that it can be used with. Group and scheme are no factors of it, but dealt
 * out, so that with each key of the server a suite meets each group, and each scheme with each of them.
 */
export const cells: readonly Cell[] = settings.flatMap((setting, s) => {
  const schemes = schemesOf(setting.server);
  return presets
    .full()
    .filter(({ authentication }) => (authentication === "rsa") === (setting.server === "rsa"))
    .flatMap((suite, i) =>
      keyTypes.flatMap((client, c) =>
        ([1, 512] as const).flatMap((ourRecords, r) =>
          both.map((etm, e) => {
            const turn = 4 * c + 2 * r + e;
            const group = allGroups[(turn + c + i) % allGroups.length]!;
            const scheme = schemes[(turn + s) % schemes.length]!;
            return { ...setting, suite, client, ourRecords, etm, group, scheme };
          }),
        ),
      ),
    );
});

/** Each factor's value in a cell, as the tables show it. */
export const factors: Readonly<Record<string, (cell: Cell) => string>> = {
  suite: ({ suite }) => suite.name,
  "server's key": ({ server }) => server,
  "client's key": ({ client }) => client,
  // Without the extended master secret there is no session, whatever the server would do with it.
  resumption: ({ resumption, ems }) => (ems ? resumption : "none"),
  "our records": ({ ourRecords }) => `${ourRecords}`,
  "their records": ({ theirRecords }) => `${theirRecords}`,
  "extended master secret": ({ ems }) => (ems ? "on" : "off"),
  "encrypt-then-MAC": ({ etm }) => (etm ? "on" : "off"),
};

/** The factors of a cell with their values. */
export const valuesOf = (cell: Cell): readonly (readonly [factor: string, value: string])[] =>
  Object.entries(factors).map(([factor, show]) => [factor, show(cell)]);

export const titleOf = (cell: Cell): string =>
  [...valuesOf(cell), ["group", cell.group.name], ["scheme", cell.scheme.name]].map((one) => one.join(" ")).join(", ");

/** Few of the cells, in which every pair of values meets that meets in any of them: always the one that adds the most. */
export function covering(from: readonly Cell[]): readonly Cell[] {
  const rest = new Map(from.map((cell) => [cell, pairsOf(cell)]));
  const open = new Set([...rest.values()].flat());
  const chosen: Cell[] = [];
  while (open.size > 0) {
    let best: Cell | undefined;
    let most = 0;
    for (const [cell, pairs] of rest) {
      const adds = pairs.filter((pair) => open.has(pair)).length;
      if (adds > most) [best, most] = [cell, adds];
    }
    for (const pair of rest.get(best!)!) open.delete(pair);
    rest.delete(best!);
    chosen.push(best!);
  }
  return chosen;
}

function pairsOf(cell: Cell): string[] {
  const values = valuesOf(cell).map((one) => one.join(" "));
  return values.flatMap((one, i) => values.slice(i + 1).map((other) => `${one}, ${other}`));
}
