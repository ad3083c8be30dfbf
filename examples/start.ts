/** `npm start`: runs both examples. `npm start -- --help` lists the options. */

import { fileURLToPath } from "node:url";
import { run } from "./run.ts";

process.exitCode = await run(process.argv.slice(2), process.stdout, {
  certs: fileURLToPath(new URL("certs", import.meta.url)),
  dir: ".thingwire",
  pauseMs: 1_000,
});
