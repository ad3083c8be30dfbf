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
  /** Whether the task that {@link delegate} advanced last is done. */
  protected delegateDone = false;

  get spent(): number {
    return this.#spent;
  }

  get result(): T {
    if (!this.#done) throw new UsageError("USAGE_WRONG_STATE", "the result of a task that is not done");
    return this.#result as T;
  }

  step(units: number): boolean {
    if (this.#done) return true;
    let spent = 0;
    do spent += this.advance();
    while (spent < units && !this.#done);
    this.#spent += spent;
    return this.#done;
  }

  /** Does one indivisible operation and returns its units; the last one calls {@link complete}. */
  protected abstract advance(): number;

  protected complete(result: T): void {
    this.#result = result;
    this.#done = true;
  }

  /**
   * Advances another task by its smallest operation, for a task that is made of others. Returns its units; afterwards
   * {@link delegateDone} says whether it is done.
   */
  protected delegate(task: Task<unknown>): number {
    const before = task.spent;
    this.delegateDone = task.step(1);
    return task.spent - before;
  }
}
