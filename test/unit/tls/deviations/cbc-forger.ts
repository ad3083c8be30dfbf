/**
 * Makes the records of CBC suites that no right sealer makes: with a padding or a MAC of one's choice, under the keys of the connection.
 *
 * It stands in a provider and notes the keys that the server makes its protection with.
 *
 * @module
 */

import { createCipheriv, createHmac } from "node:crypto";
import { concat } from "../../../../src/bytes.ts";
import type { CryptoProvider } from "../../../../src/tls/crypto/provider.ts";
import { ContentType } from "../../../../src/tls/record.ts";
import { plain } from "../scripted-server.ts";

/** AES-128-CBC with SHA-256, and the first record behind Finished: what all rows use. */
const CIPHER = "aes-128-cbc";
const MAC = "sha256";
const SEQUENCE = 1;
const IV = new Uint8Array(16).fill(0x5a);

export class CbcForger {
  readonly crypto: CryptoProvider;
  readonly #keys: { readonly key: Uint8Array; readonly macKey: Uint8Array }[] = [];

  constructor(crypto: CryptoProvider) {
    const noting: CryptoProvider["cbc"] = (cipher, key, mac, macKey, order) => {
      this.#keys.push({ key: key.slice(), macKey: macKey.slice() });
      return crypto.cbc(cipher, key, mac, macKey, order);
    };
    // Providers are classes with private fields: all else is called on the provider itself.
    this.crypto = new Proxy(crypto, {
      get: (target, name: keyof CryptoProvider) => (name === "cbc" ? noting : target[name].bind(target)),
    });
  }

  /** The MAC of a record of data (RFC 5246 §6.2.3.1, RFC 7366 §3): over `content`. */
  mac(content: Uint8Array): Uint8Array {
    const header = [0, 0, 0, 0, 0, 0, 0, SEQUENCE, ContentType.application_data, 3, 3, content.length >> 8];
    const mac = createHmac(MAC, this.#server.macKey).update(Uint8Array.from([...header, content.length & 255]));
    return mac.update(content).digest();
  }

  /** The vector and what `text`, of whole blocks, is encrypted to. */
  encrypted(text: Uint8Array): Uint8Array {
    const cipher = createCipheriv(CIPHER, this.#server.key, IV).setAutoPadding(false);
    return concat([IV, cipher.update(text), cipher.final()]);
  }

  /** A record of MAC-then-encrypt: text, the MAC that is `change`d, and `padding`. */
  macThenEncrypt(text: Uint8Array, padding: Uint8Array, change: (mac: Uint8Array) => Uint8Array = (mac) => mac) {
    return plain(ContentType.application_data, this.encrypted(concat([text, change(this.mac(text)), padding])));
  }

  /** A record of RFC 7366: text and `padding`, and the MAC over what it is encrypted to. */
  encryptThenMac(text: Uint8Array, padding: Uint8Array): Uint8Array {
    const content = this.encrypted(concat([text, padding]));
    return plain(ContentType.application_data, concat([content, this.mac(content)]));
  }

  /** The server's keys are made behind the client's (RFC 5246 §6.3). */
  get #server() {
    return this.#keys[1]!;
  }
}
