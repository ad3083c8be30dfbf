import { afterAll, describe, expect, it } from "vitest";
import { diagnose } from "../../../src/cli/doctor/diagnose.ts";
import type { DoctorOptions, DoctorPorts } from "../../../src/cli/doctor/ports.ts";
import type { DoctorReport } from "../../../src/cli/doctor/report.ts";
import { awsAtWorst } from "../../../src/mqtt/broker.ts";
import { nodeCrypto } from "../../../src/runtime/node-crypto.ts";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { generateRsaKey } from "../../../src/runtime/node-rsa.ts";
import { createAuthority, issueDevice } from "../../../src/simulator/authority.ts";
import { type Cloud, type CreateThingOptions, type SimulateOptions, simulate } from "../../../src/simulator/cloud.ts";
import { defaultPolicy, examplePolicies } from "../../../src/simulator/policy/index.ts";
import { finish } from "../../../src/task.ts";
import { issueUnder, selfSign } from "../../../src/tls/x509/authority.ts";
import { encodePrivateKey, toPem } from "../../../src/tls/x509/index.ts";
import { accusations, optionsOf, portsOf, secretsOf } from "./doctor-bench.ts";

const crypto = nodeCrypto();
const { random, clock } = nodeRuntime;
const issuing = { crypto, random, clock };
const ARN = "arn:aws:iot:eu-west-1:123456789012:";

/** What the device holds. */
interface Held {
  readonly certificate: Uint8Array;
  readonly privateKey: Uint8Array;
}

interface Case {
  readonly cloud?: Partial<SimulateOptions>;
  readonly thing?: CreateThingOptions;
  /** Changes the account, or the way to it. */
  readonly arrange?: (cloud: Cloud, certificateId: string) => void;
  /** Other credentials than those of the thing. */
  readonly held?: (cloud: Cloud) => Held;
  /** Which of the endpoint's ports the doctor reaches, whatever number it dials. */
  readonly port?: 8883 | 443;
  readonly options?: Partial<DoctorOptions>;
  readonly ports?: Partial<DoctorPorts>;
  /** The policy as a file, for --policy. */
  readonly policyFile?: object | string;
  /** Something is waited for that does not come. */
  readonly isSilent?: boolean;
}

const clouds: Cloud[] = [];
afterAll(async () => {
  for (const cloud of clouds.splice(0)) await cloud.close();
});

async function examine(patient: Case): Promise<{ report: DoctorReport; found: string[]; cloud: Cloud }> {
  const cloud = await simulate({ runtime: nodeRuntime, crypto, generateRsaKey, ...patient.cloud });
  clouds.push(cloud);
  const lamp = await cloud.createThing("lamp", patient.thing);
  patient.arrange?.(cloud, lamp.certificateId);
  const held = patient.held?.(cloud) ?? lamp;
  const files = {
    "client.crt": toPem("CERTIFICATE", held.certificate),
    "client.key": toPem("PRIVATE KEY", held.privateKey),
    "ca.crt": toPem("CERTIFICATE", lamp.trust),
    "policy.json": typeof patient.policyFile === "string" ? patient.policyFile : JSON.stringify(patient.policyFile),
  };
  const tcp = () => cloud.connect({ port: patient.port ?? 8883 });
  const limits = patient.isSilent === true ? { timeoutMs: 2_000, answerTimeoutMs: 500 } : { timeoutMs: 8_000 };
  const report = await diagnose(
    optionsOf({ files, options: { ca: "ca.crt", thingName: "lamp", ...limits, ...patient.options } }),
    portsOf({ files, ports: { tcp, ...patient.ports } }),
  );
  const text = JSON.stringify(report);
  for (const secret of secretsOf(files)) expect(text).not.toContain(secret);
  return { report, found: accusations(report), cloud };
}

