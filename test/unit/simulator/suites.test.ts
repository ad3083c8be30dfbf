/** The cipher suites of the simulated endpoint are those of AWS IoT Core. */
import { afterAll, describe, expect, it } from "vitest";
import { connectThing } from "../../../src/runtime/node.ts";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { generateRsaKey } from "../../../src/runtime/node-rsa.ts";
import { createAuthority, issueServer } from "../../../src/simulator/authority.ts";
import { type Cloud, examplePolicies, simulate } from "../../../src/simulator/index.ts";
import { aes128Gcm, composeCrypto, createCrypto, ecdsa, secp256r1, sha256 } from "../../../src/tls/crypto/index.ts";
import { presets } from "../../../src/tls/presets.ts";
import * as suites from "../../../src/tls/suites.ts";

const crypto = createCrypto();
const ports = { crypto, random: nodeRuntime.random, clock: nodeRuntime.clock };
const open: Cloud[] = [];
afterAll(async () => {
  for (const cloud of open) await cloud.close();
});

/** An endpoint whose certificate has a key of that kind, and a thing. */
async function start(authentication: "ecdsa" | "rsa") {
  const authority = createAuthority(ports);
  const key = authentication === "rsa" ? generateRsaKey(2048) : undefined;
  const server = issueServer(authority, ports, { dnsNames: ["localhost"], ipAddresses: [] }, key);
  const cloud = await simulate({ runtime: nodeRuntime, crypto, authority, server });
  open.push(cloud);
  return cloud.createThing("lamp", { policy: examplePolicies.everything });
}
const endpoints = { ecdsa: start("ecdsa"), rsa: start("rsa") };

describe("a thing connects to the simulator", () => {
  it.each(presets.awsIotAll())("with $name", async (suite) => {
    const thing = await connectThing({
      ...(await endpoints[suite.authentication]),
      tls: { suites: [suite] },
      reconnect: false,
    });
    expect(thing.info?.suite).toBe(suite);
    await thing.close();
  });

  it("with the best that both know, where it offers all", async () => {
    for (const [authentication, best] of [
      ["ecdsa", suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256],
      ["rsa", suites.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256],
    ] as const) {
      const offer = [...presets.full()].reverse();
      const thing = await connectThing({
        ...(await endpoints[authentication]),
        tls: { suites: offer },
        reconnect: false,
      });
      expect(thing.info?.suite).toBe(best);
      await thing.close();
    }
  });

  it("where the simulator's crypto provider cannot do all", async () => {
    const small = composeCrypto({
      hashes: [sha256],
      aeads: [aes128Gcm],
      groups: [secp256r1],
      signatures: [ecdsa],
    });
    const cloud = await simulate({ runtime: nodeRuntime, crypto: small });
    open.push(cloud);
    const lamp = await cloud.createThing("lamp", { policy: examplePolicies.everything });
    const thing = await connectThing({ ...lamp, reconnect: false });
    expect(thing.info?.suite).toBe(suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256);
    await thing.close();
  });

  it("with no suite that AWS IoT Core does not have", async () => {
    const only = [suites.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256];
    await expect(
      connectThing({ ...(await endpoints.ecdsa), tls: { suites: only }, reconnect: false }),
    ).rejects.toMatchObject({ cause: { code: "TLS_ALERT_RECEIVED", alert: 40 } });
  });
});
