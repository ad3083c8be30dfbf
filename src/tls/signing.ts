/**
 * Our signature for CertificateVerify or ServerKeyExchange, as a task: made by the provider, or outside of the engine by whoever answers a `sign` event.
 *
 * @module
 */

import { copyOf } from "../bytes.ts";
import { map, type Task } from "../task.ts";
import type { CryptoProvider, PrivateKey, PublicKey } from "./crypto/provider.ts";
import { TlsError } from "./errors.ts";
import type { Signer } from "./events.ts";
import type { CommonSettings } from "./settings.ts";
import type { SignatureScheme } from "./suites.ts";

/** A signature that somebody else makes: waits until {@link answer} is called. */
export class ExternalSignature implements Task<Uint8Array> {
  readonly id: number;
  readonly scheme: SignatureScheme;
  readonly input: Uint8Array;
  readonly signer: Signer;
  readonly spent = 0;
  #answer: Uint8Array | undefined;
  #failure: TlsError | undefined;

  constructor(id: number, scheme: SignatureScheme, input: Uint8Array, signer: Signer) {
    this.id = id;
    this.scheme = scheme;
    this.input = input;
    this.signer = signer;
  }

  get isAnswered(): boolean {
    return this.#answer !== undefined || this.#failure !== undefined;
  }

  get result(): Uint8Array {
    return this.#answer!;
  }

  /** The signature, or what went wrong. */
  answer(value: unknown): void {
    if (value instanceof Uint8Array && value.length > 0 && value.length < 0x10000) this.#answer = copyOf(value);
    else
      this.#failure = new TlsError("TLS_SIGNER_FAILED", value instanceof Error ? value.message : "no signature", {
        cause: value,
        data: { scheme: this.scheme.name },
      });
  }

  step(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#answer !== undefined;
  }
}

/** A signature of somebody else, once it has verified with the key of the certificate that is shown: else `TLS_SIGNER_FAILED`. */
export function checkedSignature(
  crypto: CryptoProvider,
  scheme: SignatureScheme,
  key: PublicKey,
  digest: Uint8Array,
  signature: Uint8Array,
): Task<Uint8Array> {
  return map(crypto.verify(scheme, key, digest, signature), (isValid) => {
    if (isValid) return signature;
    throw new TlsError("TLS_SIGNER_FAILED", "the signature does not verify with the certificate's key", {
      data: { scheme: scheme.name, signatureBytes: signature.length },
      hint: "The signer holds another key than the certificate's (a wrong slot of the secure element?), or answers in another form: DER for ECDSA.",
    });
  });
}

/** A signature with a private key that we hold. What the provider throws becomes `TLS_SIGNER_FAILED`. */
export class OwnSignature implements Task<Uint8Array> {
  readonly #scheme: SignatureScheme;
  readonly #task: Task<Uint8Array>;

  constructor(
    settings: Pick<CommonSettings, "crypto" | "random">,
    scheme: SignatureScheme,
    key: PrivateKey,
    digest: Uint8Array,
  ) {
    this.#scheme = scheme;
    this.#task = this.#attempt(() => settings.crypto.sign(scheme, key, digest, settings.random));
  }

  get spent(): number {
    return this.#task.spent;
  }

  get result(): Uint8Array {
    return this.#task.result;
  }

  step(units: number): boolean {
    return this.#attempt(() => this.#task.step(units));
  }

  #attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (error instanceof TlsError) throw error;
      throw new TlsError("TLS_SIGNER_FAILED", error instanceof Error ? error.message : undefined, {
        cause: error,
        data: { scheme: this.#scheme.name },
      });
    }
  }
}
