import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isThingwireError } from "../../../src/errors.ts";
import { Broker, type BrokerAction } from "../../../src/mqtt/broker.ts";
import { PacketType } from "../../../src/mqtt/packets.ts";
import {
  connectFacts,
  evaluate,
  lintPolicy,
  type Policy,
  type PolicyAction,
  type PolicyContext,
  parsePolicy,
  policyRequests,
  type StatementDocument,
} from "../../../src/simulator/policy/index.ts";
import { compilePattern, matchesPattern } from "../../../src/simulator/policy/pattern.ts";
import { runs } from "../../runs.ts";
import { connect, Peer, publish, subscribe } from "../../unit/broker/peer.ts";
import { filterMatches, type OracleClient, oracle } from "./policy-oracle.ts";

const ACCOUNT = { region: "us-east-1", accountId: "123456789012" };
const CLIENTS = ["lamp", "fan", "+", "*"] as const;
const TOPICS = ["a", "a/b", "a/b/c", "lamp/x", "fan/x", "b", "$aws/things/lamp/x"] as const;
const FILTERS = ["#", "a/#", "a/+", "a/b", "+/x", "lamp/#", "fan/x", "$aws/things/+/x", "b"] as const;
const RESOURCES = [
  "*",
  "topic/*",
  "topicfilter/*",
  "client/*",
  "topic/a/*",
  "topic/a/b",
  "topic/?",
  "topic/a/+",
  "topic/a/#",
  "topic/$" + "{iot:ClientId}/*",
  "topic/$" + "{iot:Connection.Thing.ThingName}/x",
  "topic/$" + "{$}aws/*",
  "topicfilter/a/*",
  "topicfilter/a/b",
  "topicfilter/?",
  "topicfilter/$" + "{iot:ClientId}/x",
  "topicfilter/$" + "{iot:Connection.Thing.ThingName}/#",
  "client/$" + "{iot:ClientId}",
  "client/$" + "{iot:Connection.Thing.ThingName}",
  "client/$" + "{*}",
] as const;
const ACTIONS = ["*", "iot:*", "iot:Connect", "iot:Publish", "iot:*Publish", "iot:Subscribe", "iot:Receive"] as const;

const resource = fc
  .constantFrom(...RESOURCES)
  .map((text) => (text === "*" ? text : `arn:aws:iot:${ACCOUNT.region}:${ACCOUNT.accountId}:${text}`));
const resources = fc.array(resource, { minLength: 1, maxLength: 3 });
const condition: fc.Arbitrary<StatementDocument["Condition"]> = fc.constantFrom(
  { Bool: { "iot:Connection.Thing.IsAttached": "true" } },
  { Bool: { "iot:Connection.Thing.IsAttached": ["false"] } },
  { StringNotLike: { "iot:ClientId": ["f?n", "x*"] } },
  { "ForAllValues:StringEquals": { "iot:ConnectAttributes": ["LastWill"] } },
);
const statement: fc.Arbitrary<StatementDocument> = fc
  .record({
    Effect: fc.constantFrom("Allow", "Allow", "Allow", "Deny") as fc.Arbitrary<"Allow" | "Deny">,
    Action: fc.oneof(
      fc.constantFrom(...ACTIONS),
      fc.uniqueArray(fc.constantFrom(...ACTIONS), { minLength: 1, maxLength: 3 }),
    ),
    resources,
    exceptRarely: fc.integer({ min: 0, max: 5 }),
    Condition: fc.option(condition, { nil: undefined, freq: 2 }),
  })
  .map(({ Effect, Action, resources: list, exceptRarely, Condition }) => ({
    Effect,
    Action,
    ...(exceptRarely === 0 ? { NotResource: list } : { Resource: list }),
    ...(Condition === undefined ? {} : { Condition }),
  }));
