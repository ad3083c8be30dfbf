/**
 * Topic names and filters (MQTT 3.1.1 §4.7): what is valid and what matches. No normalisation of any kind [MQTT-4.7.3-4].
 *
 * @module
 */

import { isWellFormed, printable, utf8Length } from "../bytes.ts";
import { MqttError } from "./errors.ts";
import { MAX_FIELD_BYTES } from "./packets.ts";

/** Why a name or filter is not valid. */
export interface TopicProblem {
  readonly problem: string;
  /** The broken statement of MQTT 3.1.1. */
  readonly statement: string;
}

/** What is wrong with a topic name; `undefined` where it is valid. */
export function topicNameProblem(name: string): TopicProblem | undefined {
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    if (unit === 0x23 || unit === 0x2b) return { problem: "it has a wildcard", statement: "MQTT-4.7.1-1" };
  }
  return commonProblem(name);
}

/** What is wrong with a topic filter; `undefined` where it is valid. */
export function topicFilterProblem(filter: string): TopicProblem | undefined {
  for (let i = 0; i < filter.length; i++) {
    const unit = filter.charCodeAt(i);
    if (unit !== 0x23 && unit !== 0x2b) continue;
    const opensLevel = i === 0 || filter.charCodeAt(i - 1) === 0x2f;
    if (unit === 0x23) {
      if (!opensLevel || i !== filter.length - 1) {
        return { problem: "# is not alone in the last level", statement: "MQTT-4.7.1-2" };
      }
    } else if (!opensLevel || (i !== filter.length - 1 && filter.charCodeAt(i + 1) !== 0x2f)) {
      return { problem: "+ is not alone in its level", statement: "MQTT-4.7.1-3" };
    }
  }
  return commonProblem(filter);
}

function commonProblem(topic: string): TopicProblem | undefined {
  if (topic.length === 0) return { problem: "it is empty", statement: "MQTT-4.7.3-1" };
  if (topic.includes("\0")) return { problem: "it has U+0000", statement: "MQTT-4.7.3-2" };
  if (!isWellFormed(topic)) return { problem: "it has half of a surrogate pair", statement: "MQTT-1.5.3-1" };
  if (utf8Length(topic) > MAX_FIELD_BYTES) {
    return { problem: `it is longer than ${MAX_FIELD_BYTES} bytes`, statement: "MQTT-4.7.3-3" };
  }
  return undefined;
}

/**
 * Throws where a topic name is not valid.
 *
 * @throws MqttError `MQTT_INVALID_TOPIC` with the broken statement in `data.statement`.
 */
export function validateTopicName(name: string): void {
  const problem = topicNameProblem(name);
  if (problem !== undefined) throw invalid("topic name", name, problem);
}

/**
 * Throws where a topic filter is not valid.
 *
 * @throws MqttError `MQTT_INVALID_TOPIC` with the broken statement in `data.statement`.
 */
export function validateTopicFilter(filter: string): void {
  const problem = topicFilterProblem(filter);
  if (problem !== undefined) throw invalid("topic filter", filter, problem);
}

function invalid(what: string, topic: string, { problem, statement }: TopicProblem): MqttError {
  return new MqttError("MQTT_INVALID_TOPIC", `${what} "${printable(topic)}": ${problem} [${statement}]`, {
    topic: printable(topic),
    statement,
  });
}

/**
 * Whether a valid filter matches a valid topic name. `a/#` matches `a` too (§4.7.1.2) unless `hashMatchesParent` is false, as at AWS
 * IoT, and a wildcard at the start does not match a name that starts with `$` [MQTT-4.7.2-1].
 *
 * @example
 * matches("sport/+/player", "sport/tennis/player"); // true
 */
