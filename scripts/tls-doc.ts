/**
 * The page `docs/TLS.md` out of the tables in the code and in the tests; `errors-doc.ts` writes it, and `test/arch/tls-docs.test.ts`
 * holds it against them, and sees that each test that is named exists.
 *
 * @module
 */

import { Alert, alertForCertificateFlags, alertName } from "../src/tls/alerts.ts";
import { type TlsErrorRow, tlsErrors } from "../src/tls/errors.ts";
import { presets } from "../src/tls/presets.ts";
import { allGroups, allSignatureSchemes, type CipherSuite } from "../src/tls/suites.ts";
import { certificateErrors } from "../src/tls/x509/error-table.ts";
import { cells, factors } from "../test/interop/matrix/cells.ts";
import type { MatrixResult, Negotiated, Tally } from "../test/interop/matrix/run.ts";
import results from "../test/interop/matrix-results.json" with { type: "json" };
import { deviations } from "../test/unit/tls/deviations/all.ts";
import { type Deviation, lastBefore } from "../test/unit/tls/deviations/deviation.ts";
import { orderDeviations } from "../test/unit/tls/deviations/order.ts";
import { type Evidence, evidenceText } from "./evidence.ts";
import { leftOut, sections } from "./tls-sections.ts";

const MATRIX = "test/unit/tls/suite-matrix.test.ts";
const OPENSSL = "test/interop/openssl.test.ts";
const STRANGE_CLIENTS = "test/interop/openssl-client.test.ts";
const KEYS = "test/interop/client-keys.test.ts";
const RECORDED = "test/property/tls/recorded-peers.test.ts";

/** What is combined with what, and where. */
export const combinations: readonly { readonly what: string; readonly evidence: Evidence }[] = [
  {
    what: "each suite with Node's server, both orders of MAC for those of CBC, data both ways",
    evidence: { file: MATRIX, title: "RFC 5246 §6.2.3 data both ways with Node's TLS server" },
  },
  {
    what: "each suite on each group with our own server, both orders of MAC, data both ways",
    evidence: { file: MATRIX, title: "RFC 8422 §5.1.1 every group, with our own server" },
  },
  {
    what: "each suite with OpenSSL's server, keys RSA and P-256, data both ways",
    evidence: { file: OPENSSL, title: "RFC 5246 §6.2.3 $name, data both ways" },
  },
  {
    what: "each CBC suite with OpenSSL's server, MAC then encrypt by either's will",
    evidence: {
      file: OPENSSL,
      title: "RFC 7366 $name, MAC then encrypt, where the server or the client does not know better",
    },
  },
  {
    what: "each group with OpenSSL's server, keys RSA and P-256",
    evidence: { file: OPENSSL, title: "RFC 8422 §5.1.1 key exchange on $name" },
  },
  {
    what: "max_fragment_length 512 to 4096 with OpenSSL's server, suites of AEAD and CBC",
    evidence: { file: OPENSSL, title: "RFC 6066 §4 max_fragment_length %s" },
  },
  {
    what: "records of 1 and 512 bytes from our side, to OpenSSL's server",
    evidence: { file: OPENSSL, title: "RFC 5246 §6.2.1 our handshake and data in records of %s bytes" },
  },
  {
    what: "client keys RSA 2048, 3072, 4096, P-256, P-384, P-521 with OpenSSL's server of RSA, P-256, P-384",
    evidence: { file: KEYS, title: "verifies a client key %s" },
  },
  {
    what: "each client key with each scheme that it can sign with, verified by Node",
    evidence: {
      file: "test/unit/tls/identities.test.ts",
      title: "RFC 5246 §7.4.8: each kind of key with each scheme, verified by Node's TLS server",
    },
  },
  {
    what: "our server with the clients of OpenSSL and GnuTLS, each suite",
    evidence: { file: STRANGE_CLIENTS, title: "RFC 5246 §6.2.3: $name, with RFC 7366 and without" },
  },
  {
    what: "handshakes recorded from OpenSSL, GnuTLS, NSS, JSSE, Erlang, nginx, full and resumed, with GCM, CBC and ChaCha20, at any cut and budget",
    evidence: { file: RECORDED, title: "RFC 5246 §6.2.1 %s: the same for any cut and budget" },
  },
  {
    what: "what a server does wrong with points, signatures, MACs and Finished, with Node's crypto and with our own",
    evidence: {
      file: "test/unit/tls/deviations.test.ts",
      title: "a server that deviates in what arithmetic finds out, with the crypto of thingwire itself",
    },
  },
  {
    what: "server's signatures with RSA PKCS #1, RSA-PSS, ECDSA with SHA-256 and SHA-384, and what may come along",
    evidence: { file: "test/unit/tls/deviations.test.ts", title: "a server that does nothing wrong" },
  },
];

