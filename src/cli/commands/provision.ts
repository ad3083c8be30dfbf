/**
 * `thingwire provision …`: what a device needs before it can connect. Key pairs, signing requests, a CA of one's own and the proof by which
 * AWS IoT registers it, and device certificates under it. Each command says what to call next, at AWS and
 * at the local endpoint.
 *
 * File names are those of AWS's downloads, with the thing's name for the certificate's id, so that `thingwire embed` finds them.
 *
 * @module
 */

import { join } from "node:path";
import { certificateId } from "../../simulator/authority.ts";
import { DEFAULT_POLICY_NAME } from "../../simulator/cloud.ts";
import { finish } from "../../task.ts";
import type { PrivateKey } from "../../tls/crypto/provider.ts";
import { type IssuingPorts, issueUnder, selfSign } from "../../tls/x509/authority.ts";
import { parseCertificate } from "../../tls/x509/certificate.ts";
import { createCertificateRequest } from "../../tls/x509/csr.ts";
import { oneLine } from "../../tls/x509/describe.ts";
import type { NameInput } from "../../tls/x509/issue.ts";
import { encodePrivateKey } from "../../tls/x509/keys.ts";
import { toPem } from "../../tls/x509/pem.ts";
import { encodeSubjectPublicKeyInfo } from "../../tls/x509/spki.ts";
import {
  CliError,
  type Command,
  type CommandContext,
  type CommandOption,
  integerOption,
  stringOption,
} from "../command.ts";
import { type OutputFile, writeFiles } from "../provision/files.ts";
import {
  issuingPorts,
  keyTypeOption,
  newKey,
  publicHalf,
  readAuthority,
  readKey,
  readRequest,
} from "../provision/keys.ts";

const FOLDER = "certs";
const DEVICE_DAYS = 3650;
const CA_DAYS = 3650;
/** It is needed once, at the registration. */
const VERIFICATION_DAYS = 30;
/** What AWS IoT allows in the name of a thing, as long as a common name can be (RFC 5280, appendix A); it is part of a file's name too. */
const THING_NAME = /^[a-zA-Z0-9:_-]{1,64}$/;
/** A registration code of AWS IoT has 64 hexadecimal digits; others may have other ideas. */
const REGISTRATION_CODE = /^[a-zA-Z0-9_-]{1,64}$/;

const common: Readonly<Record<string, CommandOption>> = {
  dir: { type: "string", value: "FOLDER", help: `Where the files are written (${FOLDER}).` },
  force: { type: "boolean", help: "Write over files that are there." },
};
const authorityOptions: Readonly<Record<string, CommandOption>> = {
  ca: { type: "string", value: "FILE", help: "The CA's certificate (ca.crt in FOLDER)." },
  "ca-key": { type: "string", value: "FILE", help: "Its private key (ca.key in FOLDER)." },
};

/** A key pair. */
export const provisionKey: Command = {
  name: "provision key",
  positionals: "THING",
  arity: [1, 1],
  summary: "Make a key pair.",
  options: { type: keyTypeOption, ...common },
  async run(context) {
    const ports = issuingPorts();
    const thingName = nameOf(context);
    report(context, keyFiles(context, thingName, newKey(context.values, ports), ports), {
      summary: `a key pair for ${thingName}`,
    });
  },
};

/** A key pair and a request for its certificate. */
export const provisionCsr: Command = {
  name: "provision csr",
  positionals: "THING",
  arity: [1, 1],
  summary:
    "Make a key pair and a certificate signing request, so that AWS issues the certificate and never sees the key.",
  options: {
    type: keyTypeOption,
    key: { type: "string", value: "FILE", help: "A private key that is there, instead of a new one." },
    ...common,
  },
  async run(context) {
    const ports = issuingPorts();
    const thingName = nameOf(context);
    const keyFile = stringOption(context.values, "key");
    requireNoType(context, keyFile, "--key");
    const privateKey = keyFile === undefined ? newKey(context.values, ports) : readKey(keyFile);
    const request = finish(createCertificateRequest({ subject: [["CN", thingName]], privateKey, ...ports }));
    const path = at(context, `${thingName}.csr`);
    const files: OutputFile[] = [{ path, contents: toPem("CERTIFICATE REQUEST", request), secret: false }];
    if (keyFile === undefined) files.unshift(...keyFiles(context, thingName, privateKey, ports));
    const certificate = at(context, `${thingName}-certificate.pem.crt`);
    report(context, files, {
      summary: `a request for CN = ${thingName}`,
      aws: [
        `aws iot create-certificate-from-csr --certificate-signing-request ${file(path)} --set-as-active --certificate-pem-outfile ${quoted(certificate)}`,
        ...attach(thingName),
      ],
    });
  },
};

