/**
 * The examination: every check in the order in which things fail in life. What an earlier failure makes impossible is skipped, and said so.
 *
 * @module
 */

import { isThingName } from "../../shadow/topics.ts";
import { alpnForPort, awsPorts } from "../../thing/aws.ts";
import { parseServerName } from "../../tls/x509/names.ts";
import { connectOnce, reach, type Target } from "./attempt.ts";
import { judgeConnect } from "./connect.ts";
import { checkFiles, type DeviceFiles } from "./credentials.ts";
import { checkCertificate, checkClock, commonName } from "./device-certificate.ts";
import { checkEndpointName, checkThing } from "./endpoint.ts";
import { judgeFactors } from "./factors.ts";
import { judgeHandshake, judgeReach } from "./handshake.ts";
import { Line } from "./line.ts";
import { checkMessages } from "./messages.ts";
import { checkPolicy } from "./policy-file.ts";
import type { Addresses, DoctorOptions, DoctorPorts } from "./ports.ts";
import { type CheckId, checks, type DoctorReport, Findings } from "./report.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Examines a set-up. Never rejects for what it finds; `USAGE_ABORTED` where the signal fires.
 *
 * While it runs, a device that is connected with the same client id is thrown out by the broker.
 */
export async function diagnose(options: DoctorOptions, ports: DoctorPorts): Promise<DoctorReport> {
  const { endpoint, port = awsPorts.mqtt } = options;
  const findings = new Findings();
  await examine(options, ports, findings);
  for (const check of Object.keys(checks) as CheckId[])
    if (!findings.has(check)) findings.skip(check, whySkipped(check, options, findings));
  const order = Object.keys(checks);
  const results = [...findings.results].sort((a, b) => order.indexOf(a.check) - order.indexOf(b.check));
  return { healthy: !findings.failed(), endpoint, port, results, factors: judgeFactors(results) };
}

async function examine(options: DoctorOptions, ports: DoctorPorts, findings: Findings): Promise<void> {
  const { endpoint, thingName, port = awsPorts.mqtt } = options;
  const wallMs = ports.runtime.clock.wallMs();
  checkClock(wallMs, findings);
  const files = checkFiles(options, ports, findings);
  const [leaf] = files.certificates ?? [];
  if (files.certificates !== undefined) checkCertificate(files.certificates, wallMs, findings);
  checkEndpointName(endpoint, findings);
  if (thingName !== undefined) checkThing(thingName, leaf, findings);
  const at = target(options, ports, files, port);
  if (options.policy !== undefined && !findings.failed("thing-name")) checkPolicy(at, options.policy, findings);
  if (findings.failed("endpoint") || !(await checkName(at, findings))) return;
  await checkConnection(at, findings);
}

function target(options: DoctorOptions, ports: DoctorPorts, files: DeviceFiles, port: number): Target {
  const { thingName, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const alpn = options.alpn ?? alpnForPort(port) ?? [];
  const clientId = options.clientId ?? thingName ?? guessedName(files) ?? "thingwire-doctor";
  return { options, ports, files, port, alpn, clientId, timeoutMs };
}

/** A common name that a thing can have, as own CAs give it; that of AWS's own certificates has spaces. */
function guessedName({ certificates }: DeviceFiles): string | undefined {
  const common = certificates === undefined ? undefined : commonName(certificates[0]!);
  return common !== undefined && isThingName(common) ? common : undefined;
}

/** Looks the name up; an address needs no name. */
async function checkName({ options: { endpoint }, ports, timeoutMs }: Target, findings: Findings): Promise<boolean> {
  if (parseServerName(endpoint)?.type === "ip") {
    findings.skip("dns", "the endpoint is an address");
    return true;
  }
  const { addresses, problem } = await inTime(ports.lookup(endpoint), ports, timeoutMs);
  if (addresses === undefined) {
    findings.found("dns", "DOCTOR_DNS_NOT_FOUND", `${endpoint}: ${problem}`);
    return false;
  }
  findings.ok("dns", `${endpoint}: ${addresses.join(", ")}`);
  return true;
}

/** The system asks one name server after the other, and is not to be stopped: it is left to itself. */
function inTime(asked: Promise<Addresses>, { runtime }: DoctorPorts, timeoutMs: number): Promise<Addresses> {
  return new Promise((resolve, reject) => {
    const cancel = runtime.timers.set(timeoutMs, () => resolve({ problem: `no answer in ${timeoutMs} ms` }));
    asked.then(resolve, reject).finally(cancel);
  });
}

async function checkConnection(at: Target, findings: Findings): Promise<void> {
  const { certificates, privateKey } = at.files;
  // Without usable files only the port is tried: a handshake that must fail would accuse the server.
  if (certificates === undefined || privateKey === undefined || findings.failed("key-match", "ca-file", "clock")) {
    judgeReach(await reach(at), `tcp ${at.options.endpoint}:${at.port}`, findings);
    return;
  }
  const outcome = await connectOnce(at);
  if (!(await judgeHandshake(at, outcome, findings))) return;
  if (!(await judgeConnect(at, outcome, findings))) return;
  const line = new Line(at, outcome);
  try {
    await checkMessages(at, line, findings);
  } finally {
    await line.close();
  }
  if (!findings.has("session")) findings.ok("session", "no connection was lost by accident");
}

/** Why a check was not made. */
function whySkipped(check: CheckId, options: DoctorOptions, findings: Findings): string {
  if (check === "ca-file" && options.ca === undefined) return "Amazon's roots are built in";
  if (check === "thing-name" && options.thingName === undefined) return "--thing was not given";
  if (check === "policy" && options.policy === undefined) return "--policy was not given";
  const first = findings.results.find(({ verdict }) => verdict === "fail");
  return first === undefined ? "nothing was asked that needs it" : `it did not come so far: see ${first.check}`;
}
