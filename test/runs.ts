/** How many runs a property gets: the given count, and a hundred times that in the deep tier (`npm run test:deep`). */
export function runs(count: number): { numRuns: number; seed?: number } {
  return { numRuns: process.env["THINGWIRE_DEEP"] === "1" ? count * 100 : count };
}
