/**
 * The tests that `npm run mutate` runs on each mutant: those of the TLS protocol in one process, the ones that kill most and fastest
 * first. Left out: what takes seconds or a socket and proves the same as the rest, on other suites or against other peers.
 *
 * @module
 */

import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const FIRST = [
  "client",
  "server",
  "session",
  "fragments",
  "server-clients",
  "server-deviations",
  "deviations",
  "resumption",
];

function rank({ moduleId }: TestSpecification): number {
  const at = FIRST.findIndex((name) => moduleId.endsWith(`/unit/tls/${name}.test.ts`));
  return at < 0 ? FIRST.length : at;
}

class CheapFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...files].sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ["test/unit/tls/*.test.ts", "test/property/tls/messages.test.ts"],
    exclude: ["test/unit/tls/{suite-matrix,handshake-cost,node-server,resumption-node}.test.ts"],
    isolate: false,
    pool: "threads",
    testTimeout: 60_000,
    sequence: { sequencer: CheapFirst },
  },
});
