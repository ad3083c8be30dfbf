/**
 * From the premaster secret to keys: RFC 5246 §8.1, §6.3, §7.4.9, RFC 7627 §4 and RFC 5705.
 *
 * Whoever gets a secret from here wipes it; what goes in is wiped by its owner.
 *
 * @module
 */

import { ByteWriter, concat, toHex, wipe } from "../bytes.ts";
import { map, type Task } from "../task.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import type { MaxFragmentLength } from "./extensions.ts";
import type { Handshake } from "./handshake.ts";
import type { ProtectionContext, RecordProtection } from "./record.ts";
import type { CommonSettings } from "./settings.ts";
import type { CipherSuite } from "./suites.ts";

/** Bytes of a master secret. */
export const MASTER_SECRET_BYTES = 48;
/** Bytes of Finished's verify_data for all suites here. */
export const VERIFY_DATA_BYTES = 12;

/** Labels of the PRF that are TLS's own, and so no exporter's (RFC 5705 §4, RFC 7627 §4). */
export const ownLabels: readonly string[] = /* @__PURE__ */ Object.freeze([
  "client finished",
  "server finished",
  "master secret",
  "extended master secret",
  "key expansion",
]);

/** The randoms of both hellos. */
export interface Randoms {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/** What the hellos settled. */
export interface Negotiated {
  readonly suite: CipherSuite;
  readonly randoms: Randoms;
  readonly alpn: string | undefined;
  readonly extendedMasterSecret: boolean;
  /** RFC 7366; only with a CBC suite. */
  readonly encryptThenMac: boolean;
  /** Bytes of plaintext in a record at most (RFC 6066 §4); `undefined` where that was not negotiated. */
  readonly maxFragmentLength: MaxFragmentLength | undefined;
}

/**
 * The master secret that both sides agreed on, told to the key log. The transcript must end in ClientKeyExchange: with RFC 7627 the secret depends on the whole handshake so far; without, only on the randoms.
 */
export function agreedMasterSecret(
  negotiated: Negotiated,
  premaster: Uint8Array,
  { settings, transcript, clientRandom }: Pick<Handshake, "settings" | "transcript" | "clientRandom">,
): Task<Uint8Array> {
  const { suite, randoms } = negotiated;
  const secret = negotiated.extendedMasterSecret
    ? extendedMasterSecret(settings.crypto, suite, premaster, transcript.digest(suite.hash))
    : masterSecret(settings.crypto, suite, premaster, randoms);
  return map(secret, (master) => {
    logMasterSecret(settings, clientRandom, master);
    return master;
  });
}

/** Tells the key log, where the user asked for it (NSS key log format, for Wireshark). */
export function logMasterSecret(
  { keyLog }: Pick<CommonSettings, "keyLog">,
  clientRandom: Uint8Array,
  master: Uint8Array,
): void {
  keyLog?.(`CLIENT_RANDOM ${toHex(clientRandom)} ${toHex(master)}`);
}

/** The master secret out of the randoms (RFC 5246 §8.1). */
export function masterSecret(
  crypto: CryptoProvider,
  suite: CipherSuite,
  premaster: Uint8Array,
  randoms: Randoms,
): Task<Uint8Array> {
  const seed = concat([randoms.client, randoms.server]);
  return crypto.prf(suite.hash, premaster, "master secret", seed, MASTER_SECRET_BYTES);
}

/** The extended master secret (RFC 7627 §4): `sessionHash` covers all messages up to and including ClientKeyExchange. */
export function extendedMasterSecret(
  crypto: CryptoProvider,
  suite: CipherSuite,
  premaster: Uint8Array,
  sessionHash: Uint8Array,
): Task<Uint8Array> {
  return crypto.prf(suite.hash, premaster, "extended master secret", sessionHash, MASTER_SECRET_BYTES);
}

/** The keys of both directions (RFC 5246 §6.3). */
export interface TrafficKeys {
  readonly client: RecordProtection;
  readonly server: RecordProtection;
}

/** The key block, cut into keys for both directions (RFC 5246 §6.3); the block itself is wiped. */
export function trafficKeys(
  { crypto, random }: Omit<ProtectionContext, "encryptThenMac">,
  { suite, randoms, encryptThenMac }: Pick<Negotiated, "suite" | "randoms" | "encryptThenMac">,
  master: Uint8Array,
): Task<TrafficKeys> {
  const { macKeyBytes, keyBytes, fixedIvBytes } = suite;
  const seed = concat([randoms.server, randoms.client]);
  const length = 2 * (macKeyBytes + keyBytes + fixedIvBytes);
  return map(crypto.prf(suite.hash, master, "key expansion", seed, length), (block) => {
    let at = 0;
    const next = (bytes: number) => block.subarray(at, (at += bytes));
    const macKeys = [next(macKeyBytes), next(macKeyBytes)] as const;
    const keys = [next(keyBytes), next(keyBytes)] as const;
    const fixedIvs = [next(fixedIvBytes), next(fixedIvBytes)] as const;
    const protect = (side: 0 | 1) =>
      suite.protect(
        { macKey: macKeys[side], key: keys[side], fixedIv: fixedIvs[side] },
        { crypto, random, encryptThenMac },
      );
    const traffic = { client: protect(0), server: protect(1) };
    wipe(block);
    return traffic;
  });
}

/** The verify_data of a Finished (RFC 5246 §7.4.9) over the digest of all handshake messages before it. */
export function verifyData(
  crypto: CryptoProvider,
  suite: CipherSuite,
  master: Uint8Array,
  sender: "client" | "server",
  digest: Uint8Array,
): Task<Uint8Array> {
  return crypto.prf(suite.hash, master, `${sender} finished`, digest, VERIFY_DATA_BYTES);
}

/** Keying material for another protocol (RFC 5705 §4). A context of no bytes differs from none. */
export function exportedKeys(
  crypto: CryptoProvider,
  suite: CipherSuite,
  master: Uint8Array,
  randoms: Randoms,
  label: string,
  context: Uint8Array | undefined,
  length: number,
): Task<Uint8Array> {
  const seed = new ByteWriter().bytes(randoms.client).bytes(randoms.server);
  if (context !== undefined) seed.prefixed(2, (writer) => writer.bytes(context));
  return crypto.prf(suite.hash, master, label, seed.finish(), length);
}
