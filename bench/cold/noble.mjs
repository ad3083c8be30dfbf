/** What a mutual ECDSA handshake computes, with noble's primitives, some times in a fresh process. */
import { gcm } from "@noble/ciphers/aes.js";
import { p256 } from "@noble/curves/nist.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { nobleHandshake } from "../noble-handshake.mjs";

const count = Number(process.argv[4]);
const primitives = { gcm, p256, hmac, sha256 };
const key = p256.utils.randomSecretKey();
const peer = p256.getPublicKey(p256.utils.randomSecretKey(), false);
const digest = sha256(new Uint8Array(200).fill(1));
const signer = p256.getPublicKey(key, false);
const signature = p256.sign(digest, key, { prehash: false, lowS: false });
for (let i = 0; i < count; i++)
  nobleHandshake(primitives, { key, scalar: p256.utils.randomSecretKey(), peer, digest, signer, signature });
const { user, system } = process.cpuUsage();
console.log(user + system);
