/**
 * Our answer to ServerHelloDone: Certificate, ClientKeyExchange, CertificateVerify, ChangeCipherSpec, Finished (RFC 5246 §7.4.6 to
 * §7.4.9), with the key agreement and the key schedule between them. Of an abbreviated handshake only the last two are left.
 *
 * Each step is a function that ends in the next one; the order is that of the wire, because the transcript's digests depend on it.
 *
 * @module
 */

import { wipe } from "../bytes.ts";
import { chain, done, map, type Task } from "../task.ts";
import type { KeyExchange } from "./crypto/provider.ts";
import { TlsError } from "./errors.ts";
import { chooseProof, type Proof } from "./identity.ts";
import { agreedMasterSecret, type TrafficKeys, trafficKeys, verifyData } from "./key-schedule.ts";
import {
  type CertificateRequest,
  encodeCertificate,
  encodeCertificateVerify,
  encodeClientKeyExchange,
  encodeFinished,
} from "./messages.ts";
import type { ClientHandshake, KeyExchanged, Keyed } from "./states.ts";
import type { CipherSuite } from "./suites.ts";

/** Sends the whole flight; the result is what the rest of the handshake needs. */
export function sendClientFlight(
  exchanged: KeyExchanged,
  request: CertificateRequest | undefined,
  handshake: ClientHandshake,
): Task<Keyed> {
  const { settings, transcript } = handshake;
  handshake.holdFlight();
  handshake.enterPhase("keyAgreement");
  const proof =
    request === undefined
      ? undefined
      : chooseProof(request, settings.identities, settings.signatureSchemes, handshake.log);
  // From here on it is known which hashes are needed.
  const hashing = proof === undefined ? done(undefined) : transcript.start(proof.scheme.hash);
  return chain(hashing, () => {
    transcript.release();
    return chain(settings.crypto.keyExchange(exchanged.group.name, settings.random), (ours) => {
      handshake.wipeAtEnd(ours);
      return chain(ours.shared(exchanged.serverKey), (premaster) => {
        if (premaster === undefined) throw new TlsError("TLS_INVALID_KEY_SHARE", exchanged.group.name);
        handshake.wipeAtEnd(premaster);
        return sendKeyExchange(exchanged, request, proof, ours, premaster, handshake);
      });
    });
  });
}

function sendKeyExchange(
  exchanged: KeyExchanged,
  request: CertificateRequest | undefined,
  proof: Proof | undefined,
  ours: KeyExchange,
  premaster: Uint8Array,
  handshake: ClientHandshake,
): Task<Keyed> {
  // Who is asked for a certificate and has none sends an empty list (RFC 5246 §7.4.6).
  const certificate =
    request === undefined
      ? done(undefined)
      : handshake.send(encodeCertificate(proof === undefined ? [] : proof.identity.certificates));
  const sent = chain(certificate, () => handshake.send(encodeClientKeyExchange(ours.publicKey)));
  const master = chain(sent, () => {
    ours.wipe();
    handshake.enterPhase("keyDerivation");
    return agreedMasterSecret(exchanged, premaster, handshake);
  });
  return chain(master, (secret) => {
    wipe(premaster);
    handshake.wipeAtEnd(secret);
    return chain(sendCertificateVerify(proof, handshake), () => sendFinished(exchanged, proof, secret, handshake));
  });
}

function sendCertificateVerify(proof: Proof | undefined, handshake: ClientHandshake): Task<void> {
  if (proof === undefined) return done(undefined);
  const { scheme } = proof;
  handshake.enterPhase("clientSignature");
  const signature = handshake.sign(proof.identity, scheme, handshake.transcript.digest(scheme.hash));
  return chain(signature, (value) => handshake.send(encodeCertificateVerify({ scheme: scheme.id, signature: value })));
}

function sendFinished(
  exchanged: KeyExchanged,
  proof: Proof | undefined,
  master: Uint8Array,
  handshake: ClientHandshake,
): Task<Keyed> {
  handshake.enterPhase("keyDerivation");
  return chain(trafficKeys(handshake.settings, exchanged, master), (keys) => {
    handshake.wipeAtEnd(keys.client, keys.server);
    handshake.enterPhase("finished");
    return map(sendLastMessages(exchanged.suite, master, keys, handshake), () => ({
      ...exchanged,
      master,
      keys,
      clientSignatureScheme: proof?.scheme,
      resumed: undefined,
    }));
  });
}

/** ChangeCipherSpec and Finished, the end of our flight, which leaves then. */
export function sendLastMessages(
  suite: CipherSuite,
  master: Uint8Array,
  keys: TrafficKeys,
  handshake: ClientHandshake,
): Task<void> {
  const { settings, transcript } = handshake;
  const ours = verifyData(settings.crypto, suite, master, "client", transcript.digest(suite.hash));
  return chain(ours, (value) => {
    handshake.holdFlight();
    handshake.sendChangeCipherSpec(keys.client);
    const finished = handshake.send(encodeFinished(value));
    handshake.releaseFlight();
    return finished;
  });
}
