/** The files of C2SP/wycheproof as these suites read them. */

import { loadVectors } from "../vectors.ts";

export interface Case {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: "valid" | "invalid" | "acceptable";
  /** All other members are hexadecimal. */
  readonly [member: string]: unknown;
}

export interface Group {
  readonly tests: readonly Case[];
  readonly [member: string]: unknown;
}

export interface Counts {
  valid: number;
  invalid: number;
  acceptable: number;
}

/** Runs all cases of a file, and counts them by the result that the file says. */
export function eachCase(file: string, run: (test: Case, group: Group) => void): Counts {
  const { numberOfTests, testGroups } = loadVectors(`wycheproof/${file}_test.json.gz`) as {
    numberOfTests: number;
    testGroups: Group[];
  };
  const counts = { valid: 0, invalid: 0, acceptable: 0 };
  for (const group of testGroups) {
    for (const test of group.tests) {
      counts[test.result]++;
      try {
        run(test, group);
      } catch (error) {
        throw new Error(`${file} ${test.tcId} (${test.comment})`, { cause: error });
      }
    }
  }
  if (counts.valid + counts.invalid + counts.acceptable !== numberOfTests)
    throw new Error(`${file}: cases are missing`);
  return counts;
}

export function hex(value: unknown): Uint8Array {
  if (typeof value !== "string") throw new TypeError("not a hexadecimal member");
  return new Uint8Array(Buffer.from(value, "hex"));
}

/** An integer of the file, which may have a zero in front, as our keys have it. */
export function integer(value: unknown): Uint8Array {
  const bytes = hex(value);
  let zeros = 0;
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++;
  return bytes.subarray(zeros);
}
