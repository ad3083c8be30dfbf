/**
 * The last state of both roles: application data passes (RFC 5246 §10).
 *
 * @module
 */

import { done, type Task } from "../task.ts";
import { Expect, type State } from "./handshake.ts";
import type { Randoms } from "./key-schedule.ts";
import type { CipherSuite } from "./suites.ts";
import type { ClientAdmitted, FinishedValid, PeerVerified, SignatureValid } from "./verify.ts";

/** What a client must have checked before data passes. */
export interface ClientProofs {
  readonly peer: PeerVerified;
  readonly signature: SignatureValid;
  readonly finished: FinishedValid;
}

/** What a server must have checked before data passes. */
export interface ServerProofs {
  readonly client: ClientAdmitted;
  readonly finished: FinishedValid;
}

/** Application data passes. Needs the proofs that nothing was skipped. */
export class ExpectTraffic<H> extends Expect<H> {
  readonly name = "ExpectTraffic";
  readonly expects = ["ApplicationData"] as const;
  readonly proofs: ClientProofs | ServerProofs;
  readonly suite: CipherSuite;
  readonly randoms: Randoms;
  /** For exporters (RFC 5705). */
  readonly master: Uint8Array;

  constructor(
    keyed: { readonly suite: CipherSuite; readonly randoms: Randoms; readonly master: Uint8Array },
    proofs: ClientProofs | ServerProofs,
  ) {
    super();
    this.proofs = proofs;
    this.suite = keyed.suite;
    this.randoms = keyed.randoms;
    this.master = keyed.master;
  }

  protected react(): Task<State<H>> {
    return done(this);
  }
}