/** A policy of some statements; the resources get the ARN's beginning. */
function policy(...statements: readonly (readonly ["Allow" | "Deny", string, string])[]): object {
  return {
    Version: "2012-10-17",
    Statement: statements.map(([Effect, Action, resource]) => ({ Effect, Action, Resource: `${ARN}${resource}` })),
  };
}

const shadow = "$aws/things/lamp/shadow";
const all = [
  ["Allow", "iot:Connect", "client/lamp"],
  ["Allow", "iot:Subscribe", `topicfilter/${shadow}/*`],
  ["Allow", "iot:Publish", `topic/${shadow}/*`],
  ["Allow", "iot:Receive", `topic/${shadow}/*`],
] as const;

/** All but what has this action. */
function without(action: string): CreateThingOptions {
  return { policy: policy(...all.filter(([, one]) => one !== action)) };
}

function denying(action: string, resource: string): CreateThingOptions {
  return { policy: policy(...all, ["Deny", action, resource]) };
}

function heldOf(issued: {
  readonly certificate: Uint8Array;
  readonly privateKey: Parameters<typeof encodePrivateKey>[0];
}): Held {
  return { certificate: issued.certificate, privateKey: encodePrivateKey(issued.privateKey) };
}

/** A device of a CA of the user's, which is registered with its proof as asked. */
function ownCa(
  cloud: Cloud,
  registration: { status?: "ACTIVE" | "INACTIVE"; autoRegistration?: boolean } | undefined,
  adopt: boolean,
): Held {
  const key = finish(crypto.generateKey("secp256r1", random));
  const authority = selfSign(key, issuing, { subject: [["CN", "the user's CA"]], days: 30 });
  if (registration !== undefined) {
    const verificationCertificate = issueUnder(authority, issuing, {
      subject: [["CN", cloud.authorities.registrationCode]],
      publicKey: finish(crypto.publicKey(key, random)),
      days: 1,
      extensions: { ca: false },
    });
    cloud.authorities.register({ certificate: authority.certificate, verificationCertificate, ...registration });
  }
  const device = issueDevice(authority, issuing, "lamp");
  if (adopt) cloud.adopt(device.certificate, { thingName: "lamp", policyName: cloud.policyFor("lamp", undefined) });
  return heldOf(device);
}

function clockAt(days: number): Partial<DoctorPorts> {
  const wallMs = (): number => Date.now() + days * 86_400_000;
  return { runtime: { ...nodeRuntime, clock: { ...clock, wallMs } } };
}

