/**
 * Counts the bytes of typed arrays that a program makes, on any engine: their constructors are replaced while it runs.
 *
 * @module
 */

const NAMES = ["ArrayBuffer", "Uint8Array", "Int8Array", "Int32Array", "Uint32Array", "Float64Array"] as const;

type Constructor = new (...words: never[]) => { readonly byteLength: number };

/** Runs `program` and returns how many bytes it allocated: new arrays, and copies by `slice`. Views of what is there are none. */
export function countBytes(program: () => void): number {
  let bytes = 0;
  const globals = globalThis as unknown as Record<string, Constructor>;
  const originals = NAMES.map((name) => globals[name]!);
  const prototype = Object.getPrototypeOf(Uint8Array.prototype) as { slice: (...range: number[]) => Uint8Array };
  const { slice } = prototype;
  prototype.slice = function (this: Uint8Array, ...range: number[]) {
    const copy = slice.apply(this, range);
    bytes += copy.byteLength;
    return copy;
  };
  for (const [i, name] of NAMES.entries())
    globals[name] = new Proxy(originals[i]!, {
      construct(target, words: unknown[], newTarget) {
        const made = Reflect.construct(target, words, newTarget) as { readonly byteLength: number };
        if (!(words[0] instanceof originals[0]!)) bytes += made.byteLength;
        return made;
      },
    });
  try {
    program();
  } finally {
    prototype.slice = slice;
    for (const [i, name] of NAMES.entries()) globals[name] = originals[i]!;
  }
  return bytes;
}