const statements = fc.array(statement, { minLength: 1, maxLength: 4 });
/** Mostly such that something happens: few random policies let a client connect, subscribe, publish and receive. */
const livelyStatements: fc.Arbitrary<readonly StatementDocument[]> = fc.oneof(
  { weight: 1, arbitrary: statements },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom("*", "iot:*", ["iot:Connect", "iot:Subscribe", "iot:Receive"]),
        fc.array(statement, { maxLength: 3 }),
      )
      .map(([Action, more]) => [{ Effect: "Allow" as const, Action, Resource: "*" }, ...more]),
  },
);

function contextOf({ clientId, thing, persistent }: OracleClient): PolicyContext {
  return {
    clientId,
    isAttached: thing !== undefined,
    thing: thing === undefined ? undefined : { name: thing },
    connect: persistent === undefined ? undefined : { persistent },
  };
}

const compile = (list: readonly StatementDocument[]): Policy =>
  parsePolicy("p", { Version: "2012-10-17", Statement: list });

describe("policies, by a second reading of them", () => {
  it("§8 wildcards: the matcher agrees with a recursive one", () => {
    const letters = fc
      .array(fc.constantFrom("a", "b", "/", "\u{1f4a1}"), { maxLength: 8 })
      .map((list) => list.join(""));
    const patterns = fc
      .array(fc.constantFrom("a", "b", "/", "*", "?", "\u{1f4a1}"), { maxLength: 8 })
      .map((list) => list.join(""));
    const naive = (p: readonly string[], t: readonly string[]): boolean => {
      if (p.length === 0) return t.length === 0;
      if (p[0] === "*") return naive(p.slice(1), t) || (t.length > 0 && naive(p, t.slice(1)));
      return t.length > 0 && (p[0] === "?" || p[0] === t[0]) && naive(p.slice(1), t.slice(1));
    };
    fc.assert(
      fc.property(patterns, letters, (pattern, text) => {
        expect(matchesPattern(compilePattern(pattern), text)).toBe(naive([...pattern], [...text]));
      }),
      runs(1_000),
    );
  });

  it("§8 evaluate agrees with the oracle, and explains each answer in one printable line", () => {
    const request = fc.oneof(
      fc.tuple(
        fc.constantFrom<PolicyAction>("iot:Publish", "iot:Receive", "iot:RetainPublish"),
        fc.constantFrom(...TOPICS).map((t) => `topic/${t}`),
      ),
      fc.tuple(
        fc.constant<PolicyAction>("iot:Subscribe"),
        fc.constantFrom(...FILTERS).map((f) => `topicfilter/${f}`),
      ),
      fc.tuple(
        fc.constant<PolicyAction>("iot:Connect"),
        fc.constantFrom(...CLIENTS).map((c) => `client/${c}`),
      ),
    );
    let allowedAtAll = 0;
    fc.assert(
      fc.property(
        statements,
        request,
        fc.constantFrom(...CLIENTS),
        fc.boolean(),
        fc.boolean(),
        (list, [action, asked], clientId, attached, persistent) => {
          const client: OracleClient = { clientId, thing: attached ? clientId : undefined, persistent };
          const decision = evaluate([compile(list)], { action, resource: asked, ...ACCOUNT }, contextOf(client));
          expect(decision.allowed).toBe(oracle(list, action, asked, client));
          expect(decision.explanation).toMatch(decision.allowed ? /^allowed: statement \d/ : /^denied: [\x20-\x7e…]+$/);
          if (decision.allowed) allowedAtAll++;
          // One document or several with its statements: the same answer.
          const apart = evaluate(
            list.map((one) => compile([one])),
            { action, resource: asked, ...ACCOUNT },
            contextOf(client),
          );
          expect(apart.allowed).toBe(decision.allowed);
        },
      ),
      runs(600),
    );
    expect(allowedAtAll).toBeGreaterThan(100);
  });

  it("totality: any JSON is a policy or MalformedPolicyException, and a policy can be judged and linted", () => {
    const key = fc.constantFrom(
      "Version",
      "Statement",
      "Effect",
      "Action",
      "Resource",
      "NotResource",
      "Condition",
      "Sid",
      "__proto__",
    );
    const value = fc.letrec((tie) => ({
      json: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom(
          "2012-10-17",
          "Allow",
          "Deny",
          "iot:Publish",
          "*",
          `arn:aws:iot:*:*:topic/\${`,
          `\${a}`,
          "Bool",
          "",
          true,
          1,
          null,
        ),
        fc.string({ maxLength: 6 }),
        fc.array(tie("json"), { maxLength: 3 }),
        fc.dictionary(fc.oneof(key, fc.string({ maxLength: 4 })), tie("json"), { maxKeys: 5 }),
      ),
    })).json;
    const almost = fc.record({
      Version: fc.constant("2012-10-17"),
      Statement: fc.array(
        fc.record(
          {
            Effect: fc.constantFrom("Allow", "Deny"),
            Action: fc.constantFrom("iot:*", "*", "iot:Publish"),
            Resource: fc.oneof(
              fc.string().map((text) => `arn:aws:iot:*:*:topic/${text}`),
              value,
            ),
            Condition: fc.dictionary(
              fc.constantFrom("Bool", "StringLike", "IpAddress", "DateLessThan", "ArnLike"),
              fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }),
              { maxKeys: 2 },
            ),
          },
          { requiredKeys: ["Effect", "Action", "Resource"] },
        ),
        { minLength: 1, maxLength: 3 },
      ),
    });
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(value, almost), fc.string(), (document, topic) => {
        let policy: Policy;
        try {
          policy = parsePolicy("p", document);
        } catch (error) {
          expect(isThingwireError(error) && error.data["exception"]).toBe("MalformedPolicyException");
          return;
        }
        read++;
        lintPolicy(policy);
        evaluate(
          [policy],
          { action: "iot:Publish", resource: `topic/${topic}`, ...ACCOUNT },
          { clientId: topic, isAttached: false },
        );
      }),
      runs(500),
    );
    expect(read).toBeGreaterThan(20);
  });
});

