/**
 * The two scripts, self-contained: no imports, nothing but ES2022.
 *
 * @module
 */

import * as crypto from "node:crypto";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";
import type { Recording } from "../../test/fixtures/replay.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** For a script of {@link replayScript} that is to run by itself: each handshake prints a line. */
export const PRINT_ALL =
  'for (const name of names) (globalThis.print ?? console.log)(name + ": " + handshake(name) + " " + count(name));\n';

/** Replays of recorded handshakes. */
export function replayScript(recordings: Readonly<Record<string, Recording>>): Promise<string> {
  return bundle("handshake.ts", { recordings });
}

/** The same work with noble's primitives, which want some of a runtime: random bytes, here from a seed, and no more. */
export function nobleScript(): Promise<string> {
  const banner =
    "var state = 1;" +
    "globalThis.crypto ??= { getRandomValues(bytes) { for (let i = 0; i < bytes.length; i++) bytes[i] = (state = (Math.imul(state, 1103515245) + 12345) | 0) >> 16; return bytes; } };";
  return bundle("noble.mjs", { fixture: nobleFixture() }, { banner: { js: banner }, target: "es2020" });
}

async function bundle(
  name: string,
  constants: Readonly<Record<string, unknown>>,
  options: BuildOptions = {},
): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [here(name)],
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    target: "es2022",
    platform: "neutral",
    tsconfig: here("../../tsconfig.json"),
    define: Object.fromEntries(Object.entries(constants).map(([key, value]) => [key, JSON.stringify(value)])),
    logLevel: "error",
    ...options,
  });
  return outputFiles![0]!.text;
}

function nobleFixture(): Record<string, string> {
  const pair = () => crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
  const [ours, ephemeral, peer, server] = [pair(), pair(), pair(), pair()];
  const from64 = (text: string | undefined): string => Buffer.from(text ?? "", "base64url").toString("hex");
  const secret = (key: crypto.KeyObject): string => from64(key.export({ format: "jwk" }).d);
  const point = (key: crypto.KeyObject): string => {
    const { x, y } = key.export({ format: "jwk" });
    return `04${from64(x)}${from64(y)}`;
  };
  const data = crypto.randomBytes(200);
  return {
    key: secret(ours.privateKey),
    scalar: secret(ephemeral.privateKey),
    peer: point(peer.publicKey),
    signer: point(server.publicKey),
    digest: crypto.createHash("sha256").update(data).digest("hex"),
    signature: crypto.sign("sha256", data, { key: server.privateKey, dsaEncoding: "ieee-p1363" }).toString("hex"),
  };
}