const broken: readonly (readonly [name: string, patient: Case, expected: readonly string[]])[] = [
  ["INACTIVE", { thing: { status: "INACTIVE" } }, ["client-certificate DOCTOR_CERTIFICATE_REFUSED"]],
  [
    "PENDING_ACTIVATION",
    { thing: { status: "PENDING_ACTIVATION" } },
    ["client-certificate DOCTOR_CERTIFICATE_REFUSED"],
  ],
  ["REVOKED", { thing: { status: "REVOKED" } }, ["client-certificate DOCTOR_CERTIFICATE_REVOKED"]],
  ["deleted", { arrange: forget }, ["client-certificate DOCTOR_CERTIFICATE_REFUSED"]],
  [
    "of a CA that nobody registered",
    { held: (cloud) => ownCa(cloud, undefined, false) },
    ["client-certificate DOCTOR_ISSUER_UNKNOWN"],
  ],
  [
    "of a registered CA, itself not registered",
    { held: (cloud) => ownCa(cloud, {}, false) },
    ["client-certificate DOCTOR_CERTIFICATE_REFUSED"],
  ],
  [
    "expired",
    { held: () => heldOf(issueDevice(createAuthority(issuing), issuing, "lamp")), ports: clockAt(3_655) },
    ["certificate-dates DOCTOR_CERTIFICATE_EXPIRED", "server-certificate DOCTOR_SERVER_EXPIRED"],
  ],
  [
    "another name of the server (SNI)",
    { options: { endpoint: "other.example.com" } },
    ["handshake DOCTOR_SERVER_NAME_UNKNOWN"],
  ],
  ["an address, so no SNI", { options: { endpoint: "127.0.0.1" } }, ["handshake DOCTOR_SERVER_NAME_MISSING"]],
  ["port 443 without ALPN", { port: 443, options: { port: 443, alpn: [] } }, ["alpn DOCTOR_ALPN_NEEDED"]],
  ["the ALPN port under another number", { port: 443 }, ["alpn DOCTOR_ALPN_NEEDED"]],
  ["ALPN of custom authorizers", { port: 443, options: { port: 443, alpn: ["mqtt"] } }, ["alpn DOCTOR_ALPN_NEEDED"]],
  [
    "Amazon's roots instead of the CA",
    { options: { ca: undefined } },
    ["server-certificate DOCTOR_SERVER_NOT_TRUSTED"],
  ],

  ["no policy", { thing: { policy: false } }, ["connect DOCTOR_CONNECT_ALERT"]],
  [
    "no policy, where it closes without an alert",
    { thing: { policy: false }, cloud: { denials: { withoutPolicy: "close" } } },
    ["connect DOCTOR_CONNECT_CLOSED"],
  ],
  [
    "no thing attached",
    { arrange: (cloud, id) => cloud.registry.detachThing("lamp", id) },
    ["connect DOCTOR_CONNECT_ALERT"],
  ],
  ["a policy without iot:Connect", { thing: without("iot:Connect") }, ["connect DOCTOR_CONNECT_CLOSED"]],
  [
    "the same, with CONNACK 5",
    { thing: without("iot:Connect"), cloud: { broker: { deniedConnect: "connack-5" } } },
    ["connect DOCTOR_CONNECT_REFUSED_NOT_AUTHORIZED"],
  ],
  [
    "the same, with CONNACK 7",
    { thing: without("iot:Connect"), cloud: { broker: { deniedConnect: "connack-7" } } },
    ["connect DOCTOR_CONNECT_REFUSED_OTHER"],
  ],
  ["iot:Connect denied explicitly", { thing: denying("iot:Connect", "client/l*") }, ["connect DOCTOR_CONNECT_CLOSED"]],
  [
    "another client id",
    { options: { clientId: "phone" } },
    ["connect DOCTOR_CONNECT_CLOSED", "client-id DOCTOR_CLIENT_ID_DENIED"],
  ],
  [
    "the thing's name in another case",
    { options: { thingName: "Lamp" } },
    ["thing-name DOCTOR_THING_NAME_CASE?", "connect DOCTOR_CONNECT_CLOSED"],
  ],
  [
    "a policy of another region",
    { thing: { policy: policy(...all) }, cloud: { account: { region: "us-east-1", accountId: "123456789012" } } },
    ["connect DOCTOR_CONNECT_CLOSED"],
  ],

  [
    "no iot:Subscribe",
    { thing: without("iot:Subscribe") },
    ["subscribe DOCTOR_SUBSCRIBE_CLOSED", "shadow-update DOCTOR_SUBSCRIBE_CLOSED"],
  ],
  [
    "the same, with SUBACK 128",
    { thing: without("iot:Subscribe"), cloud: { broker: { deniedSubscribe: "suback" } } },
    ["subscribe DOCTOR_SUBSCRIBE_REFUSED", "shadow-update DOCTOR_SUBSCRIBE_REFUSED"],
  ],
  [
    "topic/ instead of topicfilter/",
    {
      thing: {
        policy: policy(...all.filter(([, one]) => one !== "iot:Subscribe"), [
          "Allow",
          "iot:Subscribe",
          `topic/${shadow}/*`,
        ]),
      },
    },
    ["subscribe DOCTOR_SUBSCRIBE_CLOSED", "shadow-update DOCTOR_SUBSCRIBE_CLOSED"],
  ],
  [
    "no iot:Publish",
    { thing: without("iot:Publish") },
    ["publish DOCTOR_PUBLISH_CLOSED", "shadow-update DOCTOR_PUBLISH_CLOSED"],
  ],
  [
    "no iot:Receive",
    { thing: without("iot:Receive"), isSilent: true },
    ["receive DOCTOR_RECEIVE_SILENT", "shadow-update DOCTOR_RECEIVE_SILENT"],
  ],
  [
    "update denied",
    { thing: denying("iot:Publish", `topic/${shadow}/update`) },
    ["shadow-update DOCTOR_PUBLISH_CLOSED"],
  ],
  ["get denied", { thing: denying("iot:Publish", `topic/${shadow}/get`) }, ["publish DOCTOR_PUBLISH_CLOSED"]],
  [
    "the answers to update denied",
    { thing: denying("iot:Receive", `topic/${shadow}/update/*`), isSilent: true },
    ["shadow-update DOCTOR_RECEIVE_SILENT"],
  ],
  [
    "update/accepted may not be subscribed to",
    { thing: denying("iot:Subscribe", `topicfilter/${shadow}/update/accepted`) },
    ["shadow-update DOCTOR_SUBSCRIBE_CLOSED"],
  ],
  [
    "the C SDK's shadow policy, which lacks the answers to get",
    { thing: { policy: examplePolicies["sdk-shadow"] } },
    ["subscribe DOCTOR_SUBSCRIBE_CLOSED"],
  ],
  [
    "+ in a resource, which is a literal",
    {
      thing: {
        policy: policy(
          all[0],
          ["Allow", "iot:Subscribe", "topicfilter/sensors/+"],
          ["Allow", "iot:*", "topic/sensors/+"],
        ),
      },
      options: { topic: "sensors/1", thingName: undefined },
    },
    ["subscribe DOCTOR_SUBSCRIBE_CLOSED", "publish DOCTOR_PUBLISH_CLOSED"],
  ],
  [
    "a topic that the policy does not allow",
    { options: { topic: "elsewhere" } },
    ["subscribe DOCTOR_SUBSCRIBE_CLOSED", "publish DOCTOR_PUBLISH_CLOSED"],
  ],
  [
    "a shadow service that takes shorter tokens",
    { cloud: { shadows: { limits: { depth: 6, documentBytes: 8192, tokenBytes: 4, payloadBytes: 131_072 } } } },
    ["shadow-get DOCTOR_SHADOW_REFUSED", "shadow-update DOCTOR_SHADOW_REFUSED"],
  ],

  [
    "a connection that is cut in the handshake",
    { arrange: (cloud) => cloud.faults.cut({ after: 1_200, times: 9 }) },
    ["client-certificate DOCTOR_CERTIFICATE_REFUSED_SILENTLY"],
  ],
  [
    "a network that is too slow",
    { arrange: (cloud) => cloud.faults.delay(2_500), isSilent: true },
    ["handshake DOCTOR_HANDSHAKE_HANGS"],
  ],
];

