/**
 * Text with wildcards and variables, as policies have it: `*` is any characters (across `/` too), `?` is one, `${name}` is replaced when
 * a request is judged, and `${*}`, `${?}`, `${$}` are the characters themselves. What a variable stands for never acts as a wildcard.
 *
 * Left out on purpose: default values of variables (`${name, 'x'}`), which AWS IoT does not document; they count as unknown names.
 *
 * @module
 */

/** UTF-16 code units, or {@link ANY} or {@link ONE}. */
export type Codes = readonly number[];

/** `*`: any characters, or none. */
export const ANY = -1;
/** `?`: one character. */
export const ONE = -2;

/** A text with its variables still in it. */
export interface Template {
  /** As it was written. */
  readonly source: string;
  readonly parts: readonly (Codes | Variable)[];
}

/** `${name}`. */
export interface Variable {
  readonly variable: string;
}

/** What a variable stands for; `undefined` where it has no value. */
export type Lookup = (variable: string) => string | undefined;

/** Reads a text. A `${` that is never closed is plain text, and so is every variable where `variables` is false. */
export function compileTemplate(source: string, variables: boolean): Template {
  const parts: (Codes | Variable)[] = [];
  let codes: number[] = [];
  for (let i = 0; i < source.length; i++) {
    const end = variables && source.startsWith("${", i) ? source.indexOf("}", i) : -1;
    if (end < 0) {
      codes.push(codeAt(source, i));
      continue;
    }
    const name = source.slice(i + 2, end);
    if (name === "*" || name === "?" || name === "$") codes.push(name.charCodeAt(0));
    else {
      if (codes.length > 0) parts.push(codes);
      codes = [];
      parts.push({ variable: name });
    }
    i = end;
  }
  if (codes.length > 0 || parts.length === 0) parts.push(codes);
  return { source, parts };
}

/** Reads a text with wildcards and without variables. */
export function compilePattern(source: string): Codes {
  return compileTemplate(source, false).parts[0] as Codes;
}

function codeAt(source: string, i: number): number {
  const unit = source.charCodeAt(i);
  return unit === 0x2a ? ANY : unit === 0x3f ? ONE : unit;
}

/** Whether a part of a template is a variable. */
export function isVariable(part: Codes | Variable): part is Variable {
  return "variable" in part;
}

/** Replaces the variables; `undefined` where one of them has no value. */
export function instantiate(template: Template, lookup: Lookup): Codes | undefined {
  const only = template.parts[0]!;
  if (template.parts.length === 1 && !isVariable(only)) return only;
  const codes: number[] = [];
  for (const part of template.parts) {
    if (!isVariable(part)) {
      for (const code of part) codes.push(code);
      continue;
    }
    const value = lookup(part.variable);
    if (value === undefined) return undefined;
    for (let i = 0; i < value.length; i++) codes.push(value.charCodeAt(i));
  }
  return codes;
}

/** The text of a pattern where wildcards mean nothing: `*` is an asterisk. */
export function plainText(codes: Codes): string {
  let text = "";
  for (const code of codes) text += code === ANY ? "*" : code === ONE ? "?" : String.fromCharCode(code);
  return text;
}

/**
 * Whether a pattern matches the whole of a text. At most `text.length` times `pattern.length` steps: on a mismatch only the last `*` takes
 * one character more.
 */
export function matchesPattern(pattern: Codes, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let starEnd = 0;
  while (t < text.length) {
    const code = pattern[p];
    if (code === text.charCodeAt(t)) {
      p++;
      t++;
    } else if (code === ONE) {
      p++;
      t += text.codePointAt(t)! > 0xffff ? 2 : 1;
    } else if (code === ANY) {
      star = p++;
      starEnd = t;
    } else if (star >= 0) {
      p = star + 1;
      t = ++starEnd;
    } else return false;
  }
  while (pattern[p] === ANY) p++;
  return p === pattern.length;
}
