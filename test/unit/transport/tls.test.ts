import { describe, expect, it } from "vitest";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { parsePrivateKey } from "../../../src/tls/x509/keys.ts";
import { memoryPair } from "../../../src/transport/memory.ts";
import { tls } from "../../../src/transport/tls.ts";
import { transportContract } from "./contract.ts";
import { acceptedTransport } from "./loopback.ts";
import { crypto, forClient, forLocalhost, makeAuthority, random } from "./pki.ts";
import { tlsPeerOver } from "./tls-server.ts";

const authority = makeAuthority("Test CA");
const server = authority.issue("server", forLocalhost);
const client = authority.issue("lamp", forClient);
const options = {
  serverName: "localhost",
  trust: authority.trust,
  identity: { certificates: [client.certificateDer], privateKey: parsePrivateKey(client.privateKey) },
  crypto,
  random,
  timers: nodeRuntime.timers,
  wallMs: nodeRuntime.clock.wallMs,
  now: nodeRuntime.clock.now,
};

transportContract("tls over memory", async () => {
  const [below, peerBelow] = memoryPair();
  return {
    client: tls(below, options),
    peer: tlsPeerOver(peerBelow, { authority, server }).then(acceptedTransport),
  };
});
