import { defineConfig } from "vitest/config";

const alias = {
  "thingwire/tls/x509": new URL("./src/tls/x509/index.ts", import.meta.url).pathname,
  "thingwire/tls/crypto": new URL("./src/tls/crypto/index.ts", import.meta.url).pathname,
  "thingwire/tls": new URL("./src/tls/index.ts", import.meta.url).pathname,
  "thingwire/mqtt": new URL("./src/mqtt/index.ts", import.meta.url).pathname,
  "thingwire/shadow": new URL("./src/shadow/index.ts", import.meta.url).pathname,
  "thingwire/transport": new URL("./src/transport/index.ts", import.meta.url).pathname,
  "thingwire/node": new URL("./src/runtime/node.ts", import.meta.url).pathname,
  "thingwire/simulator/node": new URL("./src/simulator/node/index.ts", import.meta.url).pathname,
  "thingwire/simulator": new URL("./src/simulator/index.ts", import.meta.url).pathname,
  "thingwire/testing": new URL("./src/testing/index.ts", import.meta.url).pathname,
};

/** The deep tier runs each property a hundred times as often. */
const deep = process.env["THINGWIRE_DEEP"] === "1";

export default defineConfig({
  resolve: { alias },
  test: {
    // Both cores of a small machine; by default one is left out.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "fast",
          include: ["test/{unit,property,vectors,arch}/**/*.test.ts"],
          // Nothing here keeps state in modules (test/arch holds it), so files share a process: half of the time was loading them anew.
          isolate: false,
          testTimeout: deep ? 3_600_000 : 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "interop",
          include: ["test/interop/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: { name: "engines", include: ["test/engines/*.test.ts"], testTimeout: 300_000, hookTimeout: 300_000 },
      },
    ],
  },
});