/** A CA of one's own. */
export const provisionCa: Command = {
  name: "provision ca",
  positionals: "[NAME]",
  arity: [0, 1],
  summary: "Make a certificate authority of your own, to sign devices' certificates.",
  options: { type: keyTypeOption, days: daysOption(CA_DAYS), ...common },
  async run(context) {
    const ports = issuingPorts();
    const subject: NameInput = [["CN", commonName(context.positionals[0] ?? "thingwire device CA")]];
    const { certificate, privateKey } = selfSign(newKey(context.values, ports), ports, {
      subject,
      days: days(context, CA_DAYS),
    });
    const path = at(context, "ca.crt");
    const files = [privateKeyFile(at(context, "ca.key"), privateKey), certificateFile(path, [certificate])];
    report(context, files, {
      summary: oneLine(parseCertificate(certificate)),
      certificate,
      aws: [
        "aws iot get-registration-code",
        `thingwire provision verification CODE --dir ${quoted(folderOf(context))}`,
        `aws iot register-ca-certificate --ca-certificate ${file(path)} --verification-cert ${file(at(context, "verification.crt"))} --set-as-active`,
      ],
      local: [
        "thingwire registry registration-code",
        `thingwire provision verification CODE --dir ${quoted(folderOf(context))}`,
        `thingwire registry register ca ${quoted(path)} ${quoted(at(context, "verification.crt"))}`,
      ],
    });
  },
};

/** The proof that a CA is one's own, for its registration. */
export const provisionVerification: Command = {
  name: "provision verification",
  positionals: "CODE",
  arity: [1, 1],
  summary: "Make the certificate that proves to AWS IoT that a CA is yours; CODE is what get-registration-code says.",
  options: { ...authorityOptions, ...common },
  async run(context) {
    const ports = issuingPorts();
    const code = context.positionals[0]!;
    if (!REGISTRATION_CODE.test(code))
      throw new CliError("a registration code has 64 hexadecimal digits: `aws iot get-registration-code`");
    const { caFile, authority } = authorityOf(context, ports);
    const certificate = issueUnder(authority, ports, {
      subject: [["CN", code]],
      // Its private half is dropped: the proof is the CA's signature, and nobody ever connects with it.
      publicKey: publicHalf(finish(ports.crypto.generateKey("secp256r1", ports.random)), ports),
      days: VERIFICATION_DAYS,
      extensions: { ca: false, keyUsage: ["digitalSignature"] },
    });
    const path = at(context, "verification.crt");
    report(context, [certificateFile(path, [certificate])], {
      summary: oneLine(parseCertificate(certificate)),
      certificate,
      aws: [
        `aws iot register-ca-certificate --ca-certificate ${file(caFile)} --verification-cert ${file(path)} --set-as-active`,
      ],
      local: [`thingwire registry register ca ${quoted(caFile)} ${quoted(path)}`],
    });
  },
};

/** A device certificate under one's own CA. */
export const provisionDevice: Command = {
  name: "provision device",
  positionals: "THING",
  arity: [1, 1],
  summary: "Make a device's certificate, signed by your CA, for a new key pair or a request.",
  options: {
    type: keyTypeOption,
    csr: { type: "string", value: "FILE", help: "A request that is there, instead of a new key pair." },
    days: daysOption(DEVICE_DAYS),
    chain: {
      type: "boolean",
      help: "Add the CA's certificate behind the device's, as just-in-time registration wants it.",
    },
    ...authorityOptions,
    ...common,
  },
  async run(context) {
    const ports = issuingPorts();
    const thingName = nameOf(context);
    const csr = stringOption(context.values, "csr");
    requireNoType(context, csr, "--csr");
    const { caFile, authority } = authorityOf(context, ports);
    const request = csr === undefined ? undefined : readRequest(csr, ports);
    const privateKey = request === undefined ? newKey(context.values, ports) : undefined;
    if (request !== undefined) requireName(request.subject.attributes, thingName);
    const certificate = issueUnder(authority, ports, {
      subject: request === undefined || request.subject.isEmpty ? [["CN", thingName]] : request.subject.der,
      publicKey: request?.publicKey ?? publicHalf(privateKey!, ports),
      days: days(context, DEVICE_DAYS),
      extensions: { ca: false, keyUsage: ["digitalSignature"], extendedKeyUsage: ["clientAuth"] },
    });
    const path = at(context, `${thingName}-certificate.pem.crt`);
    const id = certificateId(certificate, ports.crypto);
    const chain = context.values["chain"] === true ? [certificate, authority.certificate] : [certificate];
    report(
      context,
      [
        ...(privateKey === undefined ? [] : keyFiles(context, thingName, privateKey, ports)),
        certificateFile(path, chain),
      ],
      {
        summary: oneLine(parseCertificate(certificate)),
        certificate,
        aws: [
          `aws iot register-certificate --certificate-pem ${file(path)} --ca-certificate-pem ${file(caFile)} --set-as-active`,
          ...attach(thingName),
        ],
        local: [
          `thingwire registry register certificate ${quoted(path)}`,
          `thingwire registry put thing ${thingName}`,
          `thingwire registry attach thing ${thingName} ${id}`,
          `thingwire registry attach policy ${DEFAULT_POLICY_NAME} ${id}`,
        ],
      },
    );
  },
};

