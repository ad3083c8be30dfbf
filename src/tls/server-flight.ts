/**
 * A server's answer to ClientHello: ServerHello, Certificate, ServerKeyExchange, CertificateRequest, ServerHelloDone (RFC 5246 §7.4.1
 * to §7.4.5), with the choices before it.
 *
 * @module
 */

import { printable } from "../bytes.ts";
import { chain, map, type Task } from "../task.ts";
import { deviatingParameters } from "./deviations.ts";
import { clientRefused, TlsError } from "./errors.ts";
import { type ClientExtensions, encodeServerExtensions, readClientExtensions } from "./extensions.ts";
import type { CheckedIdentity } from "./identity.ts";
import {
  ClientCertificateType,
  type ClientHello,
  encodeCertificate,
  encodeCertificateRequest,
  encodeEcdheParameters,
  encodeServerHello,
  encodeServerHelloDone,
  encodeServerKeyExchange,
} from "./messages.ts";
import { TLS_1_2 } from "./record.ts";
import type { Offered, ServerHandshake } from "./server-states.ts";
import {
  type CipherSuite,
  idText,
  type NamedGroup,
  type SignatureScheme,
  secp256r1,
  secp384r1,
  secp521r1,
} from "./suites.ts";

/** TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 §3.3). */
const RENEGOTIATION_SCSV = 0x00ff;

/** Those that a certificate's key can be on. */
const curves: readonly NamedGroup[] = /* @__PURE__ */ Object.freeze([secp256r1, secp384r1, secp521r1]);

interface Choice {
  readonly suite: CipherSuite;
  readonly group: NamedGroup;
  readonly scheme: SignatureScheme;
}

/** Chooses and answers; the result is what the rest of the handshake needs. */
export function sendServerFlight(hello: ClientHello, handshake: ServerHandshake): Task<Offered> {
  const { settings, transcript, clientRandom } = handshake;
  const asked = readClientExtensions(hello.extensions ?? []);
  checkHello(hello, asked);
  handshake.fixVersion();
  clientRandom.set(hello.random);
  const { serverName } = asked;
  const selection = settings.select({ serverName, alpn: asked.alpn });
  if ("alert" in selection)
    throw clientRefused(
      `host name ${serverName === undefined ? "(none)" : `"${printable(serverName)}"`} or protocols ${protocolsText(asked)}`,
      selection.alert,
    );
  const { identity, alpn } = selection;
  const { suite, group, scheme } = choose(hello, asked, identity, handshake);
  const random = new Uint8Array(32);
  settings.random.fill(random, "server_random");
  const extendedMasterSecret = asked.extendedMasterSecret && settings.extendedMasterSecret;
  const encryptThenMac = asked.encryptThenMac && settings.encryptThenMac && suite.kind === "cbc";
  const { maxFragmentLength } = asked;
  if (maxFragmentLength !== undefined) handshake.limitFragments(maxFragmentLength);
  const secureRenegotiation = asked.secureRenegotiation || hello.suites.includes(RENEGOTIATION_SCSV);
  const serverHello = encodeServerHello({
    version: TLS_1_2,
    random,
    sessionId: new Uint8Array(0),
    suite: suite.id,
    compression: 0,
    extensions: encodeServerExtensions({
      isNamed: serverName !== undefined,
      pointFormats: asked.pointFormats,
      alpn,
      extendedMasterSecret,
      secureRenegotiation,
      maxFragmentLength,
      encryptThenMac,
    }),
  });
  handshake.log(
    "debug",
    () =>
      `chosen: ${suite.name}, ${group.name}, signed with ${scheme.name}, ALPN ${alpn ?? "none"}, ` +
      `SNI ${serverName === undefined ? "none" : printable(serverName)}`,
  );

  handshake.holdFlight();
  const started = chain(transcript.start(suite.hash), () => handshake.send(serverHello));
  const shown = chain(started, () => handshake.send(encodeCertificate(identity.certificates)));
  const exchange = chain(shown, () => settings.crypto.keyExchange(group.name, settings.random));
  return chain(exchange, (ours) => {
    handshake.wipeAtEnd(ours);
    const right = { group: group.id, publicKey: ours.publicKey };
    const parameters = encodeEcdheParameters(deviatingParameters(settings.deviations, right));
    const digest = settings.crypto.digest(scheme.hash, [clientRandom, random, parameters]);
    const signed = chain(digest, (value) => handshake.sign(identity, scheme, value));
    const signedSent = chain(signed, (signature) =>
      handshake.send(encodeServerKeyExchange({ parameters, scheme: scheme.id, signature })),
    );
    return map(
      chain(signedSent, () => sendRequestAndDone(handshake)),
      () => {
        handshake.releaseFlight();
        const randoms = { client: clientRandom, server: random };
        return {
          suite,
          randoms,
          alpn,
          extendedMasterSecret,
          encryptThenMac,
          maxFragmentLength,
          serverName,
          group,
          ours,
          signatureScheme: scheme,
        };
      },
    );
  });
}

