/**
 * thingwire, as users get it: the built bundles. Handshakes are recorded ones, replayed, so that no server's time is in them. Bundled
 * by `run.ts` before it runs.
 */
import { randomFillSync } from "node:crypto";
import { createCrypto } from "../../dist/crypto.js";
import {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
  TlsClient,
} from "../../dist/tls.js";
import { parseCertificate, parseCertificateChain, parsePrivateKey, trustAnchors } from "../../dist/x509.js";
import { seededRandom } from "../../test/fixtures/seeded-random.ts";
import { measure } from "./measure.mjs";

const random = { fill: (bytes) => void randomFillSync(bytes) };
const hex = (text) => Uint8Array.from(Buffer.from(text, "hex"));

function finish(task) {
  while (!task.step(Number.MAX_SAFE_INTEGER));
  return task.result;
}

/** A recorded handshake, from ClientHello to the server's Finished, with its parsed credentials, which a device has too. */
function handshake(recording, crypto) {
  const trust = trustAnchors(recording.trust);
  const identity =
    recording.certificate === undefined
      ? undefined
      : {
          certificates: parseCertificateChain(recording.certificate),
          privateKey: parsePrivateKey(recording.privateKey),
        };
  const flights = recording.flights.map(hex);
  const run = () => {
    const client = new TlsClient({
      serverName: recording.serverName,
      trust,
      identity,
      crypto,
      random: seededRandom(recording.seed),
      suites: [
        recording.operation.includes("ecdsa")
          ? TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
          : TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
      ],
      wallMs: () => recording.timeMs,
    });
    client.start();
    let isSecured = false;
    const rest = () => {
      while (client.work(Number.MAX_SAFE_INTEGER) === "more");
      for (let event = client.nextEvent(); event !== undefined; event = client.nextEvent()) {
        if (event.type === "secured") isSecured = true;
        if (event.type === "fatal") throw event.error;
      }
    };
    rest();
    for (const flight of flights)
      for (let at = 0; at < flight.length; ) {
        at += client.feed(flight.subarray(at));
        rest();
      }
    return isSecured;
  };
  return { run, check: run };
}

const arithmetic = process.env.THINGWIRE_ARITHMETIC;
await measure(process.env.BENCH_NAME ?? "thingwire", (f) => {
  const crypto = createCrypto(arithmetic === undefined ? {} : { arithmetic });
  const ecdsa = { kind: "ecdsa", hash: "sha256" };
  const rsa = { kind: "rsa-pkcs1", hash: "sha256" };
  const ecPrivate = parsePrivateKey(f.ecPrivateKey);
  const rsaPrivate = parsePrivateKey(f.rsaPrivateKey);
  const ecPublic = finish(crypto.publicKey(ecPrivate, random));
  const rsaPublic = finish(crypto.publicKey(rsaPrivate, random));
  // The pair of the fixtures, so that its secret can be compared: a scalar is what is drawn, modulo n - 1, plus one.
  const fixed = {
    fill(bytes, purpose) {
      if (purpose !== "ecdhe") randomFillSync(bytes);
      else
        for (
          let i = bytes.length - 1, n = BigInt(`0x${Buffer.from(f.scalar).toString("hex")}`) - 1n;
          i >= 0;
          i--, n >>= 8n
        )
          bytes[i] = Number(n & 255n);
    },
  };
  const pair = finish(crypto.keyExchange("secp256r1", fixed));
  const sign = (algorithm, key, digest) => finish(crypto.sign(algorithm, key, digest, random));
  const verify = (algorithm, key, digest, signature) => finish(crypto.verify(algorithm, key, digest, signature));
  const aead = crypto.aead("aes-128-gcm", f.gcmKey);
  const seal = (length) => {
    const buffer = new Uint8Array(length + 16);
    const reference = f.message.subarray(0, length);
    return {
      // In place, over and over: what is sealed is the last result, as long as the length is right.
      run: () => finish(aead.seal(buffer, 0, length, f.gcmNonce, f.gcmAad)),
      check: () => {
        buffer.set(reference);
        finish(aead.seal(buffer, 0, length, f.gcmNonce, f.gcmAad));
        return buffer;
      },
    };
  };
  const parse = (der) => ({
    run: () => parseCertificate(der),
    check: () => parseCertificate(der).serialNumber,
  });
  return {
    "p256-keygen": { run: () => finish(crypto.keyExchange("secp256r1", random)), check: () => pair.publicKey },
    "p256-ecdh": { run: () => finish(pair.shared(f.peerPoint)), check: () => finish(pair.shared(f.peerPoint)) },
    "ecdsa-p256-sign": {
      run: () => sign(ecdsa, ecPrivate, f.digest),
      check: () => verify(ecdsa, ecPublic, f.digest, sign(ecdsa, ecPrivate, f.digest)),
    },
    "ecdsa-p256-verify": {
      run: () => verify(ecdsa, ecPublic, f.digest, f.ecSignature),
      check: () => verify(ecdsa, ecPublic, f.digest, f.ecSignature),
    },
    "rsa2048-verify": {
      run: () => verify(rsa, rsaPublic, f.digest, f.rsaSignature),
      check: () => verify(rsa, rsaPublic, f.digest, f.rsaSignature),
    },
    "rsa2048-sign": {
      run: () => sign(rsa, rsaPrivate, f.digest),
      check: () => verify(rsa, rsaPublic, f.digest, sign(rsa, rsaPrivate, f.digest)),
    },
    "sha256-16384": {
      run: () => finish(crypto.digest("sha256", [f.message])),
      check: () => finish(crypto.digest("sha256", [f.message])),
    },
    "prf-48": {
      run: () => finish(crypto.prf("sha256", f.prfSecret, "master secret", f.prfSeed, 48)),
      check: () => finish(crypto.prf("sha256", f.prfSecret, "master secret", f.prfSeed, 48)),
    },
    "aes128gcm-seal-64": seal(64),
    "aes128gcm-seal-256": seal(256),
    "aes128gcm-seal-1024": seal(1024),
    "aes128gcm-seal-16384": seal(16_384),
    "x509-parse-ec": parse(f.ecCertificate),
    "x509-parse-rsa": parse(f.rsaCertificate),
    ...Object.fromEntries(f.recordings.map((recording) => [recording.operation, handshake(recording, crypto)])),
  };
});