describe("policies at the broker", () => {
  interface Device {
    readonly clientId: string;
    readonly attached: boolean;
    readonly persistent: boolean;
    readonly policy: readonly StatementDocument[];
    readonly will: string | undefined;
  }
  const device = fc.record({
    attached: fc.boolean(),
    persistent: fc.boolean(),
    policy: livelyStatements,
    will: fc.option(fc.constantFrom(...TOPICS), { nil: undefined }),
  });
  const who = fc.nat({ max: CLIENTS.length - 1 });
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant("subscribe" as const), who, filter: fc.constantFrom(...FILTERS) }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant("publish" as const),
        who,
        topic: fc.constantFrom(...TOPICS),
        qos: fc.constantFrom(0, 1) as fc.Arbitrary<0 | 1>,
        retain: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("drop" as const), who }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("connect" as const), who }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("policy" as const), who, policy: livelyStatements }) },
  );

  it("§8 nothing that the policies deny is delivered, and all that they allow is", () => {
    let delivered = 0;
    let withheld = 0;
    fc.assert(
      fc.property(
        fc.tuple(device, device, device, device),
        fc.array(step, { minLength: 15, maxLength: 50 }),
        (four, steps) => {
          const devices: Device[] = four.map((one, i) => ({ ...one, clientId: CLIENTS[i]! }));
          const compiled = devices.map(({ policy }) => compile(policy));
          const client = (i: number): OracleClient => ({
            clientId: devices[i]!.clientId,
            thing: devices[i]!.attached ? devices[i]!.clientId : undefined,
          });
          const may = (i: number, action: PolicyAction, asked: string, more: Partial<OracleClient> = {}): boolean =>
            oracle(devices[i]!.policy, action, asked, { ...client(i), ...more });

          const authorize = (action: BrokerAction) => {
            const i = Number(action.principal);
            const context = { ...contextOf(client(i)), connect: connectFacts(action) };
            for (const request of policyRequests(action)) {
              const { allowed, explanation } = evaluate([compiled[i]!], { ...request, ...ACCOUNT }, context);
              if (!allowed) return { denied: explanation };
            }
            return true as const;
          };
          const broker = new Broker({ now: () => 0, authorize });
          const peers: (Peer | undefined)[] = devices.map(() => undefined);
          /** Filters that the oracle let each client have in this session. */
          const filters: Set<string>[] = devices.map(() => new Set());
          /** Per message: whether the oracle let it be published. */
          const sent: boolean[] = [];
          const wills = new Map<string, number>();

          const open = (i: number): void => {
            const { clientId, will, persistent } = devices[i]!;
            const peer = new Peer(broker, String(i));
            const payload = Uint8Array.from(`will ${i}`, (c) => c.charCodeAt(0));
            peer.say(
              connect(clientId, {
                cleanSession: !persistent,
                will: will === undefined ? undefined : { topic: will, payload, qos: 0, retain: false },
              }),
            );
            const connack = peer.heard().find(({ type }) => type === PacketType.CONNACK);
            const accepted = connack?.type === PacketType.CONNACK && connack.returnCode === 0;
            expect(accepted).toBe(may(i, "iot:Connect", `client/${clientId}`, { persistent }));
            if (!accepted) return;
            if (!(connack as { sessionPresent: boolean }).sessionPresent) filters[i]!.clear();
            peers[i] = peer;
            wills.set(`will ${i}`, i);
          };
          /** Looks at all that came, and returns who got the message with this text. */
          const collect = (text?: string): Set<number> => {
            const got = new Set<number>();
            peers.forEach((peer, i) => {
              for (const message of peer?.messages() ?? []) {
                delivered++;
                if (message.text === text) got.add(i);
                expect(may(i, "iot:Receive", `topic/${message.topic}`)).toBe(true);
                expect([...filters[i]!].some((filter) => filterMatches(filter, message.topic))).toBe(true);
                const willOf = wills.get(message.text);
                const permitted =
                  willOf === undefined
                    ? sent[Number(message.text)]
                    : may(willOf, "iot:Publish", `topic/${message.topic}`);
                expect(permitted).toBe(true);
              }
            });
            return got;
          };

          for (const i of devices.keys()) open(i);
          for (const at of steps) {
            const peer = peers[at.who];
            const isOpen = peer?.isOpen === true;
            if (at.do === "policy") {
              devices[at.who] = { ...devices[at.who]!, policy: at.policy };
              compiled[at.who] = compile(at.policy);
            } else if (at.do === "connect") open(at.who);
            else if (!isOpen) open(at.who);
            else if (at.do === "drop") peer.connection.end();
            else if (at.do === "subscribe") {
              if (may(at.who, "iot:Subscribe", `topicfilter/${at.filter}`)) filters[at.who]!.add(at.filter);
              peer.say(subscribe(1, [at.filter, 1]));
            } else {
              const { topic, qos, retain } = at;
              const name = `topic/${topic}`;
              const permitted = may(at.who, "iot:Publish", name) && (!retain || may(at.who, "iot:RetainPublish", name));
              const text = String(sent.push(permitted) - 1);
              const online = peers.map((other) => other?.isOpen === true);
              peer.say(publish(topic, text, { qos, retain, packetId: qos === 0 ? 0 : 7 }));
              const got = collect(text);
              online.forEach((listens, i) => {
                const due =
                  listens &&
                  permitted &&
                  may(i, "iot:Receive", name) &&
                  [...filters[i]!].some((filter) => filterMatches(filter, topic));
                expect(got.has(i)).toBe(due);
                if (listens && !due) withheld++;
              });
              expect(peer.isOpen).toBe(permitted);
            }
            collect();
          }
        },
      ),
      runs(120),
    );
    // So that the property is not about silence.
    expect(delivered).toBeGreaterThan(200);
    expect(withheld).toBeGreaterThan(200);
  });
});