export function matches(filter: string, name: string, hashMatchesParent = true): boolean {
  if (name.startsWith("$") && (filter.startsWith("+") || filter.startsWith("#"))) return false;
  let f = 0;
  let n = 0;
  // One level a turn; both positions stand at a level's start.
  for (;;) {
    if (filter.charCodeAt(f) === 0x23) return true;
    const filterEnd = levelEnd(filter, f);
    const nameEnd = levelEnd(name, n);
    const any = filter.charCodeAt(f) === 0x2b && filterEnd === f + 1;
    if (!any && filter.slice(f, filterEnd) !== name.slice(n, nameEnd)) return false;
    const filterDone = filterEnd === filter.length;
    const nameDone = nameEnd === name.length;
    if (nameDone) return filterDone || (hashMatchesParent && filter.slice(filterEnd) === "/#");
    if (filterDone) return false;
    f = filterEnd + 1;
    n = nameEnd + 1;
  }
}

function levelEnd(topic: string, from: number): number {
  const at = topic.indexOf("/", from);
  return at === -1 ? topic.length : at;
}

interface Level<T> {
  readonly next: Map<string, Level<T>>;
  readonly values: Set<T>;
}

/**
 * Values by topic filter, found by topic name: a tree of levels, walked level by level without recursion, so that neither a
 * deep name nor a deep filter can exhaust a small stack.
 *
 * @example
 * const router = new TopicRouter<string>();
 * router.add("lamp/+", "handler");
 * router.match("lamp/1"); // ["handler"]
 */
export class TopicRouter<T> {
  readonly #root: Level<T> = level();
  #size = 0;

  /** The number of (filter, value) pairs. */
  get size(): number {
    return this.#size;
  }

  /** Adds a value under a valid filter. False where it is there already. */
  add(filter: string, value: T): boolean {
    let at = this.#root;
    for (const name of filter.split("/")) {
      let next = at.next.get(name);
      if (next === undefined) at.next.set(name, (next = level()));
      at = next;
    }
    if (at.values.has(value)) return false;
    at.values.add(value);
    this.#size++;
    return true;
  }

  /** Takes a value from under a filter. False where it is not there. */
  delete(filter: string, value: T): boolean {
    const names = filter.split("/");
    const path: Level<T>[] = [this.#root];
    for (const name of names) {
      const next = path[path.length - 1]!.next.get(name);
      if (next === undefined) return false;
      path.push(next);
    }
    if (!path[names.length]!.values.delete(value)) return false;
    this.#size--;
    for (let i = names.length; i > 0; i--) {
      const { next, values } = path[i]!;
      if (next.size > 0 || values.size > 0) break;
      path[i - 1]!.next.delete(names[i - 1]!);
    }
    return true;
  }

  /** The values under exactly this filter. */
  get(filter: string): readonly T[] {
    let at: Level<T> | undefined = this.#root;
    for (const name of filter.split("/")) {
      at = at.next.get(name);
      if (at === undefined) return [];
    }
    return [...at.values];
  }

  /** The values of all filters that match a topic name; a value that is there under several filters comes several times. */
  match(name: string): T[] {
    const found: T[] = [];
    const names = name.split("/");
    const system = name.startsWith("$");
    let reached: Level<T>[] = [this.#root];
    for (let i = 0; i < names.length && reached.length > 0; i++) {
      const wildcards = i > 0 || !system;
      const deeper: Level<T>[] = [];
      for (const { next } of reached) {
        if (wildcards) {
          collect(next.get("#"), found);
          const any = next.get("+");
          if (any !== undefined) deeper.push(any);
        }
        const exact = next.get(names[i]!);
        if (exact !== undefined) deeper.push(exact);
      }
      reached = deeper;
    }
    for (const end of reached) {
      collect(end, found);
      collect(end.next.get("#"), found);
    }
    return found;
  }
}

function level<T>(): Level<T> {
  return { next: new Map(), values: new Set() };
}

function collect<T>(from: Level<T> | undefined, into: T[]): void {
  if (from !== undefined) for (const value of from.values) into.push(value);
}
