/**
 * The words by which the registry of a simulated account is looked at and changed: the same on the command line, for a folder that no
 * simulator uses, and on the standard input of one that runs.
 *
 * @module
 */

import { printable, utf8Decode } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { readInput } from "../runtime/node-credentials.ts";
import { type CertificateStatus, certificateStatuses, type RegisteredCertificate } from "../simulator/certificates.ts";
import { DEFAULT_POLICY_NAME } from "../simulator/cloud.ts";
import type { Account } from "../simulator/node/account.ts";
import type { RegisteredThing } from "../simulator/things.ts";
import { parseCertificateChain } from "../tls/x509/trust.ts";
import { CliError } from "./command.ts";

/** What a command answers: lines for people, and the same for machines. */
export interface RegistryAnswer {
  readonly lines: readonly string[];
  readonly json: unknown;
}

/** One command of the registry. */
interface Verb {
  /** The words that name it: `create thing`. */
  readonly words: string;
  /** What follows, as the help shows it. */
  readonly rest: string;
  /** How many words follow: at least, at most. */
  readonly arity: readonly [number, number];
  readonly summary: string;
  run(account: Account, rest: readonly string[]): RegistryAnswer | Promise<RegistryAnswer>;
}

/**
 * Runs one command.
 *
 * @throws CliError where the words are no command; UsageError and others where it cannot be done.
 */
export async function runRegistry(account: Account, words: readonly string[]): Promise<RegistryAnswer> {
  if (words.length === 0 || words[0] === "help") return { lines: registryHelp, json: registryHelp };
  const verb = verbs.find((row) => row.words.split(" ").every((word, i) => words[i] === word));
  if (verb === undefined)
    throw new CliError(`no command "${printable(words.slice(0, 2).join(" "))}": "help" lists what there is`);
  const rest = words.slice(verb.words.split(" ").length);
  if (rest.length < verb.arity[0] || rest.length > verb.arity[1]) throw new CliError(`usage: ${usageOf(verb)}`);
  return await verb.run(account, rest);
}