/** What proves the alerts that no server alone can cause, and those of resumption. */
export const otherProofs: Readonly<Partial<Record<keyof typeof tlsErrors, Evidence>>> = {
  TLS_CLIENT_CERTIFICATE_MISSING: {
    file: "test/unit/tls/server-clients.test.ts",
    title: "RFC 5246 §7.4.6 an empty list where a certificate is demanded",
  },
  TLS_CLIENT_REFUSED: {
    file: "test/unit/tls/server-clients.test.ts",
    title: "RFC 5246 §7.2.2 a certificate that admit does not know",
  },
  TLS_INTERNAL_ERROR: {
    file: "test/unit/tls/errors.test.ts",
    title: "what nobody expected is TLS_INTERNAL_ERROR, alert 80, with its cause",
  },
  TLS_NOTHING_IN_COMMON: { file: "test/unit/tls/server-clients.test.ts", title: "RFC 5246 §7.4.1.3 no suite of ours" },
  TLS_NO_NULL_COMPRESSION: {
    file: "test/unit/tls/server-clients.test.ts",
    title: "RFC 5246 §7.4.1.2 only compression",
  },
  TLS_RANDOM_FAILED: {
    file: "test/unit/tls/client.test.ts",
    title: "a source of randomness that fails in the handshake is TLS_RANDOM_FAILED, alert 80",
  },
  TLS_SEQUENCE_EXHAUSTED: {
    file: "test/unit/tls/client.test.ts",
    title: "RFC 5288 §3 nonces are the sequence numbers, and RFC 5246 §6.1 they never wrap",
  },
  TLS_SERVER_CALLBACK_FAILED: { file: "test/unit/tls/server-clients.test.ts", title: "select throws" },
  TLS_SESSION_MISMATCH: {
    file: "test/unit/tls/session.test.ts",
    title: "RFC 5246 §7.4.1.3 another suite than the session's",
  },
  TLS_SIGNER_FAILED: {
    file: "test/unit/tls/client.test.ts",
    title: "an error of the signer is TLS_SIGNER_FAILED with its cause, alert 80",
  },
};

