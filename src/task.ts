/**
 * Tasks: long computations in steps, so that a device can tend its watchdog and timers between them. No generators, no promises.
 *
 * One unit is about one P-256 field multiplication. A step does at least one indivisible operation, however small the
 * budget, so that a budget of 1 works; the indivisible operations are small, and `spent` tells what was really used.
 *
 * @module
 */

/** A computation in steps. */
export interface Task<T> {
  /** Computes for about `units` units. True when `result` is there. Throws only this library's errors, and then is dead. */
  step(units: number): boolean;
  /** Units computed since the task was made (or last restarted). */
  readonly spent: number;
  /** What came out. Only after `step` has returned true. */
  readonly result: T;
}

/** Runs a task to its end at once. For tests, tools and computers that have nothing else to do. */
export function finish<T>(task: Task<T>): T {
  while (!task.step(Number.MAX_SAFE_INTEGER));
  return task.result;
}

/** A task that is done already. */
export function done<T>(result: T): Task<T> {
  return { step: () => true, spent: 0, result };
}

/** Goes on with another task made out of the first one's result. (Not `then`: a module with that name is a thenable, and `import()` hangs.) */
export function chain<A, B>(first: Task<A>, next: (result: A) => Task<B>): Task<B> {
  return new Sequence(first, next);
}

/** Transforms the result, in no time worth counting. */
export function map<A, B>(task: Task<A>, transform: (result: A) => B): Task<B> {
  return new Sequence(task, (result) => done(transform(result)));
}

/** Runs tasks one after another, each made when the one before it is done, until `next` gives none. */
export function series(next: () => Task<unknown> | undefined): Task<void> {
  return new Series(next);
}

class Series implements Task<void> {
  readonly #next: () => Task<unknown> | undefined;
  #current: Task<unknown> | undefined;
  #spent = 0;

  constructor(next: () => Task<unknown> | undefined) {
    this.#next = next;
  }

  get spent(): number {
    return this.#spent + (this.#current?.spent ?? 0);
  }

  get result(): undefined {
    return undefined;
  }

  step(units: number): boolean {
    const until = this.spent + units;
    do {
      this.#current ??= this.#next();
      if (this.#current === undefined) return true;
      if (this.#current.step(Math.max(until - this.spent, 1))) {
        this.#spent += this.#current.spent;
        this.#current = undefined;
      }
    } while (this.spent < until);
    return false;
  }
}

class Sequence<A, B> implements Task<B> {
  #first: Task<A> | undefined;
  #firstSpent = 0;
  readonly #next: (result: A) => Task<B>;
  #second: Task<B> | undefined;

  constructor(first: Task<A>, next: (result: A) => Task<B>) {
    this.#first = first;
    this.#next = next;
  }

  get spent(): number {
    return this.#firstSpent + (this.#first?.spent ?? 0) + (this.#second?.spent ?? 0);
  }

  get result(): B {
    return this.#second!.result;
  }

  step(units: number): boolean {
    let left = units;
    if (this.#first !== undefined) {
      const before = this.#first.spent;
      if (!this.#first.step(left)) return false;
      left -= this.#first.spent - before;
      this.#second = this.#next(this.#first.result);
      this.#firstSpent = this.#first.spent;
      this.#first = undefined;
    }
    return this.#second!.step(Math.max(left, 0));
  }
}