const verbs: readonly Verb[] = [
  {
    words: "list",
    rest: "[things|certificates|policies|cas]",
    arity: [0, 1],
    summary: "What there is.",
    run: (account, [what]) => list(account, what),
  },
  {
    words: "create thing",
    rest: "NAME [p256|rsa] [POLICY|none]",
    arity: [1, 3],
    summary: "A thing with a new certificate and key; one more certificate where it is there.",
    run: (account, [name, ...options]) => createThing(account, name!, options),
  },
  {
    words: "put thing",
    rest: "NAME [TYPE] [KEY=VALUE]...",
    arity: [1, 52],
    summary: "A thing without certificate, or another type and other attributes for one that is there.",
    run({ cloud }, [name, ...words]) {
      const types = words.filter((word) => !word.includes("="));
      if (types.length > 1) throw new CliError(`one type, not "${printable(types.join(" "))}"`);
      const attributes = Object.fromEntries(
        words.filter((word) => word.includes("=")).map((word) => word.split(/=(.*)/s).slice(0, 2)),
      );
      const thing = cloud.things.put({ thingName: name!, typeName: types[0], attributes });
      return { lines: [thingLine(thing)], json: thing };
    },
  },
  {
    words: "delete thing",
    rest: "NAME",
    arity: [1, 1],
    summary: "Forget a thing; its certificates must be detached.",
    run({ cloud }, [name]) {
      cloud.things.delete(name!);
      return done(`the thing ${name} is gone; its shadows stay`);
    },
  },
  {
    words: "register certificate",
    rest: "FILE [STATUS]",
    arity: [1, 2],
    summary: `Register a certificate that another CA has issued: ${certificateStatuses.join(", ")}.`,
    run({ cloud }, [file, status = "ACTIVE"]) {
      if (!certificateStatuses.includes(status as CertificateStatus))
        throw new CliError(`a status is one of ${certificateStatuses.join(", ")}, not "${printable(status)}"`);
      const [der] = parseCertificateChain(readInput(file!, "certificate"));
      return shown(cloud.certificates.register(der!, status as CertificateStatus));
    },
  },
  ...(["activate", "deactivate", "revoke"] as const).map(
    (change): Verb => ({
      words: `${change} certificate`,
      rest: "ID",
      arity: [1, 1],
      summary: change === "activate" ? "Let it connect." : "The next handshake ends with an alert.",
      run({ cloud }, [id]) {
        const { certificateId } = findCertificate(cloud.certificates.list, id!);
        cloud.certificates[change](certificateId);
        return shown(cloud.certificates.get(certificateId));
      },
    }),
  ),
  {
    words: "delete certificate",
    rest: "ID",
    arity: [1, 1],
    summary: "Forget a certificate, inactive and detached.",
    run({ cloud }, [id]) {
      const { certificateId } = findCertificate(cloud.certificates.list, id!);
      cloud.certificates.delete(certificateId);
      return done(`the certificate ${certificateId} is gone`);
    },
  },
  ...(["attach", "detach"] as const).flatMap((change): Verb[] => [
    {
      words: `${change} thing`,
      rest: "NAME ID",
      arity: [2, 2],
      summary: `${change === "attach" ? "To" : "From"} a certificate.`,
      run({ cloud }, [name, id]) {
        const { certificateId } = findCertificate(cloud.certificates.list, id!);
        cloud.registry[change === "attach" ? "attachThing" : "detachThing"](name!, certificateId);
        return shown(cloud.certificates.get(certificateId));
      },
    },
    {
      words: `${change} policy`,
      rest: "NAME ID",
      arity: [2, 2],
      summary: `${change === "attach" ? "To" : "From"} a certificate, with effect at once.`,
      run({ cloud }, [name, id]) {
        const { certificateId } = findCertificate(cloud.certificates.list, id!);
        // It comes with the first thing that is created here, and a device that was provisioned elsewhere may be before it.
        if (change === "attach" && name === DEFAULT_POLICY_NAME) cloud.policyFor("", undefined);
        cloud.registry[change === "attach" ? "attachPolicy" : "detachPolicy"](name!, certificateId);
        return shown(cloud.certificates.get(certificateId));
      },
    },
  ]),
  {
    words: "put policy",
    rest: "NAME FILE",
    arity: [2, 2],
    summary: "Keep a policy, with effect at once where it is attached.",
    run({ cloud }, [name, file]) {
      const text = utf8Decode(readInput(file!, "policy"));
      if (text === undefined) throw new UsageError("USAGE_INVALID_ARGUMENT", `${file} is no text in UTF-8`);
      const { document } = cloud.policies.put(name!, text);
      return { lines: [`the policy ${name} is kept`], json: { policyName: name, document } };
    },
  },
  {
    words: "show policy",
    rest: "NAME",
    arity: [1, 1],
    summary: "Its document.",
    run({ cloud }, [name]) {
      const { document } = cloud.policies.get(name!);
      return { lines: JSON.stringify(document, undefined, 2).split("\n"), json: document };
    },
  },
  {
    words: "delete policy",
    rest: "NAME",
    arity: [1, 1],
    summary: "Forget a policy that is attached to nothing.",
    run({ cloud }, [name]) {
      cloud.policies.delete(name!);
      return done(`the policy ${name} is gone`);
    },
  },
  {
    words: "registration-code",
    rest: "",
    arity: [0, 0],
    summary: "The common name that the verification certificate of a CA must have.",
    run({ cloud }) {
      const { registrationCode } = cloud.authorities;
      return { lines: [registrationCode], json: { registrationCode } };
    },
  },
  {
    words: "register ca",
    rest: "CA_FILE VERIFICATION_FILE [auto]",
    arity: [2, 3],
    summary: "Take certificates of your own CA; auto registers them when they first connect.",
    run({ cloud }, [caFile, verificationFile, auto]) {
      if (auto !== undefined && auto !== "auto") throw new CliError(`"auto" or nothing, not "${printable(auto)}"`);
      const { caCertificateId, status, autoRegistration } = cloud.authorities.register({
        certificate: readInput(caFile!, "CA certificate"),
        verificationCertificate: readInput(verificationFile!, "verification certificate"),
        autoRegistration: auto === "auto",
      });
      return {
        lines: [`the CA ${caCertificateId} is ${status}${autoRegistration ? ", with auto registration" : ""}`],
        json: { caCertificateId, status, autoRegistration },
      };
    },
  },
  ...(["activate", "deactivate"] as const).map(
    (change): Verb => ({
      words: `${change} ca`,
      rest: "ID",
      arity: [1, 1],
      summary: change === "activate" ? "Register its certificates again." : "Register no more of its certificates.",
      run({ cloud }, [id]) {
        const { caCertificateId } = findById(cloud.authorities.list, (row) => row.caCertificateId, id!, "CA");
        cloud.authorities.setStatus(caCertificateId, change === "activate" ? "ACTIVE" : "INACTIVE");
        return done(`the CA ${caCertificateId} is ${change}d`);
      },
    }),
  ),
  {
    words: "delete ca",
    rest: "ID",
    arity: [1, 1],
    summary: "Forget a CA: its certificates do not connect any more.",
    run({ cloud }, [id]) {
      const { caCertificateId } = findById(cloud.authorities.list, (row) => row.caCertificateId, id!, "CA");
      cloud.authorities.delete(caCertificateId);
      return done(`the CA ${caCertificateId} is gone`);
    },
  },
  {
    words: "explain",
    rest: "[N]",
    arity: [0, 1],
    summary: "Why the latest clients and actions were refused; only where the simulator runs.",
    run({ cloud }, [count = "10"]) {
      if (!/^[1-9]\d{0,2}$/.test(count))
        throw new CliError(`explain takes a number up to 999, not "${printable(count)}"`);
      const explanations = cloud.explain().slice(-Number(count));
      const lines = explanations.map(({ at, clientId, action, resource, explanation }) => {
        const time = at === undefined ? "" : `${new Date(at).toISOString()} `;
        const who = clientId === undefined ? "" : `"${printable(clientId)}" `;
        return `${time}${who}${action} ${printable(resource)}: ${explanation}`.replace(/ +:/, ":");
      });
      return { lines: lines.length === 0 ? ["nothing was refused"] : lines, json: explanations };
    },
  },
];

