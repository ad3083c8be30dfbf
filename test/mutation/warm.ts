/**
 * What `test/mutation/runner.ts` gives the tests in place of `vitest`: it only collects them, so that they can be run again and again
 * in one warm process. `expect` is vitest's own. Holds what the tests of TLS use and no more: another function of vitest is missing
 * at once, when the tests are bundled.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";

/** A test of the suite. */
export interface Test {
  /** `<file>#<titles>`, unlike any other. */
  readonly id: string;
  /** Throws, or rejects, where the test fails. */
  run(): unknown;
}

type Body = (...row: unknown[]) => unknown;
type Declare = (title: string, ...rest: unknown[]) => void;

const bodyOf = (rest: readonly unknown[]): Body => rest.find((one) => typeof one === "function") as Body;

/** Collects the tests of the files that are loaded while it is the one in `globalThis.thingwireCollector`. */
export class Collector {
  readonly tests: Test[] = [];
  /** The file whose tests are declared now. */
  file = "";
  #titles: string[] = [];
  #after: Body[] = [];
  readonly #ids = new Map<string, number>();

  describe(title: string, body: Body, row: readonly unknown[]): void {
    const after = this.#after;
    this.#after = [...after];
    this.#titles.push(title);
    body(...row);
    this.#titles.pop();
    this.#after = after;
  }

  it(title: string, body: Body, row: readonly unknown[]): void {
    const { file } = this;
    const name = `${file}#${[...this.#titles, title].join(" ")}`;
    const count = this.#ids.get(name) ?? 0;
    this.#ids.set(name, count + 1);
    const after = this.#after;
    const run = async () => {
      this.file = file;
      try {
        await body(...row);
      } finally {
        for (const undo of after) await undo();
      }
    };
    this.tests.push({ id: count === 0 ? name : `${name} (${count + 1})`, run });
  }

  afterEach(body: Body): void {
    this.#after.push(body);
  }
}

/** The collector of now: a bundle of the tests has its own copy of this module. */
const collector = (): Collector => (globalThis as unknown as { thingwireCollector: Collector }).thingwireCollector;

function declaring(declare: (title: string, body: Body, row: readonly unknown[]) => void) {
  const each =
    (table: readonly unknown[]): Declare =>
    (title, ...rest) => {
      table.forEach((row, i) => {
        declare(`${title} (row ${i})`, bodyOf(rest), Array.isArray(row) ? row : [row]);
      });
    };
  const single: Declare = (title, ...rest) => declare(title, bodyOf(rest), []);
  return Object.assign(single, { each });
}

export const describe = declaring((title, body, row) => collector().describe(title, body, row));
export const it = declaring((title, body, row) => collector().it(title, body, row));
export const afterEach = (body: Body): void => collector().afterEach(body);

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
chai.use(({ Assertion }, { addMethod }) => {
  addMethod(Assertion.prototype, "toMatchFileSnapshot", function (this: { _obj: unknown }, name: string) {
    chai.expect(this._obj).equal(readFileSync(join(dirname(collector().file), name), "utf8"));
  });
});
export const expect = chai.expect;
