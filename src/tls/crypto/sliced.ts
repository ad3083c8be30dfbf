/**
 * The base of the long computations here: a task that advances by small indivisible operations.
 *
 * What a unit is: `src/task.ts`. The costs of operations (`…_UNITS`, `multiplicationUnits`) are proportions as interpreters
 * on small devices have them, where slicing matters; a compiling engine is faster at hashing and ciphers than they say.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import type { Task } from "../../task.ts";

/** A task whose subclass says what one indivisible operation is. */
export abstract class Sliced<T> implements Task<T> {
  #spent = 0;
  #done = false;
  #result: T | undefined;

  get spent(): number {
    return this.#spent;
  }

  get result(): T {
    if (!this.#done) throw new UsageError("USAGE_WRONG_STATE", "the result of a task that is not done");
    return this.#result as T;
  }

  step(units: number): boolean {
    const limit = this.#spent + units;
    do {
      if (this.#done) return true;
      this.#spent += this.advance();
    } while (this.#spent < limit);
    return this.#done;
  }

  /** Does one indivisible operation and returns its units; the last one calls {@link complete}. */
  protected abstract advance(): number;

  protected complete(result: T): void {
    this.#result = result;
    this.#done = true;
  }

  /** Advances another task by its smallest operation. For a task that is made of others; true when the other is done. */
  protected delegate(task: Task<unknown>): { readonly done: boolean; readonly units: number } {
    const before = task.spent;
    const done = task.step(1);
    return { done, units: task.spent - before };
  }
}
