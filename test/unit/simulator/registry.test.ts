import { afterEach, describe, expect, it } from "vitest";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import type { Json } from "../../../src/shadow/json.ts";
import { type Cloud, defaultPolicy, examplePolicies, simulate } from "../../../src/simulator/index.ts";
import { type Ledger, recordKinds } from "../../../src/simulator/ledger.ts";
import { finish } from "../../../src/task.ts";
import { issueUnder } from "../../../src/tls/x509/authority.ts";
import { toPem } from "../../../src/tls/x509/pem.ts";
import { closeAll, crypto, issue, newAuthority, newKey, ports, registerAuthority, start } from "./account.ts";

afterEach(closeAll);

/** A ledger in memory, whose records another cloud can start with; `broken` makes it refuse to write. */
class MemoryLedger implements Ledger {
  readonly tables = new Map(recordKinds.map((kind) => [kind as string, new Map<string, Json>()]));
  broken = false;

  read(kind: string): Iterable<readonly [string, Json]> {
    return this.tables.get(kind)!;
  }

  write(kind: string, key: string, value: Json | undefined): void {
    if (this.broken) throw new Error("the disk is full");
    if (value === undefined) this.tables.get(kind)!.delete(key);
    else this.tables.get(kind)!.set(key, JSON.parse(JSON.stringify(value)));
  }
}

async function lampOf(cloud: Cloud) {
  return (await cloud.createThing("lamp", { policy: examplePolicies.everything })).certificateId;
}