/** What a command made, beside its files. */
interface Made {
  readonly summary: string;
  readonly certificate?: Uint8Array;
  /** The command lines by which AWS gets to know of it. */
  readonly aws?: readonly string[];
  /** The same for the local endpoint, where it can. */
  readonly local?: readonly string[];
}

function report({ values, terminal, json }: CommandContext, files: readonly OutputFile[], made: Made): void {
  const warnings = writeFiles(files, values["force"] === true);
  const { summary, certificate, aws = [], local = [] } = made;
  const id = certificate === undefined ? {} : { certificateId: certificateId(certificate, issuingPorts().crypto) };
  const paths = files.map(({ path }) => path);
  if (json) {
    terminal.print(JSON.stringify({ files: paths, summary, ...id, aws, local, warnings }));
    return;
  }
  for (const { path, secret } of files)
    terminal.print(`${terminal.paint("green", "wrote")} ${path}${secret ? "  (private key: keep it secret)" : ""}`);
  terminal.print(`  ${summary}`);
  if (id.certificateId !== undefined) terminal.print(`  certificate id ${id.certificateId}`);
  for (const [where, lines] of [
    ["at AWS IoT", aws],
    ["at the local endpoint (thingwire simulate)", local],
  ] as const)
    if (lines.length > 0) terminal.print(["", `Next, ${where}:`, ...lines.map((line) => `  ${line}`)].join("\n"));
  for (const warning of warnings) terminal.printError(`${terminal.paint("yellow", "warning")} ${warning}`);
}

function keyFiles(context: CommandContext, name: string, key: PrivateKey, ports: IssuingPorts): readonly OutputFile[] {
  const publicKey = encodeSubjectPublicKeyInfo(publicHalf(key, ports));
  return [
    privateKeyFile(at(context, `${name}-private.pem.key`), key),
    { path: at(context, `${name}-public.pem.key`), contents: toPem("PUBLIC KEY", publicKey), secret: false },
  ];
}

function privateKeyFile(path: string, key: PrivateKey): OutputFile {
  return { path, contents: toPem("PRIVATE KEY", encodePrivateKey(key)), secret: true };
}

function certificateFile(path: string, chain: readonly Uint8Array[]): OutputFile {
  return { path, contents: chain.map((der) => toPem("CERTIFICATE", der)).join(""), secret: false };
}

function authorityOf(context: CommandContext, ports: IssuingPorts) {
  const caFile = stringOption(context.values, "ca") ?? at(context, "ca.crt");
  const keyFile = stringOption(context.values, "ca-key") ?? at(context, "ca.key");
  return { caFile, authority: readAuthority(caFile, keyFile, ports) };
}

/** The kind of a key that is there is what it is. */
function requireNoType({ values }: CommandContext, file: string | undefined, option: string): void {
  if (file !== undefined && values["type"] !== undefined)
    throw new CliError(`--type is for a new key, and ${option} brings one`);
}

/** A request for another device's name is a mistake, or worse: policies go by the common name. */
function requireName(
  subject: readonly (readonly { readonly name: string; readonly value: string }[])[],
  thingName: string,
): void {
  for (const { name, value } of subject.flat())
    if (name === "CN" && value !== thingName)
      throw new CliError(`the request is for CN = ${JSON.stringify(value)}, not for ${thingName}`);
}

function nameOf({ positionals }: CommandContext): string {
  const name = positionals[0]!;
  if (!THING_NAME.test(name))
    throw new CliError("the name of a thing has letters, digits, `:`, `_` and `-`, here 1 to 64 of them");
  return name;
}

/** RFC 5280, appendix A: ub-common-name. */
function commonName(text: string): string {
  if (text.length === 0 || text.length > 64) throw new CliError("a CA's name has 1 to 64 characters");
  return text;
}

function daysOption(usual: number): CommandOption {
  return { type: "string", value: "N", help: `How long it is valid, in days (${usual}).` };
}

function days({ values }: CommandContext, usual: number): number {
  return integerOption(values, "days", { min: 1, max: 36_500 }) ?? usual;
}

function folderOf({ values }: CommandContext): string {
  return stringOption(values, "dir") ?? FOLDER;
}

function at(context: CommandContext, name: string): string {
  return join(folderOf(context), name);
}

function attach(thingName: string): readonly string[] {
  return [
    `aws iot create-thing --thing-name ${thingName}`,
    `aws iot attach-thing-principal --thing-name ${thingName} --principal CERTIFICATE_ARN`,
    "aws iot attach-policy --policy-name POLICY --target CERTIFICATE_ARN",
  ];
}

function file(path: string): string {
  return quoted(`file://${path}`);
}

/** A word of a shell's command line. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
