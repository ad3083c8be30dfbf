import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { doctorPage } from "../../../scripts/doctor-doc.ts";
import { type CauseRow, causes } from "../../../src/cli/doctor/causes.ts";
import { judgeFactors } from "../../../src/cli/doctor/factors.ts";
import { printReport } from "../../../src/cli/doctor/print.ts";
import { type CheckId, checks, type DoctorReport, Findings } from "../../../src/cli/doctor/report.ts";
import { terminalOver } from "../../../src/cli/terminal.ts";
import { connectionFactors } from "../../../src/thing/aws.ts";

/** A report of some checks that passed, and then what was found. */
function reportOf(passed: readonly CheckId[], find: (findings: Findings) => void = () => {}): DoctorReport {
  const findings = new Findings();
  for (const check of passed) findings.ok(check, "seen");
  find(findings);
  const { results } = findings;
  return { healthy: !findings.failed(), endpoint: "localhost", port: 8883, results, factors: judgeFactors(results) };
}

function verdicts(report: DoctorReport): string {
  return report.factors.map(({ verdict }) => (verdict === "cannot be seen from outside" ? "?" : verdict)).join(" ");
}

function printed(report: DoctorReport, isTTY = false, environment = {}): string {
  let out = "";
  const stream = { isTTY, write: (text: string) => void (out += text) };
  printReport(report, terminalOver(stream, stream, environment));
  return out;
}

const untilTls: readonly CheckId[] = ["key-match", "tcp", "handshake"];
const untilFinished: readonly CheckId[] = [...untilTls, "server-certificate", "host-name", "client-certificate"];
const untilConnack: readonly CheckId[] = [...untilFinished, "connect", "client-id"];

describe("doctor: the guide's five factors", () => {
  it("are those of connectionFactors, in order", () => {
    expect(reportOf([]).factors.map(({ factor }) => factor)).toEqual(connectionFactors);
  });

  it.each([
    ["nothing was tried", reportOf([]), "? ? ? ? ?"],
    ["everything works", reportOf([...untilConnack, "receive", "shadow-get", "shadow-update"]), "yes yes yes yes yes"],
    ["no name", reportOf([], (to) => to.found("dns", "DOCTOR_DNS_NOT_FOUND", "x")), "no ? ? ? ?"],
    ["a foreign key", reportOf([], (to) => to.found("key-match", "DOCTOR_KEY_MISMATCH", "x")), "? no ? ? ?"],
    [
      "(a) of the guide: an alert in the handshake",
      reportOf(untilTls, (to) => to.found("client-certificate", "DOCTOR_CERTIFICATE_REFUSED", "x")),
      "? ? no ? ?",
    ],
    [
      "(b) of the guide: an alert after CONNECT",
      reportOf(untilFinished, (to) => to.found("connect", "DOCTOR_CONNECT_ALERT", "x")),
      "yes ? yes ? no",
    ],
    [
      "(c) of the guide: closed after CONNECT",
      reportOf(untilFinished, (to) => to.found("connect", "DOCTOR_CONNECT_CLOSED", "x")),
      "yes ? yes ? no",
    ],
    [
      "a client id that is denied",
      reportOf(untilFinished, (to) => {
        to.found("connect", "DOCTOR_CONNECT_CLOSED", "x");
        to.found("client-id", "DOCTOR_CLIENT_ID_DENIED", "x");
      }),
      "yes ? yes yes no",
    ],
    [
      "a topic that is denied",
      reportOf(untilConnack, (to) => to.found("subscribe", "DOCTOR_SUBSCRIBE_CLOSED", "x")),
      "yes yes yes yes no",
    ],
    [
      "a shadow that can be read, and an update that is refused",
      reportOf([...untilConnack, "receive", "shadow-get"], (to) => {
        to.found("shadow-update", "DOCTOR_SHADOW_REFUSED", "x");
      }),
      "yes yes yes yes ?",
    ],
    ["connected, and no topic known", reportOf(untilConnack), "yes yes yes yes ?"],
  ])("%s", (_, report, expected) => {
    expect(verdicts(report)).toBe(expected);
    for (const { evidence } of report.factors) expect(evidence).not.toBe("");
  });
});

describe("doctor: the guide's codes", () => {
  it.each([
    ["DOCTOR_CERTIFICATE_REFUSED", -0x7780, -4],
    ["DOCTOR_CONNECT_ALERT", -0x7780, -28],
    ["DOCTOR_CONNECT_CLOSED", undefined, -28],
    ["DOCTOR_CONNECTION_UNSTABLE", undefined, -13],
  ] as const)("%s", (code, mbedtls, sdk) => {
    const row: CauseRow = causes[code];
    expect([row.mbedtls, row.sdk]).toEqual([mbedtls, sdk]);
  });

  it("docs/DOCTOR.md is what `npm run docs` writes", () => {
    expect(readFileSync(new URL("../../../docs/DOCTOR.md", import.meta.url), "utf8")).toBe(doctorPage());
  });

  it("every cause has a meaning and a fix, and a broken set-up that shows it", () => {
    const tables = ["unit/cli/doctor-files", "unit/cli/doctor-network", "unit/cli/doctor-simulator", "interop/doctor"]
      .map((name) => readFileSync(new URL(`../../${name}.test.ts`, import.meta.url), "utf8"))
      .join("");
    for (const [code, { meaning, fix }] of Object.entries(causes)) {
      expect(tables, code).toMatch(new RegExp(`[a-z-]+ ${code}[?"]`));
      expect(meaning, code).toMatch(/^[^A-Z].*[^.]$|^(PUBLISH|SUBSCRIBE|CONNECT|DER) /);
      expect(fix, code).toMatch(/^[A-Z0-9g].*\.$/);
    }
  });
});

describe("doctor: the report as text", () => {
  const report = reportOf(untilTls, (to) => {
    to.found("client-certificate", "DOCTOR_CERTIFICATE_REFUSED", "alert 46");
    to.found("certificate-file", "DOCTOR_FILE_BOM", "client.crt");
    to.skip("connect", "it did not come so far");
  });

  it("what, verdict, evidence, code and fix of each check, then the factors and the sum", () => {
    const text = printed(report);
    expect(text).toContain(`  fail     ${checks["client-certificate"]}\n           alert 46\n`);
    expect(text).toContain("DOCTOR_CERTIFICATE_REFUSED (mbedTLS -0x7780, C SDK -4): the server does not take");
    expect(text).toContain("fix In the console open Security, Certificates");
    expect(text).toContain(`  skipped  ${checks.connect}\n           it did not come so far\n`);
    expect(text).toContain("  3. the certificate is ACTIVE");
    expect(text.trimEnd().endsWith("1 fault, 1 warning")).toBe(true);
    expect(printed(reportOf(untilTls)).trimEnd().endsWith("healthy")).toBe(true);
  });

  it("colours on a terminal only, and not with NO_COLOR", () => {
    const sequence = "\u001b[";
    expect(printed(report)).not.toContain(sequence);
    expect(printed(report, true)).toContain(sequence);
    expect(printed(report, true, { NO_COLOR: "1" })).not.toContain(sequence);
  });
});
