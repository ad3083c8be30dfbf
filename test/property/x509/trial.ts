/**
 * One trial: a hierarchy, right or spoilt in a way that is known, and what verification must say of it.
 *
 * @module
 */

import type { CertificateErrorCode } from "../../../src/tls/x509/errors.ts";
import { type Defect, defects, Unfit } from "./defects.ts";
import { type Built, build, Dice, type Hierarchy, type HierarchyOptions, hierarchy } from "./hierarchy.ts";
import type { Draft } from "./writer.ts";

/** What was done to a hierarchy. */
export type Kind = "right" | "defect" | "rescued" | "trusted below";

export interface Trial {
  readonly seed: number;
  readonly kind: Kind;
  readonly defect: Defect | undefined;
  readonly made: Hierarchy;
  readonly built: Built;
  /** The codes of all problems; empty where the chain must be accepted. */
  readonly codes: readonly CertificateErrorCode[];
  /** The certificate that is wrong; `undefined` for none. */
  readonly culprit: Uint8Array | undefined;
}

const readable = defects.filter(({ isUnreadable, on }) => isUnreadable !== true && (on === "ca" || on === "any"));

/** The trial of a seed; of a defect where one is asked for. */
export function trial(seed: number, pool: Hierarchy["pool"], options: HierarchyOptions = {}, wanted?: Defect): Trial {
  for (let attempt = 0; ; attempt++) {
    const dice = new Dice(Math.imul(seed, 0x9e3779b1) + attempt);
    const share = wanted === undefined ? dice.next() : 0.5;
    try {
      if (share < 0.3) return right(seed, dice, pool, options);
      if (share < 0.78) return spoilt(seed, dice, pool, options, wanted ?? dice.pick(defects));
      return spared(seed, dice, pool, options, share < 0.9 ? "rescued" : "trusted below");
    } catch (error) {
      // Not every hierarchy can have every defect.
      if (!(error instanceof Unfit)) throw error;
    }
  }
}

function right(seed: number, dice: Dice, pool: Hierarchy["pool"], options: HierarchyOptions): Trial {
  const made = hierarchy(dice, pool, `h${seed}`, options);
  return { seed, kind: "right", made, defect: undefined, built: build(made), codes: [], culprit: undefined };
}

function spoilt(seed: number, dice: Dice, pool: Hierarchy["pool"], options: HierarchyOptions, defect: Defect): Trial {
  const made = hierarchy(dice, pool, `h${seed}`, { ...options, ...defect.needs });
  const { spine } = made;
  const lowest = defect.on === "ca" ? 1 : 0;
  const highest = defect.on === "leaf" || defect.on === "whole" ? 0 : spine.length - 1;
  if (lowest > highest) throw new Unfit();
  const depth = lowest + dice.below(highest - lowest + 1);
  const culprit = spine[depth]!;
  defect.spoil(culprit, made, depth);
  const isOne = defect.on !== "whole" && spine.includes(culprit);
  if (isOne) separate(made, culprit);
  const built = build(made);
  const { codes } = defect;
  return { seed, kind: "defect", defect, made, built, codes, culprit: isOne ? built.spine[depth] : undefined };
}

/** A wrong CA that changes nothing: beside a right one of the same name and key, or such that its name and key are trusted. */
function spared(
  seed: number,
  dice: Dice,
  pool: Hierarchy["pool"],
  options: HierarchyOptions,
  kind: "rescued" | "trusted below",
): Trial {
  const defect = dice.pick(readable);
  const made = hierarchy(dice, pool, `h${seed}`, { ...options, ...defect.needs });
  const { spine, root, surplus, trusted, differences } = made;
  if (spine.length < 2) throw new Unfit();
  const depth = 1 + dice.below(spine.length - 1);
  const culprit = spine[depth]!;
  const twin: Draft = { ...culprit, extensions: { ...culprit.extensions }, serial: Uint8Array.of(6, 6) };
  const others = [...spine.filter((one) => one !== culprit), root].map((one) => ({
    one,
    copy: { ...one },
    extensions: { ...one.extensions },
  }));
  defect.spoil(culprit, made, depth);
  // A defect that lies in more than the one certificate is no twin's.
  const isAlone = others.every(
    ({ one, copy, extensions }) =>
      one.signer === copy.signer && one.names === copy.names && isSame(one.extensions, extensions),
  );
  if (!isAlone || spine[depth] !== culprit || culprit.key !== twin.key) throw new Unfit();
  if (kind === "rescued") surplus.push(twin);
  else trusted.push(twin);
  differences.add(kind === "rescued" ? "several ways" : "trusted below");
  return { seed, kind, defect, made, built: build(made), codes: [], culprit: undefined };
}

function isSame(a: Draft["extensions"], b: Draft["extensions"]): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

/** Takes away surplus certificates that could stand in for one of the spine. */
function separate(made: Hierarchy, culprit: Draft): void {
  const isTwin = ({ subject, key }: Draft): boolean =>
    Buffer.compare(subject, culprit.subject) === 0 && key.spki === culprit.key.spki;
  const kept = made.surplus.filter((one) => !isTwin(one));
  made.surplus.splice(0, made.surplus.length, ...kept);
}
