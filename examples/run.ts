/** Both examples, one after the other, against the local endpoint or another one. */

import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type ConnectThingOptions,
  connectThing,
  consoleLogger,
  isThingwireError,
  type Logger,
  mbedtlsDebugLevel,
  readCredentials,
  readTrust,
} from "thingwire/node";
import { ShadowService } from "thingwire/shadow";
import { attachShadowService, type LocalEndpoint } from "thingwire/simulator/node";
import { startLocal } from "./local-endpoint.ts";
import { type Output, type Report, report } from "./report.ts";
import { HELP, readSettings, type Settings, SettingsError } from "./settings.ts";
import { subscribePublish } from "./subscribe-publish/subscribe-publish.ts";
import { App, type AppDocument } from "./thing-shadow/app.ts";
import { type Room, thingShadow } from "./thing-shadow/thing-shadow.ts";

/** Where things lie and how fast it runs: tests use other folders and shorter pauses. */
export interface Surroundings {
  readonly certs: string;
  readonly dir: string;
  readonly pauseMs: number;
}

/** Runs what the arguments say and returns the exit code: 0, or 1 where anything failed, or 2 for arguments that make no sense. */
export async function run(args: readonly string[], output: Output, around: Surroundings): Promise<number> {
  const out = report(output);
  const closers: (() => Promise<void>)[] = [];
  try {
    const settings = readSettings(args);
    if (settings === undefined) out.line(HELP);
    else await runExamples(settings, out, around, closers);
    return 0;
  } catch (error) {
    printFailure(error, out);
    return error instanceof SettingsError ? 2 : 1;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function runExamples(
  settings: Settings,
  out: Report,
  around: Surroundings,
  closers: (() => Promise<void>)[],
): Promise<void> {
  const started = performance.now();
  let local: LocalEndpoint | undefined;
  if (settings.endpoint === undefined) {
    local = await startLocal({ dir: around.dir, certs: around.certs, thing: settings.thing });
    closers.push(local.close);
    out.title(`Local AWS IoT endpoint on ${local.host}:${local.port}, thing ${local.thingName}`);
    out.line(
      `  ${local.folder.created ? "new" : "kept"} CA and certificates in ${around.dir}, embedded in ${relative(".", join(around.certs, "credentials.js"))}`,
    );
  }
  const device = await deviceOptions(settings, local, around.certs);
  const { rounds, only } = settings;
  const { pauseMs } = around;
  const log = (line: string): void => out.log(line);
  // The first handshake is shown in full; the others are alike.
  let shown = false;
  const secured: Pick<ConnectThingOptions, "onSecured" | "onNativeSecured"> = {
    onSecured: (info) => {
      if (!shown) out.handshake(info);
      shown = true;
    },
    onNativeSecured: (info) => {
      if (!shown) out.native(info);
      shown = true;
    },
  };

  if (only !== "thing-shadow") {
    out.title(`subscribe-publish: ${rounds} rounds`);
    await subscribePublish({ device: { ...device, ...secured }, rounds, pauseMs, log });
  }
  if (only !== "subscribe-publish") {
    if (settings.shadowService) closers.push(await attachOwnService(device, out));
    out.title(`thing-shadow: ${rounds} rounds`);
    let app: App | undefined;
    const askForWindow = async (windowOpen: boolean): Promise<void> => {
      app = await App.connect(device, log);
      closers.push(() => app!.close());
      await app.askForWindow(windowOpen);
    };
    const room = await thingShadow({ device: { ...device, ...secured }, rounds, pauseMs, log, askForWindow });
    await checkConvergence(app!, room, out);
  }
  out.good(`\n${only ?? "Both examples"} ran in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
}

async function deviceOptions(
  settings: Settings,
  local: LocalEndpoint | undefined,
  certs: string,
): Promise<ConnectThingOptions> {
  const { cert, key, ca } = settings;
  const credentials =
    cert === undefined || key === undefined
      ? { ...(await embedded(certs)), ...(ca === undefined ? {} : { trust: readTrust(ca) }) }
      : readCredentials({ certificate: cert, privateKey: key, ca });
  return {
    endpoint: settings.endpoint ?? local!.host,
    port: local?.port ?? settings.port,
    thingName: settings.thing,
    ...credentials,
    ...(local === undefined ? {} : { trust: local.folder.caPem }),
    tls: settings.tls,
    log: loggerFor(settings.debug),
  };
}

/** The module that `npx thingwire embed` wrote. */
async function embedded(certs: string): Promise<{ certificate: readonly Uint8Array[]; privateKey: Uint8Array }> {
  const file = join(certs, "credentials.js");
  try {
    const module: typeof import("./certs/credentials.js") = await import(`${pathToFileURL(file)}?${Date.now()}`);
    return { certificate: module.certificates, privateKey: module.privateKey };
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Error(
      `there is no ${file}: put client.crt and client.key there and run \`npx thingwire embed\`, or pass --cert and --key`,
    );
  }
}

/** A broker without a shadow service gets ours, as one more client. */
async function attachOwnService(device: ConnectThingOptions, out: Report): Promise<() => Promise<void>> {
  const connection = await connectThing({ ...device, clientId: `${device.thingName}-shadow-service` });
  await attachShadowService(connection.mqtt, new ShadowService({ now: () => Date.now() / 1000 }));
  out.line(`  our shadow service is attached as ${device.thingName}-shadow-service`);
  return () => connection.close();
}

/** The end of the story: device, reported and desired say the same. */
async function checkConvergence(app: App, room: Room, out: Report): Promise<void> {
  const { desired, reported, version } = await app.document();
  out.line(`  document, version ${version}: ${JSON.stringify({ desired, reported })}`);
  if (!converged({ desired, reported }, room))
    throw new Error(`the shadow has not converged: the device has ${JSON.stringify(room)}`);
  out.line("  desired and reported agree with the device");
}

/** Whether the app's wish, what the shadow says of the device, and the device itself are the same. */
export function converged({ desired, reported }: Omit<AppDocument, "version">, room: Room): boolean {
  return (
    desired.windowOpen === room.windowOpen &&
    reported.windowOpen === room.windowOpen &&
    reported.temperature === room.temperature
  );
}

function loggerFor(debug: string | undefined): Logger | undefined {
  if (debug === undefined) return undefined;
  const level = /^\d$/.test(debug) ? mbedtlsDebugLevel(Number(debug)) : (debug as "info");
  return consoleLogger({ level });
}

function printFailure(error: unknown, out: Report): void {
  if (isThingwireError(error)) {
    out.bad(`\nFailed: ${error.code}: ${error.message}`);
    out.line(`  hint: ${error.hint}`);
  } else if (error instanceof SettingsError) out.bad(`${error.message}\n\n${HELP}`);
  else out.bad(`\nFailed: ${error instanceof Error ? error.message : String(error)}`);
}
