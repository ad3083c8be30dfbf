import { defineConfig } from "tsup";

export default defineConfig({
  entry: {
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
  },
  format: ["esm", "cjs"],
  target: "es2022",
  platform: "neutral",
  external: [/^node:/, "fast-check"],
  // Shared chunks, so that a class imported through two subpaths is one class.
  splitting: true,
  sourcemap: true,
  // `npm pack` runs `prepack`, which makes the declarations, before `prepare`, which must not remove them.
  clean: ["!**/*.d.ts", "!**/*.d.cts"],
  dts: {
    compilerOptions: {
      ignoreDeprecations: "6.0",
      lib: ["es2022", "esnext.disposable"],
      types: ["node"],
    },
  },
});
