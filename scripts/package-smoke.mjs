/**
 * Uses a packed package as a stranger would: unpacks it into an empty project, and follows a shadow from an ES module and from CommonJS.
 * Usage: node scripts/package-smoke.mjs FILE.tgz
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";

const tarball = resolve(process.argv[2]);
const project = mkdtempSync(join(tmpdir(), "thingwire-package-"));
const installed = join(project, "node_modules", "thingwire");

const app = `
const cloud = await simulate();
const thing = await connectThing(await cloud.createThing("lamp"));
thing.shadow().onDelta((delta) => delta);
await cloud.shadow("lamp").desire({ powerOn: true });
for (let i = 0; i < 100 && cloud.shadow("lamp").get()?.state.reported?.powerOn !== true; i++) await new Promise((r) => setTimeout(r, 20));
if (cloud.shadow("lamp").get().state.reported.powerOn !== true) throw new Error("the shadow does not converge");
if (!isThingwireError(new MqttError("MQTT_CLOSED"))) throw new Error("the brand is lost between entry points");
await thing.close();
const again = await connectThing(await cloud.createThing("again"));
await again.close();
await cloud.close();
`;
const names = [
  ["thingwire/node", "connectThing, isThingwireError"],
  ["thingwire/simulator/node", "simulate"],
  ["thingwire/mqtt", "MqttError"],
];

try {
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
  writeFileSync(
    join(project, "app.mjs"),
    `${names.map(([from, what]) => `import { ${what} } from "${from}";`).join("\n")}${app}`,
  );
  writeFileSync(
    join(project, "app.cjs"),
    `${names.map(([from, what]) => `const { ${what} } = require("${from}");`).join("\n")}\n(async () => {${app}})();`,
  );
  for (const file of ["app.mjs", "app.cjs"])
    execFileSync(process.execPath, [file], { cwd: project, stdio: "inherit", timeout: 20_000 });
  const { exports } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  // fast-check, which testing needs, is not installed here.
  const entries = Object.keys(exports).filter((name) => name !== "./testing" && name !== "./package.json");
  for (const entry of entries) {
    const specifier = `thingwire${entry.slice(1)}`;
    execFileSync(process.execPath, ["--input-type=module", "-e", `await import("${specifier}")`], {
      cwd: project,
      timeout: 20_000,
    });
    execFileSync(process.execPath, ["-e", `require("${specifier}")`], { cwd: project, timeout: 20_000 });
  }
  execFileSync(process.execPath, [join(installed, "dist", "cli.js"), "--help"], { cwd: project, timeout: 20_000 });
  process.stdout.write(`${entries.length} entry points load as ES modules and CommonJS; the app runs in both\n`);
} finally {
  rmSync(project, { recursive: true, force: true });
}