/** The help of `thingwire registry`, and of the running simulator. */
export const registryHelp: readonly string[] = verbs.map((verb) => `  ${usageOf(verb).padEnd(52)}  ${verb.summary}`);

function usageOf({ words, rest }: Verb): string {
  return rest === "" ? words : `${words} ${rest}`;
}

function list({ cloud }: Account, what: string | undefined): RegistryAnswer {
  const certificates = cloud.certificates.list.map(({ certificatePem: _, ...certificate }) => certificate);
  const cas = cloud.authorities.list.map(({ certificatePem: _, ...authority }) => authority);
  const tables: Readonly<Record<string, { readonly json: readonly unknown[]; readonly lines: readonly string[] }>> = {
    things: {
      json: cloud.things.list,
      lines: cloud.things.list.map(thingLine),
    },
    certificates: { json: certificates, lines: certificates.map(certificateLine) },
    policies: {
      json: cloud.policies.list.map(({ name, document }) => ({ policyName: name, document })),
      lines: cloud.policies.list.map(({ name }) => `policy ${name}`),
    },
    cas: {
      json: cas,
      lines: cas.map(
        ({ caCertificateId, status, autoRegistration }) =>
          `ca ${caCertificateId} ${status}${autoRegistration ? " auto" : ""}`,
      ),
    },
  };
  if (what === undefined)
    return {
      lines: Object.values(tables).flatMap(({ lines }) => lines),
      json: Object.fromEntries(Object.entries(tables).map(([name, { json }]) => [name, json])),
    };
  const table = Object.hasOwn(tables, what) ? tables[what] : undefined;
  if (table === undefined) throw new CliError(`list takes ${Object.keys(tables).join(", ")}, not "${printable(what)}"`);
  return table;
}

async function createThing(account: Account, thingName: string, options: readonly string[]): Promise<RegistryAnswer> {
  const keyType = options.find((word) => word === "p256" || word === "rsa");
  const policies = options.filter((word) => word !== keyType);
  if (policies.length > 1) throw new CliError(`one policy, not "${printable(policies.join(" "))}"`);
  const [name] = policies;
  if (name !== undefined && name !== "none") account.cloud.policies.get(name);
  const policy = name === "none" ? false : name;
  const stored = await account.createThing(thingName, { keyType: keyType as "p256" | "rsa" | undefined, policy });
  const { certificateId, certificateFile: certificate, privateKeyFile: privateKey } = stored;
  return {
    lines: [`thing ${thingName}, certificate ${certificateId}`, `  ${certificate}`, `  ${privateKey}`],
    json: { thingName, certificateId, certificate, privateKey, ca: account.folder.caFile },
  };
}

function findCertificate(certificates: readonly RegisteredCertificate[], id: string): RegisteredCertificate {
  return findById(certificates, ({ certificateId }) => certificateId, id, "certificate");
}

/** By the id or the beginning of it, as long as that is the only one. */
function findById<T>(rows: readonly T[], idOf: (row: T) => string, id: string, noun: string): T {
  const found = rows.filter((row) => idOf(row).startsWith(id.toLowerCase()));
  if (found.length === 1 && id !== "") return found[0]!;
  const problem = found.length === 0 ? "there is none" : `there are ${found.length}`;
  throw new UsageError("USAGE_INVALID_ARGUMENT", `${noun} ${printable(id)}: ${problem}`);
}

function shown(certificate: RegisteredCertificate): RegistryAnswer {
  const { certificatePem: _, ...json } = certificate;
  return { lines: [certificateLine(json)], json };
}

function thingLine({ thingName, typeName, attributes }: RegisteredThing): string {
  const pairs = Object.entries(attributes).map(([key, value]) => `${key}=${printable(value)}`);
  return ["thing", thingName, ...(typeName === undefined ? [] : [typeName]), ...pairs].join(" ");
}

function certificateLine(certificate: Omit<RegisteredCertificate, "certificatePem">): string {
  const { certificateId, status, things, policies } = certificate;
  const names = (kind: string, list: readonly string[]) => (list.length === 0 ? `no ${kind}` : list.join(", "));
  return `certificate ${certificateId} ${status}, ${names("thing", things)}, ${names("policy", policies)}`;
}

function done(line: string): RegistryAnswer {
  return { lines: [line], json: { done: line } };
}
