/**
 * Our answer to ServerHelloDone: Certificate, ClientKeyExchange, CertificateVerify, ChangeCipherSpec, Finished (RFC 5246 §7.4.6 to
 * §7.4.9), with the key agreement and the key schedule between them.
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
import { agreedMasterSecret, trafficKeys, verifyData } from "./key-schedule.ts";
import {
  type CertificateRequest,
  encodeCertificate,
  encodeCertificateVerify,
  encodeClientKeyExchange,
  encodeFinished,
} from "./messages.ts";
import type { ClientHandshake, KeyExchanged, Keyed } from "./states.ts";

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
  const { settings, transcript } = handshake;
  const { suite } = exchanged;
  handshake.enterPhase("keyDerivation");
  return chain(trafficKeys(settings, exchanged, master), (keys) => {
    handshake.wipeAtEnd(keys.client, keys.server);
    handshake.enterPhase("finished");
    const ours = verifyData(settings.crypto, suite, master, "client", transcript.digest(suite.hash));
    const sent = chain(ours, (value) => {
      handshake.sendChangeCipherSpec(keys.client);
      const finished = handshake.send(encodeFinished(value));
      handshake.releaseFlight();
      return finished;
    });
    return map(sent, () => ({
      ...exchanged,
      master,
      keys,
      digest: transcript.digest(suite.hash),
      clientSignatureScheme: proof?.scheme,
    }));
  });
}
