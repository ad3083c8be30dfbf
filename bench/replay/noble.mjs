/**
 * What a mutual ECDSA handshake computes, with noble's primitives and without any TLS or certificates around them, as one script for any
 * engine: the same work as in `../cold/noble.mjs`. Leaves `handshake()` in `globalThis`.
 */
import { gcm } from "@noble/ciphers/aes.js";
import { p256 } from "@noble/curves/nist.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { nobleHandshake } from "../noble-handshake.mjs";

/* global fixture */
const primitives = { gcm, p256, hmac, sha256 };
const bytes = Object.fromEntries(Object.entries(fixture).map(([name, text]) => [name, hexToBytes(text)]));
globalThis.handshake = () => bytesToHex(nobleHandshake(primitives, bytes));
