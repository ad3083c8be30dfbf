/**
 * Client keys of every kind against OpenSSL's `s_server`, under each kind of server key; several certificates of which the right one is
 * chosen by the names of authorities that OpenSSL sends; and encrypted keys as the `openssl` command writes them.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ThingwireError } from "../../src/errors.ts";
import { finish } from "../../src/task.ts";
import { pbes2 } from "../../src/tls/crypto/index.ts";
import type { TlsClientOptions, TlsConnectionInfo } from "../../src/tls/events.ts";
import { allGroups } from "../../src/tls/suites.ts";
import { decryptPrivateKey, encodePrivateKey, parsePrivateKey } from "../../src/tls/x509/index.ts";
import { type CertificateFiles, identityOf, keyTypes, makeCertificates } from "./certificates.ts";
import { converse } from "./conversation.ts";
import { type Peer, startOpenssl } from "./peer.ts";

const PASSWORD = "correct horse";
const KEYS: Readonly<Record<string, readonly string[]>> = {
  "RSA-2048": ["RSA", "rsa_keygen_bits:2048"],
  "RSA-3072": ["RSA", "rsa_keygen_bits:3072"],
  "RSA-4096": ["RSA", "rsa_keygen_bits:4096"],
  "P-256": ["EC", "ec_paramgen_curve:P-256"],
  "P-384": ["EC", "ec_paramgen_curve:P-384"],
  "P-521": ["EC", "ec_paramgen_curve:P-521"],
};
let files: CertificateFiles;

/** A key of a kind, with a certificate of the CA or of another one. */
function make(name: string, kind: string, extensions: string, issuer = "ca"): void {
  const { file, openssl } = files;
  const [algorithm, parameter] = KEYS[kind]!;
  openssl("genpkey", "-algorithm", algorithm!, "-pkeyopt", parameter!, "-out", file(`${name}.key`));
  openssl("req", "-new", "-key", file(`${name}.key`), "-subj", `/CN=${name}`, "-out", file(`${name}.csr`));
  const authority = ["-CA", file(`${issuer}.crt`), "-CAkey", file(`${issuer}.key`), "-CAcreateserial", "-days", "30"];
  const more = extensions === "" ? [] : ["-extfile", file(extensions)];
  openssl("x509", "-req", "-in", file(`${name}.csr`), ...authority, "-sha256", ...more, "-out", file(`${name}.crt`));
}

beforeAll(() => {
  files = makeCertificates();
  for (const kind of Object.keys(KEYS)) make(`key-${kind}`, kind, "client-p256.ext");
  const { file, openssl } = files;
  const other = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file("other.key")];
  openssl("req", "-x509", ...other, "-subj", "/CN=another CA", "-days", "30", "-out", file("other.crt"));
  make("foreign", "P-256", "client-p256.ext", "other");
}, 60_000);
afterAll(() => files.remove());

/** Shakes hands, and has one line reversed: only then has the server taken the certificate. */
async function shakeHands(peer: Peer, options: Partial<TlsClientOptions>): Promise<TlsConnectionInfo> {
  const { answer, info } = await converse(peer, files, { groups: allGroups, ...options }, { request: "ab\n" });
  expect(answer).toBe("ba\n");
  return info;
}

describe.each(keyTypes)("RFC 5246 §7.4.8: OpenSSL with a server key %s", (server) => {
  let peer: Peer;
  beforeAll(async () => {
    peer = await startOpenssl(files, server);
  });
  afterAll(() => peer.stop());

  it.each(Object.keys(KEYS))("verifies a client key %s", async (kind) => {
    const info = await shakeHands(peer, { identity: identityOf(files, `key-${kind}`) });
    expect(info.clientSignatureScheme?.key).toBe(kind.startsWith("RSA") ? "rsa" : "ec");
    expect(info.suite.authentication).toBe(server === "rsa" ? "rsa" : "ecdsa");
  });
});

describe("RFC 5246 §7.4.4: OpenSSL asks", () => {
  it.each([
    ["RSA+SHA256", "RSA-2048", "rsa_pkcs1_sha256"],
    ["RSA+SHA512", "RSA-4096", "rsa_pkcs1_sha512"],
    ["rsa_pss_rsae_sha384", "RSA-3072", "rsa_pss_rsae_sha384"],
    ["rsa_pss_rsae_sha512", "RSA-2048", "rsa_pss_rsae_sha512"],
    ["ECDSA+SHA256", "P-521", "ecdsa_secp256r1_sha256"],
    ["ECDSA+SHA384", "P-256", "ecdsa_secp384r1_sha384"],
    ["ECDSA+SHA512", "P-384", "ecdsa_secp521r1_sha512"],
  ])("for %s: the certificate for it is the one that is sent", async (schemes, kind, name) => {
    const peer = await startOpenssl(files, "p256", "-client_sigalgs", schemes);
    try {
      const other = identityOf(files, kind.startsWith("RSA") ? "key-P-256" : "key-RSA-2048");
      const info = await shakeHands(peer, { identity: [other, identityOf(files, `key-${kind}`)] });
      expect(info.clientSignatureScheme?.name).toBe(name);
    } finally {
      await peer.stop();
    }
  });

  it("for a certificate of its CA: one of another authority is passed over, and alone it is sent and refused", async () => {
    const peer = await startOpenssl(files, "rsa");
    try {
      await shakeHands(peer, { identity: [identityOf(files, "foreign"), identityOf(files, "key-P-384")] });
      const error: ThingwireError = await shakeHands(peer, { identity: identityOf(files, "foreign") }).then(
        () => expect.fail("connected"),
        (reason) => reason,
      );
      expect(error).toMatchObject({ code: "TLS_ALERT_RECEIVED", data: { alert: 48 } });
    } finally {
      await peer.stop();
    }
  });
});

describe("RFC 8018: keys that the openssl command encrypted", () => {
  const encrypt = (...words: string[]): string => {
    const { file, openssl } = files;
    const [from, to] = [file("key-P-256.key"), file("encrypted.key")];
    openssl("pkcs8", "-topk8", "-in", from, "-out", to, "-passout", `pass:${PASSWORD}`, ...words);
    return readFileSync(to, "utf8");
  };
  const open = (pem: string, password = PASSWORD) => finish(decryptPrivateKey(pem, password, { decryption: pbes2 }));

  it.each(
    ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc"].flatMap((cipher) =>
      ["hmacWithSHA1", "hmacWithSHA256", "hmacWithSHA384", "hmacWithSHA512"].map((prf) => [cipher, prf] as const),
    ),
  )("%s with %s", (cipher, prf) => {
    const key = open(encrypt("-v2", cipher, "-v2prf", prf));
    expect(encodePrivateKey(key)).toEqual(encodePrivateKey(parsePrivateKey(files.text("key-P-256.key"))));
  });

  it("100,000 iterations, and a wrong password", () => {
    const pem = encrypt("-v2", "aes-256-cbc", "-iter", "100000");
    expect(open(pem).type).toBe("ec");
    expect(() => open(pem, "wrong")).toThrow(expect.objectContaining({ code: "X509_KEY_PASSWORD" }));
  });

  it.each([
    ["scrypt", ["-scrypt"], /id-scrypt/],
    ["3DES", ["-v2", "des3"], /des-EDE3-CBC/],
    ["PKCS#12's 3DES", ["-v1", "PBE-SHA1-3DES"], /3-KeyTripleDES/],
  ])("%s is refused by its name", (_, words, message) => {
    expect(() => open(encrypt(...words))).toThrow(
      expect.objectContaining({ code: "X509_KEY_ENCRYPTION", message: expect.stringMatching(message) }),
    );
  });
});
