/** Certificates of every kind, and a device that tries to connect: for the tests of the simulated account. */

import { tcp } from "../../../src/runtime/node.ts";
import { nodeCrypto } from "../../../src/runtime/node-crypto.ts";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { type Cloud, type SimulateOptions, simulate } from "../../../src/simulator/index.ts";
import { finish } from "../../../src/task.ts";
import { connectThing, type Thing } from "../../../src/thing/connect.ts";
import type { ConnectThingOptions } from "../../../src/thing/options.ts";
import type { PrivateKey } from "../../../src/tls/crypto/provider.ts";
import { type IssuedCertificate, issueUnder, selfSign } from "../../../src/tls/x509/authority.ts";
import { issueCertificate, type NameInput } from "../../../src/tls/x509/issue.ts";
import { encodePrivateKey } from "../../../src/tls/x509/keys.ts";

export const crypto = nodeCrypto();
const { random, clock } = nodeRuntime;
export const ports = { crypto, random, clock };
export const DAY_MS = 86_400_000;

const open: { close(): Promise<void> }[] = [];

/** Closes all that the test opened. */
export async function closeAll(): Promise<void> {
  for (const one of open.splice(0).reverse()) await one.close();
}

export function closeLater<T extends { close(): Promise<void> }>(one: T): T {
  open.push(one);
  return one;
}

export async function start(options: Partial<SimulateOptions> = {}): Promise<Cloud> {
  return closeLater(await simulate({ runtime: nodeRuntime, crypto, ...options }));
}

export function newKey(): PrivateKey {
  return finish(crypto.generateKey("secp256r1", random));
}

export function newAuthority(name = "Example CA", key = newKey()): IssuedCertificate {
  return selfSign(key, ports, { subject: [["CN", name]], days: 30 });
}

/** A device's certificate under a CA, with dates in days from now. */
export function issue(
  authority: IssuedCertificate,
  {
    name = "lamp",
    from,
    to = 10,
    key = newKey(),
  }: { name?: string; from?: number; to?: number; key?: PrivateKey } = {},
): IssuedCertificate {
  const subject: NameInput = [["CN", name]];
  const publicKey = finish(crypto.publicKey(key, random));
  if (from === undefined && to > 0)
    return {
      certificate: issueUnder(authority, ports, { subject, publicKey, days: to, extensions: { ca: false } }),
      privateKey: key,
    };
  const now = Date.now();
  const certificate = finish(
    issueCertificate({
      subject,
      issuer: [["CN", "Example CA"]],
      subjectPublicKey: publicKey,
      issuerKey: authority.privateKey,
      serialNumber: Uint8Array.of(1),
      notBefore: now + (from ?? -20) * DAY_MS,
      notAfter: now + to * DAY_MS,
      extensions: { ca: false },
      crypto,
      random,
    }),
  );
  return { certificate, privateKey: key };
}

/** Registers a CA with its proof. */
export function registerAuthority(cloud: Cloud, authority: IssuedCertificate, autoRegistration = false): string {
  const verification = issue(authority, { name: cloud.authorities.registrationCode });
  return cloud.authorities.register({
    certificate: authority.certificate,
    verificationCertificate: verification.certificate,
    autoRegistration,
  }).caCertificateId;
}

/** Connects with a certificate over our TLS, on the crypto of Node, without a second try. */
export async function connect(
  cloud: Cloud,
  device: { readonly certificate: Uint8Array; readonly privateKey: PrivateKey | Uint8Array },
  options: Partial<ConnectThingOptions> = {},
): Promise<Thing> {
  const { certificate, privateKey } = device;
  return closeLater(
    await connectThing(
      {
        endpoint: "localhost",
        thingName: "lamp",
        certificate,
        privateKey: privateKey instanceof Uint8Array ? privateKey : encodePrivateKey(privateKey),
        trust: cloud.caCertificate,
        dial: cloud.dial,
        reconnect: false,
        ...options,
      },
      { runtime: nodeRuntime, crypto: () => crypto, tcp },
    ),
  );
}

/** How a connection fails: where, with which of mbedTLS's and the SDK's codes, and which alert; `undefined` where it does not. */
export async function failure(attempt: Promise<unknown>): Promise<Record<string, unknown> | undefined> {
  try {
    await attempt;
    return undefined;
  } catch (caught) {
    const { code, data, mbedtls, sdk } = caught as Record<"code" | "data" | "mbedtls" | "sdk", unknown>;
    let alert: unknown;
    for (let cause = caught; cause instanceof Error; cause = cause.cause)
      alert ??= (cause as { data?: { alert?: unknown } }).data?.alert;
    return { code, phase: (data as { phase?: unknown } | undefined)?.phase, mbedtls, sdk, alert };
  }
}