describe("the registry", () => {
  it("createThing: thing, certificate and policy, attached to each other; the same thing gets one more certificate", async () => {
    const cloud = await start();
    const first = await cloud.createThing("lamp", { typeName: "Bulb", attributes: { room: "hall" } });
    expect(cloud.things.list).toEqual([{ thingName: "lamp", typeName: "Bulb", attributes: { room: "hall" } }]);
    const second = await cloud.createThing("lamp", { policy: false, status: "INACTIVE" });
    expect(cloud.things.find("lamp")?.typeName).toBe("Bulb");
    expect(cloud.certificates.list).toMatchObject([
      { certificateId: first.certificateId, status: "ACTIVE", things: ["lamp"], policies: ["thingwire-default"] },
      { certificateId: second.certificateId, status: "INACTIVE", things: ["lamp"], policies: [] },
    ]);
    expect(cloud.policies.get("thingwire-default").document).toEqual(defaultPolicy);
    await cloud.createThing("other", { policy: "thingwire-default" });
    await cloud.createThing("third", { policy: JSON.stringify(examplePolicies.everything) });
    expect(cloud.policies.list.map(({ name }) => name)).toEqual(["thingwire-default", "third-policy"]);
    await cloud.createThing("a:b", { policy: examplePolicies.everything });
    expect(cloud.policies.list.at(-1)?.name).toBe("a-b-policy");
    // What the user has made of the default policy stays.
    cloud.policies.put("thingwire-default", examplePolicies.everything);
    await cloud.createThing("other");
    expect(cloud.policies.get("thingwire-default").document).toEqual(examplePolicies.everything);
    await expect(cloud.createThing("x", { policy: "no policy" })).rejects.toMatchObject({
      code: "USAGE_INVALID_ARGUMENT",
    });
    await expect(cloud.createThing("x", { keyType: "rsa" })).rejects.toThrow("generateRsaKey");
    expect(cloud.things.find("x")).toBeUndefined();
  });

  it("a certificate that is registered already stays as it is", async () => {
    const cloud = await start();
    const device = issue(newAuthority()).certificate;
    const { certificateId } = cloud.adopt(device, {
      thingName: "lamp",
      policyName: cloud.policyFor("lamp", undefined),
    });
    cloud.certificates.revoke(certificateId);
    const before = cloud.certificates.get(certificateId);
    expect(cloud.certificates.register(device)).toEqual(before);
    cloud.adopt(device, { thingName: "other" });
    expect(cloud.certificates.get(certificateId)).toEqual({ ...before, things: ["lamp", "other"] });
  });

  it("as at AWS IoT, what is attached or active is not deleted", async () => {
    const cloud = await start();
    const id = await lampOf(cloud);
    expect(() => cloud.things.delete("lamp")).toThrow(`detach ${id} first`);
    expect(() => cloud.policies.delete("lamp-policy")).toThrow(`detach ${id} first`);
    expect(() => cloud.certificates.delete(id)).toThrow("deactivate it first");
    cloud.certificates.revoke(id);
    expect(() => cloud.certificates.delete(id)).toThrow("attached to lamp, lamp-policy");
    cloud.registry.detachThing("lamp", id);
    cloud.registry.detachPolicy("lamp-policy", id);
    cloud.things.delete("lamp");
    cloud.policies.delete("lamp-policy");
    cloud.certificates.delete(id);
    expect([cloud.things.list, cloud.policies.list, cloud.certificates.list]).toEqual([[], [], []]);
  });

  it("what is named and not there is a USAGE_INVALID_ARGUMENT", async () => {
    const cloud = await start();
    const id = await lampOf(cloud);
    for (const call of [
      () => cloud.things.delete("x"),
      () => cloud.policies.get("x"),
      () => cloud.policies.delete("x"),
      () => cloud.certificates.activate("x"),
      () => cloud.certificates.delete("x"),
      () => cloud.registry.attachThing("x", id),
      () => cloud.registry.attachPolicy("x", id),
      () => cloud.registry.attachPolicy("lamp-policy", "x"),
      () => cloud.authorities.setStatus("x", "ACTIVE"),
      () => cloud.authorities.delete("x"),
      () => cloud.policies.put("p", "{"),
      () => cloud.things.put({ thingName: "a b" }),
    ])
      expect(call).toThrow(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
  });

  it("a ledger brings all of it back, the registration code too", async () => {
    const ledger = new MemoryLedger();
    const cloud = await start({ ledger });
    const id = await lampOf(cloud);
    const caId = registerAuthority(cloud, newAuthority(), true);
    await cloud.shadow("lamp").desire({ on: true });
    await cloud.shadow("lamp", "gone").desire({ on: true });
    await cloud.shadow("lamp", "gone").delete();
    const again = await start({ ledger });
    expect(again.certificates.get(id)).toEqual(cloud.certificates.get(id));
    expect([again.things.list, again.authorities.list]).toEqual([cloud.things.list, cloud.authorities.list]);
    expect(again.authorities.find(caId)?.autoRegistration).toBe(true);
    expect(again.authorities.registrationCode).toBe(cloud.authorities.registrationCode);
    expect(again.registry.policiesInForce(id)).toEqual(cloud.registry.policiesInForce(id));
    expect(again.shadows.snapshot()).toEqual(cloud.shadows.snapshot());
    await again.shadow("lamp", "gone").desire({ on: true });
    // device-shadow.md §14: a shadow that was deleted goes on with its version.
    expect(again.shadow("lamp", "gone").get()?.version).toBe(3);
    expect(again.shadows.snapshot().tombstones).toEqual([]);
    // And after its 48 hours nothing is kept of it.
    await again.shadow("lamp", "gone").delete();
    const inTwoDays = { now: () => 0, wallMs: () => Date.now() + 48.1 * 3_600_000 };
    expect([...ledger.read("shadow")].map(([key]) => key)).toContain("$aws/things/lamp/shadow/name/gone");
    const late = await start({ ledger, runtime: { ...nodeRuntime, clock: inTwoDays } });
    expect([...ledger.read("shadow")].map(([key]) => key)).toEqual(["$aws/things/lamp/shadow"]);
    await late.shadow("lamp", "gone").desire({ on: true });
    expect(late.shadow("lamp", "gone").get()?.version).toBe(1);
  });

  it("nothing changes, and nothing is acknowledged, that cannot be kept", async () => {
    const ledger = new MemoryLedger();
    const cloud = await start({ ledger });
    const id = await lampOf(cloud);
    await cloud.shadow("lamp").desire({ on: true });
    const answers: string[] = [];
    cloud.broker.subscribe("$aws/things/lamp/shadow/#", ({ topic, payload }) =>
      answers.push(`${topic.slice(24)} ${new TextDecoder().decode(payload)}`),
    );
    ledger.broken = true;
    expect(() => cloud.certificates.deactivate(id)).toThrow("the disk is full");
    expect(cloud.certificates.get(id).status).toBe("ACTIVE");
    const payload = new TextEncoder().encode('{"state":{"reported":{"on":true}},"clientToken":"t"}');
    cloud.broker.publish({ topic: "$aws/things/lamp/shadow/update", payload });
    expect(answers.at(-1)).toBe('update/rejected {"code":500,"message":"Internal service failure"}');
    expect(cloud.shadow("lamp").get()).toMatchObject({ version: 1, state: { desired: { on: true } } });
  });

  it.each(["thing", "certificate", "authority", "policy", "account"])(
    "a damaged record is told at the start: %s",
    async (kind) => {
      const ledger = new MemoryLedger();
      ledger.write(kind, "account", { nonsense: true });
      const starting = start({ ledger }).then((cloud) => cloud.authorities.registrationCode);
      await expect(starting).rejects.toThrow("account is damaged");
    },
  );

  it.each<[string, Json]>([
    ["a thing's attribute", { thingName: "x", attributes: { room: 7 } }],
    ["a thing's type", { thingName: "x", typeName: 7, attributes: {} }],
  ])("a field that it cannot have is told at the start: %s", async (_, record) => {
    const ledger = new MemoryLedger();
    ledger.write("thing", "x", record);
    await expect(start({ ledger })).rejects.toMatchObject({ code: "USAGE_INVALID_ARGUMENT" });
  });

  it.each<[kind: "certificate" | "authority", field: string, value: Json]>([
    ["certificate", "status", "SLEEPING"],
    ["certificate", "certificatePem", "no certificate"],
    ["certificate", "certificatePem", toPem("CERTIFICATE", Uint8Array.of(0x30, 0))],
    ["certificate", "things", [7]],
    ["certificate", "policies", "all"],
    ["authority", "certificatePem", ""],
    ["authority", "status", "REVOKED"],
  ])("nor is one of a %s left to the next handshake: %s %j", async (kind, field, value) => {
    const ledger = new MemoryLedger();
    const cloud = await start({ ledger });
    await lampOf(cloud);
    registerAuthority(cloud, newAuthority());
    const [[key, record]] = [...ledger.read(kind)] as [[string, Json]];
    ledger.write(kind, key, { ...(record as object), [field]: value });
    await expect(start({ ledger })).rejects.toThrow(`${key} is damaged`);
  });

  it.each<[string, Json]>([
    ["no object", 7],
    ["null", null],
    ["an array", []],
    ["nothing in it", {}],
    ["no name", { state: {}, metadata: {}, version: 1 }],
    ["a state that is none", { thingName: "lamp", state: [], metadata: {}, version: 1 }],
    ["a section that is none", { thingName: "lamp", state: { desired: 5 }, metadata: {}, version: 1 }],
    ["metadata that is none", { thingName: "lamp", state: {}, metadata: { desired: 5 }, version: 1 }],
    ["a version that is none", { thingName: "lamp", state: {}, metadata: {}, version: 0 }],
    ["a tombstone that is none", { thingName: "lamp", version: 1, expires: "never" }],
  ])("a damaged shadow is told at the start: %s", async (_, record) => {
    const ledger = new MemoryLedger();
    ledger.write("shadow", "$aws/things/lamp/shadow", record);
    await expect(start({ ledger })).rejects.toMatchObject({ code: "USAGE_INVALID_ARGUMENT" });
  });

  it("what would be damage at the next start is refused, and not kept", async () => {
    const ledger = new MemoryLedger();
    const cloud = await start({ ledger });
    const id = await lampOf(cloud);
    const before = structuredClone(ledger.tables);
    const wrong = (value: unknown) => value as never;
    for (const call of [
      () => cloud.certificates.setStatus(id, wrong("SLEEPING")),
      () => cloud.things.put({ thingName: "x", attributes: wrong({ room: 7 }) }),
      () => cloud.things.put({ thingName: wrong(undefined) }),
      () => cloud.things.put({ thingName: "x", typeName: wrong(7) }),
    ])
      expect(call).toThrow(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
    for (const options of [{ status: wrong("SLEEPING") }, { attributes: wrong(7) }, { policy: wrong(null) }])
      await expect(cloud.createThing("lamp", { policy: false, ...options })).rejects.toMatchObject({
        code: "USAGE_INVALID_ARGUMENT",
      });
    expect(ledger.tables).toEqual(before);
    await start({ ledger });
  });

  it("a certificate is registered with what it is attached to, or not at all: no half of it survives a crash", async () => {
    const whole = new MemoryLedger();
    const device = issue(newAuthority()).certificate;
    const policyName = (await start({ ledger: whole })).policyFor("lamp", undefined)!;
    const writes: number[] = [];
    for (let room = 0; writes.length === 0; room++) {
      const ledger = new MemoryLedger();
      for (const [kind, table] of whole.tables) for (const [key, value] of table) ledger.write(kind, key, value);
      const cloud = await start({ ledger });
      const write = ledger.write.bind(ledger);
      let left = room;
      ledger.write = (...record) => {
        if (left-- === 0) throw new Error("killed");
        write(...record);
      };
      try {
        cloud.adopt(device, { thingName: "lamp", policyName });
        writes.push(room);
      } catch {}
      const found = (await start({ ledger })).certificates.list;
      if (found.length > 0) expect(found).toMatchObject([{ things: ["lamp"], policies: [policyName] }]);
    }
    // The thing, and the certificate.
    expect(writes).toEqual([2]);
  });

  it("a policy that was taken out of the ledger by hand allows nothing more", async () => {
    const ledger = new MemoryLedger();
    const id = await lampOf(await start({ ledger }));
    ledger.write("policy", "lamp-policy", undefined);
    expect((await start({ ledger })).registry.policiesInForce(id)).toEqual([]);
  });

  it("USAGE_INVALID_ARGUMENT without runtime or crypto", async () => {
    for (const options of [undefined, {}, { runtime: {} }])
      await expect(simulate(options as never)).rejects.toMatchObject({ code: "USAGE_INVALID_ARGUMENT" });
  });

  it("propagationMs: a change of policies counts after that time, also one behind another", async () => {
    let now = 0;
    const runtime = { ...nodeRuntime, clock: { now: () => now, wallMs: () => Date.now() } };
    const cloud = await start({ runtime, propagationMs: 1_000 });
    const id = await lampOf(cloud);
    const names = () => cloud.registry.policiesInForce(id).map(({ name }) => name);
    expect(names()).toEqual([]);
    now = 1_000;
    expect(names()).toEqual(["lamp-policy"]);
    const before = cloud.registry.policiesInForce(id)[0];
    cloud.policies.put("lamp-policy", defaultPolicy);
    now = 1_500;
    cloud.registry.detachPolicy("lamp-policy", id);
    expect(cloud.registry.policiesInForce(id)).toEqual([before]);
    now = 2_000;
    expect(cloud.registry.policiesInForce(id)[0]?.document).toEqual(defaultPolicy);
    now = 2_500;
    expect(names()).toEqual([]);
  });
});

describe("registering a CA (AWS IoT Developer Guide, 'Register your CA certificate')", () => {
  it("takes PEM or DER with its proof; the code stays the same", async () => {
    const cloud = await start();
    const authority = newAuthority();
    const code = cloud.authorities.registrationCode;
    expect(code).toMatch(/^[0-9a-f]{64}$/);
    const proof = issue(authority, { name: code }).certificate;
    const { caCertificateId } = cloud.authorities.register({
      certificate: toPem("CERTIFICATE", authority.certificate),
      verificationCertificate: toPem("CERTIFICATE", proof),
    });
    expect(cloud.authorities.find(caCertificateId)).toMatchObject({ status: "ACTIVE", autoRegistration: false });
    cloud.authorities.setAutoRegistration(caCertificateId, true);
    cloud.authorities.setStatus(caCertificateId, "INACTIVE");
    expect(cloud.authorities.list).toMatchObject([{ status: "INACTIVE", autoRegistration: true }]);
    expect(cloud.authorities.registrationCode).toBe(code);
  });

  it("refuses what proves nothing", async () => {
    const cloud = await start();
    const [authority, other] = [newAuthority(), newAuthority()];
    const code = cloud.authorities.registrationCode;
    const register = (certificate: Uint8Array, verificationCertificate: Uint8Array) => () =>
      cloud.authorities.register({ certificate, verificationCertificate });
    const proof = issue(authority, { name: code }).certificate;
    expect(register(authority.certificate, issue(authority, { name: code.slice(1) }).certificate)).toThrow(
      `must be the registration code ${code}`,
    );
    expect(register(authority.certificate, issue(other, { name: code }).certificate)).toThrow("did not prove");
    const twoNames = issueUnder(authority, ports, {
      subject: [
        ["CN", code],
        ["CN", "and another"],
      ],
      publicKey: finish(crypto.publicKey(newKey(), ports.random)),
      days: 1,
      extensions: { ca: false },
    });
    expect(register(authority.certificate, twoNames)).toThrow("must be the registration code");
    expect(register(authority.certificate, issue(authority, { name: code, to: -1 }).certificate)).toThrow("expired");
    expect(register(proof, proof)).toThrow("is no CA");
    expect(register(authority.certificate, new Uint8Array(3))).toThrow(expect.objectContaining({ layer: "x509" }));
    expect(cloud.authorities.list).toEqual([]);
  });
});