function forget(cloud: Cloud, certificateId: string): void {
  const { things, policies } = cloud.certificates.get(certificateId);
  for (const name of things) cloud.registry.detachThing(name, certificateId);
  for (const name of policies) cloud.registry.detachPolicy(name, certificateId);
  cloud.certificates.deactivate(certificateId);
  cloud.certificates.delete(certificateId);
}

/** Policies as files, against a cloud that allows everything: what is found is found in the file. */
const policyFiles: readonly (readonly [
  name: string,
  file: object | string,
  expected: readonly string[],
  evidence?: string,
])[] = [
  ["no JSON", "Statement: []", ["policy DOCTOR_POLICY_UNREADABLE"]],
  ["no policy", { Version: 1 }, ["policy DOCTOR_POLICY_UNREADABLE"], "Version"],
  [
    "iot:Connect missing",
    policy(...all.slice(1)),
    ["policy DOCTOR_POLICY_DENIES", "policy DOCTOR_POLICY_SUSPECT?"],
    "iot:Connect on client/lamp",
  ],
  [
    "+ in a topic",
    policy(all[0], all[1], ["Allow", "iot:Publish", "topic/$aws/things/+/shadow/*"], all[3]),
    ["policy DOCTOR_POLICY_DENIES", "policy DOCTOR_POLICY_DENIES", "policy DOCTOR_POLICY_SUSPECT?"],
    "literal",
  ],
  [
    "an explicit denial",
    denying("iot:Publish", `topic/${shadow}/update`).policy as object,
    ["policy DOCTOR_POLICY_DENIES"],
    "statement 5",
  ],
  ["everything", examplePolicies.everything, ["policy DOCTOR_POLICY_SUSPECT?"], "every action"],
  ["the least", policy(...all), []],
  ["the simulator's own", defaultPolicy, []],
];

