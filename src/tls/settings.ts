/**
 * The options of a client and what both roles share of them, checked once and completed with their defaults. Mistakes of the caller show here, not in a handshake.
 *
 * @module
 */

import { isWellFormed, utf8Length } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { type KeyLog, type Logger, type Random, silent } from "../ports.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import { TlsError } from "./errors.ts";
import type { CommonTlsOptions, TlsClientOptions } from "./events.ts";
import { type ClientOffer, maxFragmentLengths } from "./extensions.ts";
import { type ClientIdentity, checkedIdentity } from "./identity.ts";
import { awsIot } from "./presets.ts";
import { MAX_PLAINTEXT } from "./record.ts";
import {
  allGroups,
  allSignatureSchemes,
  type CipherSuite,
  type NamedGroup,
  type SignatureScheme,
  suiteAlgorithms,
} from "./suites.ts";
import { checkPolicy, type VerificationPolicy } from "./x509/policy.ts";

const DEFAULT_MAX_HANDSHAKE_BYTES = 65_536;
/** Beside so many bytes of ALPN the longest ticket has room in a ClientHello, whose extensions are of 65,535 bytes at most. */
const MAX_ALPN_BYTES = 32_768;
/** Random bytes that are not all zeros, from so many on. */
const LEAST_SEEDED = 16;

/** What the settings of both roles have. */
export interface CommonSettings {
  readonly role: "client" | "server";
  /** Who is at the other end, for log lines. */
  readonly peerName: string;
  readonly crypto: CryptoProvider;
  /** The caller's source, with its failures as `TLS_RANDOM_FAILED`. */
  readonly random: Random;
  readonly now: () => number;
  readonly suites: readonly CipherSuite[];
  readonly groups: readonly NamedGroup[];
  readonly signatureSchemes: readonly SignatureScheme[];
  readonly maxHandshakeBytes: number;
  readonly maxSendFragment: number;
  readonly encryptThenMac: boolean;
  readonly log: Logger;
  readonly keyLog: KeyLog | undefined;
}

/** Checked options of a client. */
export interface Settings extends CommonSettings, ClientOffer {
  readonly serverName: string;
  readonly trust: TlsClientOptions["trust"];
  readonly wallMs: TlsClientOptions["wallMs"];
  readonly verification: VerificationPolicy;
  /** In order of preference; none where there is no client certificate. */
  readonly identities: readonly ClientIdentity[];
  readonly requireExtendedMasterSecret: boolean;
  /** The blob of a session to resume. */
  readonly session: Uint8Array | undefined;
}

/**
 * Checks the options of a client.
 *
 * @throws UsageError for what is missing or not usable; TlsError `TLS_IDENTITY_UNREADABLE`; CertificateError `X509_KEY_MISMATCH`.
 */
export function checkOptions(options: TlsClientOptions): Settings {
  const { crypto, serverName, trust, wallMs } = options;
  const common = checkCommonOptions(options);
  if (typeof wallMs !== "function") invalid("wallMs must be a function that returns the time of day or undefined");
  if (typeof serverName !== "string" || !/^[\x21-\x7e]{1,255}$/.test(serverName))
    invalid("serverName must be the server's host name or IP address in ASCII (punycode for other letters)");
  if (!Array.isArray(trust)) invalid("trust must be a list of trust anchors. Use amazonTrust or trustAnchors(pem)");
  if (trust.length === 0) invalid("trust is empty: no server could be accepted. Use amazonTrust or trustAnchors(pem)");
  const { verification = {} } = options;
  checkPolicy(verification);
  const alpn = options.alpn ?? [];
  if (!Array.isArray(alpn)) invalid("alpn must be a list of protocol names");
  for (const protocol of alpn)
    if (!isWellFormed(protocol) || protocol.length === 0 || utf8Length(protocol) > 255)
      invalid("alpn: protocol names are of 1 to 255 bytes (RFC 7301 §3.1)");
  if (alpn.reduce((sum, protocol) => sum + 1 + utf8Length(protocol), 0) > MAX_ALPN_BYTES)
    invalid(`alpn: all protocol names together are of ${MAX_ALPN_BYTES} bytes at most`);
  const { identity = [], maxFragmentLength, session } = options;
  if (session !== undefined && !(session instanceof Uint8Array))
    invalid("session must be the bytes of a session event");
  if (maxFragmentLength !== undefined && !maxFragmentLengths.includes(maxFragmentLength))
    invalid("maxFragmentLength must be 512, 1024, 2048 or 4096 (RFC 6066 §4)");
  const identities = ("certificates" in identity ? [identity] : identity).map((one) =>
    checkedIdentity(one, crypto, common.random),
  );
  // Written out: V8 takes twenty times as long to spread so many.
  return {
    crypto,
    random: common.random,
    now: common.now,
    suites: common.suites,
    groups: common.groups,
    signatureSchemes: common.signatureSchemes,
    maxHandshakeBytes: common.maxHandshakeBytes,
    log: common.log,
    keyLog: common.keyLog,
    encryptThenMac: common.encryptThenMac && common.suites.some(({ kind }) => kind === "cbc"),
    maxFragmentLength,
    ocsp: verification.revocation?.ocsp ?? "off",
    requireExtendedMasterSecret: options.requireExtendedMasterSecret ?? false,
    session,
    resumption: options.resumption ?? session !== undefined,
    // Who asks for short records is short of memory in both directions.
    maxSendFragment: Math.min(common.maxSendFragment, maxFragmentLength ?? MAX_PLAINTEXT),
    role: "client",
    peerName: serverName,
    serverName,
    trust,
    wallMs,
    verification,
    identities,
    alpn,
    sni: sniOf(serverName),
  };
}

