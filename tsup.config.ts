import { basename } from "node:path";
import { transform } from "esbuild";
import { defineConfig, type Options } from "tsup";

/** What is built: a bundle for each subpath of the package, and the command. */
export const entry: Record<string, string> = {
  index: "src/index.ts",
  tls: "src/tls/index.ts",
  x509: "src/tls/x509/index.ts",
  crypto: "src/tls/crypto/index.ts",
  mqtt: "src/mqtt/index.ts",
  shadow: "src/shadow/index.ts",
  transport: "src/transport/index.ts",
  node: "src/runtime/node.ts",
  simulator: "src/simulator/index.ts",
  "simulator-node": "src/simulator/node/index.ts",
  testing: "src/testing/index.ts",
  cli: "src/cli/main.ts",
};

const external = [/^node:/, "fast-check"];

const bundles: Options = {
  entry,
  external,
  format: "esm",
  target: "es2022",
  platform: "neutral",
  // Shared chunks, so that a class imported through two subpaths is one class.
  splitting: true,
  sourcemap: true,
};

const declarations: Options = {
  entry,
  external,
  format: ["esm", "cjs"],
  dts: {
    only: true,
    compilerOptions: {
      ignoreDeprecations: "6.0",
      lib: ["es2022", "esnext.disposable"],
      types: ["node"],
    },
  },
};

/**
 * Makes CommonJS of a chunk. tsup's own way, sucrase, takes `this.#name = …` in a class for an assignment to the export `name`, where a
 * chunk has one, and overwrites it; it lowers `?.` and `??` into calls, and leaves the folder of the build in source maps.
 */
const commonJs: NonNullable<Options["plugins"]>[number] = {
  name: "commonjs-by-esbuild",
  async renderChunk(code, info) {
    if (info.type !== "chunk") return undefined;
    const before = Buffer.from(String(info.map)).toString("base64");
    const result = await transform(`${code}\n//# sourceMappingURL=data:application/json;base64,${before}`, {
      format: "cjs",
      target: "es2022",
      platform: "node",
      sourcemap: "external",
      sourcefile: basename(info.path),
      banner: '"use strict";',
    });
    // esbuild has followed the map of what it read, so that this one leads to the sources.
    info.map = result.map;
    return { code: result.code };
  },
};

// `npm pack` runs `prepack`, which makes the declarations, before `prepare`, which must not remove them. The builds run side by side: none
// removes what another writes.
export default defineConfig(({ dts }) => [
  { ...bundles, clean: ["!**/*.d.ts", "!**/*.d.cts", "!**/*.cjs", "!**/*.cjs.map"] },
  {
    ...bundles,
    clean: ["!**/*.d.ts", "!**/*.d.cts", "!**/*.js", "!**/*.js.map"],
    outExtension: () => ({ js: ".cjs" }),
    plugins: [commonJs],
  },
  ...(dts === false ? [] : [declarations]),
]);