const healthy: readonly (readonly [name: string, patient: Case])[] = [
  ["as it is made", {}],
  ["an RSA key", { thing: { keyType: "rsa" } }],
  ["port 443 with ALPN", { port: 443, options: { port: 443 } }],
  ["the ALPN port under another number", { port: 443, options: { alpn: ["x-amzn-mqtt-ca"] } }],
  ["without --thing: the certificate's common name is tried", { options: { thingName: undefined } }],
  ["the topic of the example", { options: { topic: "test_topic/esp32" } }],
  ["the least policy for the shadow", { thing: { policy: policy(...all) } }],
  ["everything allowed", { thing: { policy: examplePolicies.everything } }],
  ["a client id with the least policy of the app", { options: { clientId: "lamp-app" } }],
  ["a CA of the user's, registered", { held: (cloud) => ownCa(cloud, {}, true) }],
  ["a shadow with a difference", { arrange: (cloud) => void cloud.shadow("lamp").desire({ powerOn: true }) }],
  [
    "read-only, where update is denied",
    { thing: denying("iot:Publish", `topic/${shadow}/update`), options: { readOnly: true } },
  ],
  ["AWS IoT at its worst", { cloud: { broker: awsAtWorst(7) } }],
];

describe("doctor against the simulator: each cause by name, and nothing else", () => {
  it.concurrent.each(broken)("%s", async (_, patient, expected) => {
    const { found, report } = await examine(patient);
    expect(found).toEqual(expected);
    expect(report.healthy).toBe(false);
  });
});

describe("doctor: a policy as a file is judged statement by statement", () => {
  it.concurrent.each(policyFiles.map((row) => [...row.slice(0, 1), row] as const))("%s", async (...[, row]) => {
    const [, policyFile, expected, evidence = ""] = row as (typeof policyFiles)[number];
    const { found, report } = await examine({
      thing: { policy: examplePolicies.everything },
      policyFile,
      options: { policy: "policy.json" },
    });
    expect(found).toEqual(expected);
    const texts = report.results.filter(({ check }) => check === "policy").map((result) => result.evidence);
    expect(texts.join("\n")).toContain(evidence);
  });
});

it("doctor: with --read-only the policy need not allow the update", async () => {
  const { found } = await examine({
    thing: { policy: examplePolicies.everything },
    policyFile: denying("iot:Publish", `topic/${shadow}/update`).policy as object,
    options: { policy: "policy.json", readOnly: true },
  });
  expect(found).toEqual([]);
});

describe("doctor against the simulator: nothing healthy is accused", () => {
  it.concurrent.each(healthy)("%s", async (_, patient) => {
    const { found, report } = await examine(patient);
    expect(found).toEqual([]);
    expect(report.factors.map(({ verdict }) => verdict)).toEqual([
      "yes",
      "yes",
      "yes",
      "yes",
      expect.not.stringMatching("no$"),
    ]);
  });
});
