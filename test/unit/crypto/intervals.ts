/**
 * The limb code run on intervals: each method of `p256-limbs.ts` is read as source and computed with all values that a limb can have at once.
 * Whatever leaves the range in which doubles are exact integers throws, so that no input of any size can.
 */

import { readFileSync } from "node:fs";
import ts from "typescript";
import type { Task } from "../../../src/task.ts";
import type { Field } from "../../../src/tls/crypto/field.ts";

/** All integers from `low` to `high`. `roundOf` is the value that this one was rounded from, to a multiple of 2^24. */
export interface Interval {
  readonly low: bigint;
  readonly high: bigint;
  readonly roundOf?: Interval;
}

export type IntervalCell = Interval[];

type Value = Interval | "ROUND" | "CARRY" | { readonly pending: Interval };

const EXACT = 1n << 53n;
const HALF = 1n << 23n;
const CONSTANTS: Record<string, Value> = {
  ROUND: "ROUND",
  CARRY: "CARRY",
  SHIFT8: exactly(1n << 8n),
  SHIFT16: exactly(1n << 16n),
};

export function exactly(value: bigint): Interval {
  return { low: value, high: value };
}

export function upTo(bound: bigint): Interval {
  return { low: -bound, high: bound };
}

/** The last limb of a product. */
export const FRESH = 1n << 18n;
/** The last limb of a reduced cell: a product, or one less three others, as coordinates are. */
export const REDUCED = 1n << 19n;

/** A cell whose last limb may have any value up to `last`: what is true of the outputs if it is true of the inputs is a proof. */
export function cell(last: bigint): IntervalCell {
  return Array.from({ length: 11 }, (_, i) => upTo(i < 10 ? HALF : last));
}

function within(value: Interval, bound: bigint): boolean {
  return value.low >= -bound && value.high <= bound;
}

export function isWithin(value: IntervalCell, last: bigint): boolean {
  return cell(last).every((limit, i) => within(value[i]!, limit.high));
}

function isInterval(value: Value): value is Interval {
  return typeof value === "object" && "low" in value;
}

function checked(low: bigint, high: bigint): Interval {
  if (low < -EXACT || high > EXACT) throw new RangeError(`${low} to ${high} is not exact`);
  return { low, high };
}

function roundedTo(value: bigint): bigint {
  return ((value + HALF) >> 24n) << 24n;
}

function binary(operator: string, a: Value, b: Value): Value {
  if (operator === "+" && isInterval(a) && b === "ROUND") return { pending: a };
  if (operator === "-" && typeof a === "object" && "pending" in a && b === "ROUND") {
    // A tie may go either way.
    const { low, high } = a.pending;
    return { low: roundedTo(low) - (1n << 24n), high: roundedTo(high) + (1n << 24n), roundOf: a.pending };
  }
  if (operator === "*" && b === "CARRY" && isInterval(a)) {
    if (a.roundOf === undefined) throw new RangeError("a carry that is no integer");
    return { low: a.low >> 24n, high: a.high >> 24n };
  }
  if (!isInterval(a) || !isInterval(b)) throw new RangeError(`${operator} on what is not understood`);
  if (operator === "-" && b.roundOf === a) return upTo(HALF);
  if (operator === "+") return checked(a.low + b.low, a.high + b.high);
  if (operator === "-") return checked(a.low - b.high, a.high - b.low);
  if (operator !== "*") throw new RangeError(`operator ${operator}`);
  const products = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
  const compare = (x: bigint, y: bigint) => (x < y ? -1 : x > y ? 1 : 0);
  products.sort(compare);
  return checked(products[0]!, products[3]!);
}

