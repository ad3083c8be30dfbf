/**
 * A conversation of our TLS client with a server of another project: handshake, a request, its answer, and close_notify both ways.
 *
 * @module
 */

import { concat, utf8Decode, utf8Encode } from "../../src/bytes.ts";
import { nodeRuntime } from "../../src/runtime/node-ports.ts";
import { createCrypto } from "../../src/tls/crypto/index.ts";
import type { TlsClientOptions, TlsConnectionInfo } from "../../src/tls/events.ts";
import { trustAnchors } from "../../src/tls/x509/index.ts";
import { tcp } from "../../src/transport/node/tcp.ts";
import { tls } from "../../src/transport/tls.ts";
import type { CertificateFiles } from "./certificates.ts";
import type { Peer } from "./peer.ts";

const crypto = createCrypto();

export interface Conversation {
  readonly info: TlsConnectionInfo;
  /** The session that the connection left. */
  readonly session: Uint8Array | undefined;
  readonly answer: string;
  /** Bytes of plaintext in the longest record of the answer. */
  readonly longestRecord: number;
}

/** What is said: the request, and whether an answer is whole; by default an answer is as long as its request. */
export interface Exchange {
  readonly request: string;
  readonly isWhole?: (answer: string) => boolean;
  /** Whether the server is the first that sends close_notify; else we are, once the answer is whole. */
  readonly isServerFirst?: boolean;
}

/** A line of `length` characters. */
export const lineOf = (length: number): Exchange => ({
  request: `${"abcdefghij".repeat(Math.ceil(length / 10)).slice(0, length)}\n`,
});

/** Trusts the CA of the files; resolves when the server has answered and has closed in order too, rejects with what went wrong. */
export function converse(
  peer: Peer,
  files: CertificateFiles,
  options: Partial<TlsClientOptions>,
  exchange: Exchange = lineOf(20),
): Promise<Conversation> {
  const { request, isWhole = (answer) => answer.length >= request.length, isServerFirst = false } = exchange;
  const bytes = utf8Encode(request);
  let session: Uint8Array | undefined;
  return new Promise((resolve, reject) => {
    const transport = tls(tcp({ host: "127.0.0.1", port: peer.port }), {
      serverName: "localhost",
      trust: trustAnchors(files.text("ca.crt")),
      crypto,
      random: nodeRuntime.random,
      wallMs: nodeRuntime.clock.wallMs,
      now: nodeRuntime.clock.now,
      timers: nodeRuntime.timers,
      onSession: (blob) => {
        session = blob;
      },
      ...options,
    });
    let sent = 0;
    let received: Uint8Array = new Uint8Array(0);
    let longestRecord = 0;
    const answer = (): string => utf8Decode(received)!;
    transport.open({
      onWritable: () => {
        while (sent < bytes.length) {
          const taken = transport.write(bytes.subarray(sent));
          if (taken === 0) return;
          sent += taken;
        }
      },
      onData: (view) => {
        received = concat([received, view]);
        longestRecord = Math.max(longestRecord, view.length);
        if (!isServerFirst && isWhole(answer())) transport.shutdown();
      },
      onEnd: () => {
        if (isServerFirst) transport.shutdown();
        else transport.destroy();
        if (isWhole(answer())) resolve({ info: transport.info!, session, answer: answer(), longestRecord });
        else reject(new Error(`the server ended after ${received.length} bytes of its answer`));
      },
      onError: reject,
    });
  });
}