/** The options that both roles have, checked and completed. Throws UsageError for what is missing or not usable. */
export function checkCommonOptions(options: CommonTlsOptions): Omit<CommonSettings, "role" | "peerName"> {
  const { crypto, random } = options;
  if (typeof random?.fill !== "function") throw new UsageError("USAGE_NO_RANDOM");
  const suites = options.suites ?? awsIot();
  // Defaults follow what the provider can do; what the caller names must be there.
  const groups = options.groups ?? allGroups.filter(({ name }) => crypto.supports(name));
  const signatureSchemes =
    options.signatureSchemes ??
    allSignatureSchemes.filter((scheme) => crypto.supports(scheme.kind) && crypto.supports(scheme.hash));
  for (const [name, list] of Object.entries({ suites, groups, signatureSchemes }))
    if (list.length === 0) invalid(`${name} is empty`);
  const needed = [
    ...suites.flatMap(suiteAlgorithms),
    ...groups.map((group) => group.name),
    ...signatureSchemes.flatMap((scheme) => [scheme.kind, scheme.hash] as const),
  ];
  for (const algorithm of needed)
    if (!crypto.supports(algorithm)) invalid(`the crypto provider does not support ${algorithm}`);
  const maxHandshakeBytes = options.maxHandshakeBytes ?? DEFAULT_MAX_HANDSHAKE_BYTES;
  if (!(maxHandshakeBytes >= 1024 && maxHandshakeBytes < 2 ** 24))
    invalid("maxHandshakeBytes must be from 1,024 to 16,777,215");
  const { maxSendFragment = MAX_PLAINTEXT } = options;
  if (!(Number.isInteger(maxSendFragment) && maxSendFragment >= 1 && maxSendFragment <= MAX_PLAINTEXT))
    invalid("maxSendFragment must be a whole number from 1 to 16,384");
  return {
    crypto,
    random: new GuardedRandom(random),
    now: options.now ?? (() => 0),
    suites,
    groups,
    signatureSchemes,
    maxHandshakeBytes,
    maxSendFragment,
    encryptThenMac: options.encryptThenMac ?? true,
    log: options.log ?? silent,
    keyLog: options.keyLog,
  };
}

/** RFC 6066 §3: a DNS name without a dot at its end; no IPv4 or IPv6 address. */
function sniOf(serverName: string): string | undefined {
  return serverName.includes(":") || /^[0-9.]+$/.test(serverName) ? undefined : serverName.replace(/\.$/, "");
}

/** Throws the error for an option that cannot be used. */
export function invalid(problem: string): never {
  throw new UsageError("USAGE_INVALID_ARGUMENT", problem);
}

class GuardedRandom implements Random {
  readonly #source: Random;

  constructor(source: Random) {
    this.#source = source;
  }

  fill(bytes: Uint8Array, purpose: string): void {
    try {
      this.#source.fill(bytes, purpose);
    } catch (error) {
      throw new TlsError("TLS_RANDOM_FAILED", `for ${purpose}`, { cause: error, data: { purpose } });
    }
    // Chance gives so many zeros never; a source that did nothing does, and X25519 would take them for a key.
    if (bytes.length >= LEAST_SEEDED && bytes.every((byte) => byte === 0))
      throw new TlsError("TLS_RANDOM_FAILED", `for ${purpose}: it gave only zeros`, { data: { purpose } });
  }
}