/** The field of `p256-limbs.ts` on intervals, out of its source. */
export class IntervalField implements Field<IntervalCell> {
  readonly modulus = 0n;
  readonly units = 1;
  readonly uniform = true;
  /** Answers of `isZero`, in turn; false when they have run out. */
  readonly zeros: boolean[] = [];
  readonly #methods = new Map<string, ts.MethodDeclaration>();
  readonly #own: Record<string, IntervalCell> = {
    "#zero": this.zero(),
    "#product": this.zero(),
  };

  constructor(change: (source: string) => string = (source) => source) {
    const source = change(readFileSync(new URL("../../../src/tls/crypto/p256-limbs.ts", import.meta.url), "utf8"));
    const file = ts.createSourceFile("p256-limbs.ts", source, ts.ScriptTarget.ES2022, true);
    for (const statement of file.statements)
      if (ts.isClassDeclaration(statement))
        for (const member of statement.members)
          if (ts.isMethodDeclaration(member)) this.#methods.set(member.name.getText(), member);
  }

  zero(): IntervalCell {
    return Array.from({ length: 11 }, () => exactly(0n));
  }

  /** Any integer of the field. */
  element(): IntervalCell {
    return cell(FRESH);
  }

  integer(): bigint {
    throw new TypeError("an interval is no integer");
  }

  inverse(): Task<bigint | undefined> {
    throw new TypeError("an interval has no inverse");
  }

  copy(out: IntervalCell, a: IntervalCell): void {
    a.forEach((limb, i) => void (out[i] = limb));
  }

  select(): void {
    throw new TypeError("not needed");
  }

  choose(): void {
    throw new TypeError("not needed");
  }

  negateWhen(): void {
    throw new TypeError("not needed");
  }

  isZero(a: IntervalCell): boolean {
    // A reduced cell, or the difference of two.
    if (!isWithin(a, 2n * REDUCED)) throw new RangeError("isZero of what is not reduced");
    return this.zeros.shift() ?? false;
  }

  add(...cells: IntervalCell[]): void {
    this.#run("add", cells);
  }

  subtract(...cells: IntervalCell[]): void {
    this.#run("subtract", cells);
  }

  multiply(...cells: IntervalCell[]): void {
    this.#run("multiply", cells);
  }

  square(...cells: IntervalCell[]): void {
    this.#run("square", cells);
  }

  multiplySubtract(...cells: IntervalCell[]): void {
    this.#run("multiplySubtract", cells);
  }

  squareSubtract(...cells: IntervalCell[]): void {
    this.#run("squareSubtract", cells);
  }

  multiplyTwiceSubtract(...cells: IntervalCell[]): void {
    this.#run("multiplyTwiceSubtract", cells);
  }

  #run(name: string, cells: readonly IntervalCell[]): void {
    const method = this.#methods.get(name)!;
    const variables = new Map<string, Value | IntervalCell>(Object.entries(CONSTANTS));
    method.parameters.forEach((parameter, i) => void variables.set(parameter.name.getText(), cells[i]!));
    for (const statement of method.body!.statements) this.#execute(statement, variables);
  }

  #execute(statement: ts.Statement, variables: Map<string, Value | IntervalCell>): void {
    if (ts.isVariableStatement(statement)) {
      for (const { name, initializer } of statement.declarationList.declarations)
        variables.set(name.getText(), this.#value(initializer!, variables));
      return;
    }
    if (!ts.isExpressionStatement(statement)) throw new SyntaxError(statement.getText());
    const { expression } = statement;
    if (ts.isCallExpression(expression) && ts.isPropertyAccessExpression(expression.expression)) {
      const cells = expression.arguments.map((argument) => this.#cell(argument, variables));
      this.#run(expression.expression.name.getText(), cells);
      return;
    }
    if (!ts.isBinaryExpression(expression) || expression.operatorToken.kind !== ts.SyntaxKind.EqualsToken)
      throw new SyntaxError(statement.getText());
    const value = this.#value(expression.right, variables);
    if (ts.isIdentifier(expression.left)) variables.set(expression.left.text, value);
    else if (ts.isElementAccessExpression(expression.left))
      this.#cell(expression.left.expression, variables)[Number(expression.left.argumentExpression.getText())] =
        value as Interval;
    else throw new SyntaxError(statement.getText());
  }

  #cell(node: ts.Expression, variables: Map<string, Value | IntervalCell>): IntervalCell {
    const found = ts.isPropertyAccessExpression(node) ? this.#own[node.name.getText()] : variables.get(node.getText());
    if (!Array.isArray(found)) throw new SyntaxError(node.getText());
    return found;
  }

  #value(node: ts.Expression, variables: Map<string, Value | IntervalCell>): Value {
    if (ts.isNonNullExpression(node) || ts.isParenthesizedExpression(node))
      return this.#value(node.expression, variables);
    if (ts.isElementAccessExpression(node))
      return this.#cell(node.expression, variables)[Number(node.argumentExpression.getText())]!;
    if (ts.isBinaryExpression(node))
      return binary(
        node.operatorToken.getText(),
        this.#value(node.left, variables),
        this.#value(node.right, variables),
      );
    const value = variables.get(node.getText());
    if (value === undefined || Array.isArray(value)) throw new SyntaxError(node.getText());
    return value;
  }
}