function sendRequestAndDone(handshake: ServerHandshake): Task<void> {
  const { clientCertificate, certificateAuthorities, signatureSchemes } = handshake.settings;
  const sendDone = (): Task<void> => handshake.send(encodeServerHelloDone());
  if (clientCertificate === "none") return sendDone();
  const request = encodeCertificateRequest({
    types: [ClientCertificateType.rsa_sign, ClientCertificateType.ecdsa_sign],
    schemes: signatureSchemes.map(({ id }) => id),
    authorities: certificateAuthorities,
  });
  return chain(handshake.send(request), sendDone);
}

/** RFC 5246 §7.4.1.2 and §E.1; who knows TLS 1.3 says in supported_versions what it takes (RFC 8446 §4.2.1). */
function checkHello({ version, compressions }: ClientHello, { versions }: ClientExtensions): void {
  if (version < TLS_1_2 || (versions !== undefined && !versions.includes(TLS_1_2))) {
    const offered = versions === undefined ? idText(version) : versions.map((one) => idText(one)).join(", ");
    throw new TlsError("TLS_UNSUPPORTED_VERSION", `the client offers ${offered}`, { data: { version: offered } });
  }
  if (!compressions.includes(0)) throw new TlsError("TLS_NO_NULL_COMPRESSION", `only ${compressions.join(", ")}`);
}

/** Our first suite, group and scheme that the client takes and that fit the identity's key (RFC 5246 §7.4.2, RFC 8422 §5.1, §5.3). */
function choose(
  hello: ClientHello,
  { groups, signatureSchemes }: ClientExtensions,
  identity: CheckedIdentity,
  { settings }: ServerHandshake,
): Choice {
  const { publicKey } = identity;
  const authentication = publicKey.type === "rsa" ? "rsa" : "ecdsa";
  if (
    publicKey.type === "ec" &&
    groups !== undefined &&
    !curves.some(({ id, name }) => name === publicKey.curve && groups.includes(id))
  )
    throw nothingInCommon(`curve for a certificate on ${publicKey.curve}`);
  const suite = settings.suites.find(
    (ours) => ours.authentication === authentication && hello.suites.includes(ours.id),
  );
  if (suite === undefined) throw nothingInCommon(`cipher suite for an ${authentication.toUpperCase()} certificate`);
  const group = settings.groups.find((ours) => groups?.includes(ours.id) ?? true);
  if (group === undefined) throw nothingInCommon("group");
  const scheme = settings.signatureSchemes.find(
    (ours) => ours.key === publicKey.type && signatureSchemes.includes(ours.id),
  );
  if (scheme === undefined) throw nothingInCommon("signature scheme");
  return { suite, group, scheme };
}

function nothingInCommon(what: string): TlsError {
  return new TlsError("TLS_NOTHING_IN_COMMON", `no ${what}`);
}

function protocolsText({ alpn }: ClientExtensions): string {
  return alpn.length === 0 ? "(none)" : alpn.map((protocol) => `"${printable(protocol)}"`).join(", ");
}
