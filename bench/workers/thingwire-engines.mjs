/**
 * thingwire's TLS engine: handshakes are recorded ones, replayed, so that no server's time is in them; records go between its client and
 * its server in memory, and only the client's time counts.
 */
import { randomFillSync } from "node:crypto";
import {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
  TlsClient,
  TlsServer,
} from "../../dist/tls.js";
import { parseCertificateChain, parsePrivateKey, trustAnchors } from "../../dist/x509.js";
import { seededRandom } from "../../test/fixtures/seeded-random.ts";
import { cpuMicroseconds } from "./measure.mjs";

const hex = (text) => Uint8Array.from(Buffer.from(text, "hex"));

/** Microseconds: P-256 moves to limbs after some 25 handshakes, and V8 compiles a whole engine. */
const WARM_UP = 2_000_000;

function identityOf({ certificate, privateKey }) {
  return { certificates: parseCertificateChain(certificate), privateKey: parsePrivateKey(privateKey) };
}

function optionsOf(recording, crypto, verification) {
  return {
    serverName: recording.serverName,
    trust: trustAnchors(recording.trust),
    identity: recording.certificate === undefined ? undefined : identityOf(recording),
    crypto,
    verification,
    suites: [
      recording.operation.includes("ecdsa")
        ? TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        : TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ],
    wallMs: () => recording.timeMs,
    ...(recording.session === undefined ? {} : { session: hex(recording.session) }),
  };
}

/** Works until there is nothing to do, `budget` units at a time, and hands out events. */
function rest(engine, onEvent, budget = Number.MAX_SAFE_INTEGER) {
  while (engine.work(budget) === "more");
  for (let event = engine.nextEvent(); event !== undefined; event = engine.nextEvent()) {
    if (event.type === "fatal") throw event.error;
    onEvent(event);
  }
}

/** Feeds it all, with rests between. */
function feedAll(engine, bytes, onEvent, budget) {
  for (let at = 0; at < bytes.length; ) {
    at += engine.feed(bytes.subarray(at));
    rest(engine, onEvent, budget);
  }
}

/**
 * A recorded handshake, from ClientHello to the server's Finished, with its parsed credentials, which a device has too; in slices where
 * `budget` says of how many units. `units()` is what the last one took. `verification`: how the chain is verified.
 */
export function handshake(recording, crypto, { budget, verification } = {}) {
  const options = optionsOf(recording, crypto, verification);
  const flights = recording.flights.map(hex);
  let units = 0;
  const run = () => {
    const client = new TlsClient({ ...options, random: seededRandom(recording.seed) });
    client.start();
    let isSecured = false;
    const onEvent = (event) => {
      if (event.type === "secured") isSecured = event.resumed === (recording.session !== undefined);
    };
    rest(client, onEvent, budget);
    for (const flight of flights) feedAll(client, flight, onEvent, budget);
    units = client.statistics.units;
    return isSecured;
  };
  return { run, check: run, units: () => units, warmUp: WARM_UP };
}

/** Records that are made ready at a time, before the client's reading of them is timed. */
const READ_BYTES = 65_536;

/** `record-write-N` and `record-read-N`: one record of N bytes through the client. */
export function records(f, crypto) {
  return Object.fromEntries(
    Object.entries({ write, read }).flatMap(([name, way]) =>
      [64, 256, 1024, 16_384].map((length) => [`record-${name}-${length}`, way(f, crypto, length)]),
    ),
  );
}

function write(f, crypto, length) {
  const { client, server } = connected(f, crypto);
  const text = f.message.subarray(0, length);
  const send = (onOutput) => {
    if (client.write(text) !== length) throw new Error("not written");
    rest(client, ({ bytes }) => onOutput(bytes));
  };
  return { run: () => send(() => {}), check: () => collect((push) => send((bytes) => feedAll(server, bytes, push))) };
}

function read(f, crypto, length) {
  const { client, server } = connected(f, crypto);
  const text = f.message.subarray(0, length);
  const seal = (count) => {
    const sealed = [];
    for (let i = 0; i < count; i++) {
      if (server.write(text) !== length) throw new Error("not written");
      rest(server, ({ bytes }) => void sealed.push(bytes.slice()));
    }
    return Buffer.concat(sealed);
  };
  const timed = (count) => {
    let spent = 0;
    for (let left = count; left > 0; ) {
      const some = Math.min(left, READ_BYTES / length);
      const sealed = seal(some);
      let bytes = 0;
      const start = cpuMicroseconds();
      feedAll(client, sealed, (event) => void (bytes += event.bytes.length));
      spent += cpuMicroseconds() - start;
      if (bytes !== some * length) throw new Error("not read");
      left -= some;
    }
    return spent;
  };
  return { timed, check: () => collect((push) => feedAll(client, seal(1), push)) };
}

function collect(run) {
  const parts = [];
  run(({ type, bytes }) => type === "data" && parts.push(bytes.slice()));
  return Buffer.concat(parts);
}

/** A client and a server that are through their handshake. */
function connected(f, crypto) {
  const recording = f.recordings.find(({ operation }) => operation === "handshake-ecdsa");
  const random = { fill: (bytes) => void randomFillSync(bytes) };
  const client = new TlsClient({ ...optionsOf(recording, crypto), random });
  const identity = identityOf(recording.serverIdentity);
  const server = new TlsServer({ crypto, random, select: () => ({ identity }), clientCertificate: "none" });
  const [up, down] = [[], []];
  const into = (queue) => (event) => event.type === "output" && queue.push(event.bytes.slice());
  client.start();
  rest(client, into(up));
  while (up.length + down.length > 0) {
    for (const bytes of up.splice(0)) feedAll(server, bytes, into(down));
    for (const bytes of down.splice(0)) feedAll(client, bytes, into(up));
  }
  return { client, server };
}