const alertText = (alert: number): string => `${alertName(alert)} (${alert})`;
const row = (...cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
/** A table, behind an empty line. */
const table = (headings: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  "",
  row(...headings),
  row(...headings.map(() => "---")),
  ...rows.map((cells) => row(...cells)),
];
const yes = (is: boolean): string => (is ? "yes" : "");

/** The whole page as Markdown. */
export function tlsPage(): string {
  return `${[
    "# TLS 1.2",
    "",
    "Generated by `npm run docs` out of the tables in the code and in the tests; a test holds it against them, and sees that every test",
    "that is named here exists. What is attacked, and why it does not work, stands in [TLS-VULNERABILITIES.md](TLS-VULNERABILITIES.md).",
    ...whatIsSpoken(),
    ...whatIsTested(),
    ...whatPassed(),
    ...whatIsRefused(),
    ...whatIsImplemented(),
  ].join("\n")}\n`;
}

function whatIsSpoken(): string[] {
  const has = (list: readonly CipherSuite[], suite: CipherSuite) => yes(list.includes(suite));
  const hex = (id: number) => `0x${id.toString(16).padStart(4, "0")}`;
  return [
    "",
    "## What is spoken",
    ...table(
      ["cipher suite", "number", "server's key", "tiny", "awsIot", "awsIotAll", "full"],
      presets
        .full()
        .map((suite) => [
          `\`${suite.name}\``,
          hex(suite.id),
          suite.authentication === "rsa" ? "RSA" : "P-256, P-384, P-521",
          has(presets.tiny(), suite),
          has(presets.awsIot(), suite),
          has(presets.awsIotAll(), suite),
          "yes",
        ]),
    ),
    "",
    `Groups, in this order: ${allGroups.map(({ name, id }) => `${name} (${id})`).join(", ")}.`,
    ...table(
      ["signature scheme", "number", "server's key", "client's key"],
      allSignatureSchemes.map(({ name, id, key }) => [
        `\`${name}\``,
        hex(id),
        key === "rsa" ? "RSA, from 2048 bits" : "P-256, P-384, P-521",
        key === "rsa" ? "RSA 2048 to 4096, or a signer's" : "P-256, P-384, P-521, or a signer's",
      ]),
    ),
  ];
}

function whatIsTested(): string[] {
  return [
    "",
    "## What is tested with what",
    ...table(
      ["combination", "test"],
      combinations.map(({ what, evidence }) => [what, evidenceText(evidence)]),
    ),
  ];
}

/** What `test/interop/matrix-results.json` says of the last deep runs. */
export const matrixResults: readonly MatrixResult[] = results;

/** The interop matrix: cells that passed by factor and value, why the others cannot be done, and what was negotiated. */
function whatPassed(): string[] {
  const names = matrixResults.map(({ name }) => name);
  const rows = Object.entries(factors).flatMap(([factor, show]) =>
    [...new Set(cells.map(show))].map((value) => [
      factor === "suite" ? `\`${value}\`` : `${factor} ${value}`,
      `${cells.filter((cell) => show(cell) === value).length}`,
      ...matrixResults.map(({ passed }) => `${passed[factor]?.[value] || "none"}`),
    ]),
  );
  const able = ({ cannot }: MatrixResult) => Object.values(cannot).reduce((rest, count) => rest - count, cells.length);
  const counted = matrixResults.flatMap(({ name, negotiated }) =>
    negotiated === undefined ? [] : { name, negotiated },
  );
  return [
    "",
    "## The interop matrix",
    "",
    `${cells.length} cells with each server: the suites that go with its key, its key, ours, resumption, the longest records of both sides, the extended`,
    "master secret on and off, encrypt-then-MAC offered and not. In each: a full handshake, data and close_notify both ways, and all of it again with the",
    "session that was left, abbreviated as both sides say; without the extended master secret no session may be left (RFC 7627 §5.3).",
    "`npm run test:deep` runs every cell that the server can do, CI a choice with OpenSSL and GnuTLS in which each two values meet",
    "(`test/interop/matrix.test.ts`). The numbers are cells that passed in the last deep run that was written down; none failed.",
    ...table(
      ["", "cells", ...names],
      [
        ["version", "", ...matrixResults.map(({ version }) => version)],
        ["run on", "", ...matrixResults.map(({ date }) => date)],
        ["all", `${cells.length}`, ...matrixResults.map((result) => `${able(result)}`)],
        ...rows,
      ],
    ),
    ...table(
      ["server", "cells it cannot do", "why"],
      matrixResults.flatMap(({ name, cannot }) =>
        Object.entries(cannot).map(([reason, count]) => [name, `${count}`, reason]),
      ),
    ),
    ...(counted.length === 0 ? [] : whatWasNegotiated(counted)),
  ];
}

/** Groups and schemes with suites and keys, all servers together. */
function whatWasNegotiated(of: readonly { readonly name: string; readonly negotiated: Negotiated }[]): string[] {
  return [
    "",
    "Which group and which signature scheme we name first is dealt out over the cells, so that with each key of a server each suite meets each",
    `group, and each group each scheme; the server decides. What came of it in full handshakes with ${of.map(({ name }) => name).join(", ")}:`,
    ...tallyTable(
      "suite",
      of.map(({ negotiated }) => negotiated.suiteAndGroup),
    ),
    ...tallyTable(
      "server's key",
      of.map(({ negotiated }) => negotiated.serverKeyAndScheme),
    ),
    ...tallyTable(
      "client's key",
      of.map(({ negotiated }) => negotiated.clientKeyAndScheme),
    ),
  ];
}

/** Sums of tallies as a table. */
function tallyTable(heading: string, tallies: readonly Tally[]): string[] {
  const columns = [...new Set(tallies.flatMap((tally) => Object.values(tally).flatMap(Object.keys)))].sort();
  const rows = [...new Set(tallies.flatMap(Object.keys))].sort();
  const sum = (first: string, second: string) => tallies.reduce((all, tally) => all + (tally[first]?.[second] ?? 0), 0);
  return table(
    [heading, ...columns],
    rows.map((first) => [first, ...columns.map((second) => `${sum(first, second) || ""}`)]),
  );
}

/** Alerts that are sent, in order of their numbers: for what, and what proves it. */
function whatIsRefused(): string[] {
  const own = deviations.length - orderDeviations.length;
  const rows = Object.values(Alert).flatMap(rowsOfAlert);
  const silent = Object.keys(tlsErrors).filter((code) =>
    deviations.some((one) => one.code === code && one.alert === undefined),
  );
  return [
    "",
    "## Every alert that is sent, its cause, and what proves it",
    "",
    `A scripted server does ${deviations.length} things wrong, each in a handshake of its own: ${own} that were thought of one by one, and ${orderDeviations.length} messages in`,
    "states that do not expect them (`test/unit/tls/deviations/`). Each gets the exact code, and the server sees the one alert, behind the message that is",
    "named: ClientHello, with nothing of our flight sent, or Finished, under the keys of the connection. The table shows the first of each kind.",
    ...table(["alert", "cause", "code", "behind", "proven by", "rows"], rows),
    "",
    `No fatal alert goes with ${silent.map((code) => `\`${code}\``).join(", ")}: there the peer has had the last word, or is gone.`,
    "",
    "A rejected chain gets the alert of mbedTLS's first verification flag, as its priority has it:",
    ...table(
      ["verification flag", "alert"],
      flags.map(([name, flag]) => [name, alertText(alertForCertificateFlags(flag))]),
    ),
  ];
}

function rowsOfAlert(alert: number): string[][] {
  return Object.entries<TlsErrorRow>(tlsErrors).flatMap(([code, { alert: sent, meaning }]) => {
    const proven = deviations.filter((one) => one.code === code && one.alert === alert);
    const rows = [...byProblem(proven)].map(([problem, of]) => [
      alertText(alert),
      problem === undefined ? meaning : certificateErrors[problem as keyof typeof certificateErrors].meaning,
      problem === undefined ? `\`${code}\`` : `\`${code}\`, \`${problem}\``,
      [...new Set(of.map(lastBefore))].join(", "),
      of[0]!.title,
      `${of.length}`,
    ]);
    const other = otherProofs[code as keyof typeof tlsErrors];
    if (sent === alert && proven.length === 0 && other !== undefined)
      rows.push([alertText(alert), meaning, `\`${code}\``, "", evidenceText(other), ""]);
    return rows;
  });
}

const flags = [
  ["OTHER", 0x100],
  ["CN_MISMATCH", 0x4],
  ["KEY_USAGE", 0x800],
  ["EXT_KEY_USAGE", 0x1000],
  ["BAD_PK", 0x8000],
  ["BAD_KEY", 0x10000],
  ["EXPIRED", 0x1],
  ["REVOKED", 0x2],
  ["NOT_TRUSTED", 0x8],
  ["FUTURE", 0x200],
  ["BAD_MD", 0x4000],
] as const;

function byProblem(rows: readonly Deviation[]): ReadonlyMap<string | undefined, readonly Deviation[]> {
  const groups = new Map<string | undefined, Deviation[]>();
  for (const one of rows) groups.set(one.problem, [...(groups.get(one.problem) ?? []), one]);
  return groups;
}

function whatIsImplemented(): string[] {
  return [
    "",
    "## What of the RFCs is implemented, and where",
    ...table(
      ["section", "what", "in"],
      sections.map(([section, what, file]) => [section, what, `\`${file}\``]),
    ),
    "",
    "## What is left out",
    ...table(["section", "what", "why"], leftOut),
  ];
}
