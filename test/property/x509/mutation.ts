/**
 * Ways to change a certificate: blind ones on its octets, and ones that know DER and keep the lengths around right, so that they get
 * past the first check.
 *
 * @module
 */

import { concat } from "../../../src/bytes.ts";
import { element } from "../../../src/tls/x509/der-write.ts";
import type { Dice } from "./hierarchy.ts";

/** An element with what is in it, if it is constructed or wraps DER. */
interface Tree {
  tag: number;
  /** Octets in front of the children: a BIT STRING's count of unused bits. */
  prefix: Uint8Array;
  children: Tree[] | undefined;
  contents: Uint8Array;
}

/** The elements in `bytes`; `undefined` where they are no DER. */
function treesOf(bytes: Uint8Array, depth = 0): Tree[] | undefined {
  const trees: Tree[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]!;
    let length = bytes[at + 1];
    let from = at + 2;
    if (length === undefined || (tag & 0x1f) === 0x1f) return undefined;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0 || octets > 3) return undefined;
      length = bytes.subarray(from, from + octets).reduce((sum, octet) => sum * 256 + octet, 0);
      from += octets;
    }
    at = from + length;
    if (at > bytes.length) return undefined;
    const contents = bytes.subarray(from, at);
    const wraps = tag === 0x03 || tag === 0x04;
    const skipped = tag === 0x03 ? 1 : 0;
    const inner =
      (tag & 0x20) !== 0 || wraps
        ? depth < 24
          ? treesOf(contents.subarray(skipped), depth + 1)
          : undefined
        : undefined;
    const children = inner !== undefined && (inner.length > 0 || !wraps) ? inner : undefined;
    trees.push({ tag, prefix: contents.subarray(0, skipped), children, contents });
  }
  return trees;
}

function written({ tag, prefix, children, contents }: Tree): Uint8Array {
  return children === undefined ? element(tag, contents) : element(tag, prefix, ...children.map(written));
}

/** All lists of siblings of a tree. */
function familiesOf(trees: Tree[]): Tree[][] {
  return [trees, ...trees.flatMap(({ children }) => (children === undefined ? [] : familiesOf(children)))];
}

const KNOWN_TAGS = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0x1e, 0x30, 0x31, 0x80, 0x82, 0x87, 0xa0, 0xa3, 0xa4,
];
const ODD_OCTETS = [0x00, 0x01, 0x7f, 0x80, 0x81, 0x84, 0xff, 0x30, 0x1f];

/** Changes octets, and knows nothing. */
const blind: readonly ((bytes: Uint8Array, dice: Dice, other: Uint8Array) => Uint8Array)[] = [
  (bytes, dice) => changed(bytes, dice.below(bytes.length), (octet) => octet ^ (1 << dice.below(8))),
  (bytes, dice) => changed(bytes, dice.below(bytes.length), () => dice.below(256)),
  (bytes, dice) => changed(bytes, dice.below(bytes.length), () => dice.pick(ODD_OCTETS)),
  // Headers stand in front.
  (bytes, dice) => changed(bytes, dice.below(Math.min(64, bytes.length)), () => dice.pick(ODD_OCTETS)),
  (bytes, dice) => bytes.slice(0, dice.below(bytes.length)),
  (bytes, dice) => concat([bytes, Uint8Array.from({ length: 1 + dice.below(8) }, () => dice.below(256))]),
  (bytes, dice, other) => {
    const at = dice.below(bytes.length);
    return concat([bytes.subarray(0, at), other.subarray(Math.min(at, other.length))]);
  },
  (bytes, dice, other) => {
    const [at, count] = [dice.below(bytes.length), 1 + dice.below(32)];
    const from = dice.below(other.length);
    return concat([bytes.subarray(0, at), other.subarray(from, from + count), bytes.subarray(at + count)]);
  },
];

/** Changes one element; the lengths around it stay right. */
const knowing: readonly ((family: Tree[], at: number, dice: Dice, other: Tree) => void)[] = [
  (family, at) => void family.splice(at, 1),
  (family, at) => void family.splice(at, 0, family[at]!),
  (family, at, dice) => void family.splice(dice.below(family.length), 0, ...family.splice(at, 1)),
  (family, at, _, other) => void family.splice(at, 1, other),
  (family, at, _, other) => void family.splice(at, 0, other),
  (family, at, dice) => void (family[at] = { ...family[at]!, tag: dice.pick(KNOWN_TAGS) }),
  (family, at, dice) => {
    const { contents } = family[at]!;
    const next =
      contents.length === 0
        ? Uint8Array.of(0)
        : changed(contents, dice.below(contents.length), (octet) => octet ^ (1 << dice.below(8)));
    family[at] = { ...family[at]!, children: undefined, contents: next };
  },
  (family, at, dice) => {
    const { contents } = family[at]!;
    const next = dice.chance(0.5)
      ? contents.subarray(0, dice.below(contents.length + 1))
      : concat([contents, contents]);
    family[at] = { ...family[at]!, children: undefined, contents: next };
  },
  (family, at, dice) => {
    // Deep, or many.
    let inner: Tree = family[at]!;
    const count = dice.pick([2, 20, 200]);
    if (dice.chance(0.5))
      for (let i = 0; i < Math.min(count, 60); i++)
        inner = { tag: 0x30, prefix: inner.prefix.subarray(0, 0), children: [inner], contents: inner.contents };
    else
      inner = {
        ...inner,
        children: new Array<Tree[]>(count)
          .fill(inner.children ?? [inner])
          .flat()
          .slice(0, 400),
      };
    family[at] = inner;
  },
];

/** A changed copy, now and then twice changed. `other` gives its parts to splices. */
export function mutated(bytes: Uint8Array, dice: Dice, other: Uint8Array): Uint8Array {
  let result = bytes;
  for (let i = dice.chance(0.25) ? 2 : 1; i > 0 && result.length > 0; i--) {
    const trees = dice.chance(0.6) ? treesOf(result) : undefined;
    const donors = trees === undefined ? undefined : treesOf(other);
    if (trees === undefined || donors === undefined) result = dice.pick(blind)(result, dice, other);
    else {
      const family = dice.pick(familiesOf(trees).filter(({ length }) => length > 0));
      const at = dice.below(family.length);
      const donor = likely(familiesOf(donors).flat(), family[at]!, dice);
      dice.pick(knowing)(family, at, dice, donor);
      result = concat(trees.map(written));
    }
  }
  return result;
}

/** An element of another certificate, of the same kind where there is one: a name for a name, a key for a key. */
function likely(donors: readonly Tree[], wanted: Tree, dice: Dice): Tree {
  const same = donors.filter(({ tag }) => tag === wanted.tag);
  return dice.pick(same.length > 0 && dice.chance(0.8) ? same : donors);
}

function changed(bytes: Uint8Array, at: number, change: (octet: number) => number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = change(copy[at]!);
  return copy;
}
