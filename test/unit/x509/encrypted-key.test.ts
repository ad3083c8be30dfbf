/** Encrypted private keys: what OpenSSL writes, the vectors of RFC 6070 and of node, and each way to be refused. */
import { createCipheriv, createPrivateKey, generateKeyPairSync, pbkdf2Sync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fromHex, utf8Encode } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { pbes2 } from "../../../src/tls/crypto/index.ts";
import { Pbkdf2Task } from "../../../src/tls/crypto/pbes2.ts";
import { sha1 } from "../../../src/tls/crypto/sha1.ts";
import { sha256 } from "../../../src/tls/crypto/sha256.ts";
import { sha384, sha512 } from "../../../src/tls/crypto/sha512.ts";
import { nullValue, objectIdentifier, octetString, sequence, smallInteger } from "../../../src/tls/x509/der-write.ts";
import { encryptionOids } from "../../../src/tls/x509/encryption-oids.ts";
import { decryptPrivateKey, encodePrivateKey, parsePrivateKey, toPem } from "../../../src/tls/x509/index.ts";

const keys = {
  "RSA-2048": generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
  "P-256": generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  "P-384": generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
  "P-521": generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey,
};
const PASSWORD = "pässword 🔑";
const p256 = keys["P-256"];
const p256Der = new Uint8Array(p256.export({ type: "pkcs8", format: "der" }));

type Part = Uint8Array;
interface Recipe {
  readonly scheme?: string;
  readonly kdf?: string;
  readonly salt?: Uint8Array;
  readonly iterations?: number;
  readonly keyLength?: number;
  /** `undefined` leaves it out: HMAC-SHA-1. */
  readonly prf?: string | undefined;
  readonly cipher?: string;
  readonly iv?: Uint8Array;
  readonly ciphertext?: Uint8Array;
  /** What stands behind the plaintext instead of its padding. */
  readonly padding?: Uint8Array;
  readonly trailing?: Part;
}

const HASH_OF: Record<string, string> = {
  [encryptionOids.hmacWithSHA1]: "sha1",
  [encryptionOids.hmacWithSHA256]: "sha256",
  [encryptionOids.hmacWithSHA384]: "sha384",
  [encryptionOids.hmacWithSHA512]: "sha512",
};
const NAME_OF: Record<string, [string, number]> = {
  [encryptionOids["aes128-CBC-PAD"]]: ["aes-128-cbc", 16],
  [encryptionOids["aes192-CBC-PAD"]]: ["aes-192-cbc", 24],
  [encryptionOids["aes256-CBC-PAD"]]: ["aes-256-cbc", 32],
};

/** An EncryptedPrivateKeyInfo made with node's primitives, wrong where the recipe says so. */
function encrypted(recipe: Recipe = {}, plaintext = p256Der, password = PASSWORD): Uint8Array {
  const {
    salt = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    iterations = 10,
    cipher = encryptionOids["aes128-CBC-PAD"],
  } = recipe;
  const { iv = new Uint8Array(16).fill(9), keyLength } = recipe;
  const prf = "prf" in recipe ? recipe.prf : encryptionOids.hmacWithSHA256;
  const [name, bytes] = NAME_OF[cipher] ?? ["aes-128-cbc", 16];
  const key = pbkdf2Sync(
    password,
    salt,
    Math.max(iterations, 1),
    bytes,
    HASH_OF[prf ?? encryptionOids.hmacWithSHA1] ?? "sha256",
  );
  const encryption = createCipheriv(name, key, new Uint8Array(16).fill(9));
  encryption.setAutoPadding(recipe.padding === undefined);
  if (recipe.padding !== undefined) plaintext = new Uint8Array([...plaintext, ...recipe.padding]);
  const ciphertext =
    recipe.ciphertext ?? new Uint8Array(Buffer.concat([encryption.update(plaintext), encryption.final()]));
  const parameters = [
    octetString(salt),
    smallInteger(iterations),
    ...(keyLength === undefined ? [] : [smallInteger(keyLength)]),
    ...(prf === undefined ? [] : [sequence(objectIdentifier(prf), nullValue())]),
  ];
  return sequence(
    sequence(
      objectIdentifier(recipe.scheme ?? encryptionOids["id-PBES2"]),
      sequence(
        sequence(objectIdentifier(recipe.kdf ?? encryptionOids["id-PBKDF2"]), sequence(...parameters)),
        sequence(objectIdentifier(cipher), octetString(iv)),
      ),
    ),
    octetString(ciphertext),
    ...(recipe.trailing === undefined ? [] : [recipe.trailing]),
  );
}

const open = (input: string | Uint8Array, password: string | Uint8Array = PASSWORD, maxIterations?: number) =>
  finish(decryptPrivateKey(input, password, { decryption: pbes2, maxIterations }));
const error = (code: string, message?: RegExp) =>
  expect.objectContaining({
    code,
    blame: "caller",
    ...(message === undefined ? {} : { message: expect.stringMatching(message) }),
  });

describe("RFC 8018 §5.2 PBKDF2", () => {
  it("RFC 6070: HMAC-SHA-1", () => {
    const derive = (password: string, salt: string, iterations: number, length: number) =>
      Buffer.from(finish(new Pbkdf2Task(sha1, utf8Encode(password), utf8Encode(salt), iterations, length))).toString(
        "hex",
      );
    expect(derive("password", "salt", 1, 20)).toBe("0c60c80f961f0e71f3a9b524af6012062fe037a6");
    expect(derive("password", "salt", 2, 20)).toBe("ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
    expect(derive("password", "salt", 4096, 20)).toBe("4b007901b765489abead49d926f721d065a429c1");
    expect(derive("passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096, 25)).toBe(
      "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
    );
    expect(derive("pass\0word", "sa\0lt", 4096, 16)).toBe("56fa6aa75548099dcc37d7f03425e0c3");
  });

  it("is node's, for each hash, for keys of several blocks and long passwords, step by step", () => {
    for (const algorithm of [sha1, sha256, sha384, sha512])
      for (const [length, iterations] of [
        [1, 3],
        [16, 1],
        [32, 5],
        [100, 2],
      ] as const)
        for (const password of [new Uint8Array(0), fromHex("00ff"), new Uint8Array(200).fill(7)]) {
          const salt = fromHex("0102030405060708");
          const task = new Pbkdf2Task(algorithm, password, salt, iterations, length);
          let steps = 0;
          while (!task.step(1)) steps++;
          expect(steps).toBeGreaterThanOrEqual(iterations);
          const expected = pbkdf2Sync(password, salt, iterations, length, algorithm.name);
          expect(Buffer.from(task.result).equals(expected), `${algorithm.name} ${length}`).toBe(true);
        }
  });
});

describe("RFC 5958 §3, RFC 8018 §6.2: encrypted private keys", () => {
  for (const [kind, key] of Object.entries(keys))
    for (const cipher of ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc"])
      it(`${kind} with ${cipher}, as OpenSSL writes it, in PEM, PEM bytes and DER`, () => {
        const expected = encodePrivateKey(parsePrivateKey(key.export({ type: "pkcs8", format: "pem" }) as string));
        const form = { type: "pkcs8", cipher, passphrase: PASSWORD } as const;
        const pem = key.export({ ...form, format: "pem" }) as string;
        const der = new Uint8Array(key.export({ ...form, format: "der" }) as Buffer);
        for (const input of [pem, utf8Encode(pem), der])
          for (const password of [PASSWORD, utf8Encode(PASSWORD)])
            expect(encodePrivateKey(open(input, password))).toEqual(expected);
      });

  for (const prf of [
    undefined,
    encryptionOids.hmacWithSHA1,
    encryptionOids.hmacWithSHA256,
    encryptionOids.hmacWithSHA384,
    encryptionOids.hmacWithSHA512,
  ])
    for (const cipher of Object.keys(NAME_OF))
      it(`PRF ${HASH_OF[prf ?? ""] ?? "by default"} with ${NAME_OF[cipher]![0]}`, () => {
        const der = encrypted({ prf, cipher });
        // Node reads it too: what the test makes is right.
        expect(
          createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8", passphrase: PASSWORD }).equals(p256),
        ).toBe(true);
        expect(open(der)).toEqual(parsePrivateKey(p256Der));
        expect(open(encrypted({ prf, cipher, keyLength: NAME_OF[cipher]![1] }))).toEqual(parsePrivateKey(p256Der));
      });

  it("a key that is not encrypted is returned as it is", () => {
    expect(open(p256Der, "")).toEqual(parsePrivateKey(p256Der));
  });

  it("the empty password is one", () => {
    expect(open(encrypted({}, p256Der, ""), "")).toEqual(parsePrivateKey(p256Der));
    expect(() => open(encrypted({}, p256Der, ""), "x")).toThrow(error("X509_KEY_PASSWORD"));
  });

  it("each wrong password is X509_KEY_PASSWORD, whatever it makes of padding and DER", () => {
    const der = encrypted();
    // One of 256 wrong passwords leaves a padding that looks right: garbage under the right one is the same.
    for (const garbage of [new Uint8Array(40), Uint8Array.of(0x30, 3, 2, 1, 5), Uint8Array.of(0x30)])
      expect(() => open(encrypted({}, garbage))).toThrow(error("X509_KEY_PASSWORD"));
    for (let i = 0; i < 50; i++) expect(() => open(der, `wrong ${i}`)).toThrow(error("X509_KEY_PASSWORD"));
  });

  it("RFC 8018 §6.1.1 the padding is checked to its first byte, although the key before it is whole", () => {
    const bytes = 16 - (p256Der.length % 16);
    const right = new Uint8Array(bytes).fill(bytes);
    expect(open(encrypted({ padding: right })).type).toBe("ec");
    for (let i = 0; i < bytes - 1; i++) {
      const wrong = right.slice();
      wrong[i]! ^= 1;
      expect(() => open(encrypted({ padding: wrong })), `byte ${i}`).toThrow(error("X509_KEY_PASSWORD"));
    }
    expect(() => open(encrypted({ padding: new Uint8Array(bytes + 16).fill(bytes + 16) }))).toThrow(
      error("X509_KEY_PASSWORD"),
    );
    expect(() => open(encrypted({ padding: new Uint8Array(bytes) }))).toThrow(error("X509_KEY_PASSWORD"));
  });

  it("RFC 8018 §6.1.1 a padding is of 1 to 16 bytes", () => {
    const password = utf8Encode(PASSWORD);
    const encryption = { hash: "sha256", salt: password, iterations: 1, keyBytes: 16, iv: new Uint8Array(16) } as const;
    const key = pbkdf2Sync(password, password, 1, 16, "sha256");
    for (const last of [0, 1, 16, 17, 255]) {
      const plaintext = new Uint8Array(32).fill(last);
      const ciphertext = createCipheriv("aes-128-cbc", key, encryption.iv).setAutoPadding(false).update(plaintext);
      const length = finish(pbes2(encryption, password, new Uint8Array(ciphertext)))?.length;
      expect(length, String(last)).toBe(last === 0 || last > 16 ? undefined : 32 - last);
    }
  });

  it("a key of a kind that is not supported is told as such, since the password was right", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const pem = privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-128-cbc", passphrase: "x" }) as string;
    expect(() => open(pem, "x")).toThrow(error("X509_KEY_UNSUPPORTED"));
  });

  it("works with a budget of 1, and its units grow with the iterations", () => {
    const spend = (iterations: number, budget: number) => {
      const task = decryptPrivateKey(encrypted({ iterations }), PASSWORD, { decryption: pbes2 });
      let steps = 0;
      while (!task.step(budget)) steps++;
      return { steps, spent: task.spent };
    };
    const small = spend(100, 1);
    expect(small.steps).toBeGreaterThan(100);
    expect(spend(100, 1e9)).toEqual({ steps: 0, spent: small.spent });
    expect(spend(200, 1e9).spent).toBeGreaterThan(1.7 * small.spent);
  });

  const refused: [title: string, input: string | Uint8Array, code: string, message?: RegExp][] = [
    [
      "PBES1 with MD5 and DES",
      encrypted({ scheme: encryptionOids["pbeWithMD5AndDES-CBC"] }),
      "X509_KEY_ENCRYPTION",
      /pbeWithMD5AndDES/,
    ],
    [
      "3DES of PKCS#12",
      encrypted({ scheme: encryptionOids["pbeWithSHAAnd3-KeyTripleDES-CBC"] }),
      "X509_KEY_ENCRYPTION",
      /3-KeyTripleDES/,
    ],
    ["scrypt", encrypted({ kdf: encryptionOids["id-scrypt"] }), "X509_KEY_ENCRYPTION", /id-scrypt/],
    ["3DES", encrypted({ cipher: encryptionOids["des-EDE3-CBC-Pad"] }), "X509_KEY_ENCRYPTION", /des-EDE3-CBC/],
    [
      "HMAC-SHA-224",
      encrypted({ prf: encryptionOids.hmacWithSHA224 }),
      "X509_KEY_ENCRYPTION",
      /PBKDF2 with hmacWithSHA224/,
    ],
    ["an OID that nobody knows", encrypted({ scheme: "1.2.3.4" }), "X509_KEY_ENCRYPTION", /1\.2\.3\.4/],
    ["too many iterations", encrypted({ iterations: 1_000_001 }), "X509_KEY_ENCRYPTION", /1000001 iterations.*1000000/],
    ["no iterations", encrypted({ iterations: 0 }), "X509_KEY_MALFORMED", /iterationCount/],
    ["an empty salt", encrypted({ salt: new Uint8Array(0) }), "X509_KEY_MALFORMED", /salt/],
    ["a salt of 1,025 bytes", encrypted({ salt: new Uint8Array(1025) }), "X509_KEY_MALFORMED", /salt/],
    ["a key length of another cipher", encrypted({ keyLength: 32 }), "X509_KEY_MALFORMED", /keyLength/],
    ["an IV of 8 bytes", encrypted({ iv: new Uint8Array(8) }), "X509_KEY_MALFORMED", /iv/],
    ["no ciphertext", encrypted({ ciphertext: new Uint8Array(0) }), "X509_KEY_MALFORMED", /encryptedData/],
    ["half a block", encrypted({ ciphertext: new Uint8Array(24) }), "X509_KEY_MALFORMED", /encryptedData/],
    ["something behind it", encrypted({ trailing: nullValue() }), "X509_KEY_MALFORMED"],
    [
      "the encryption of old PEM files",
      keys["RSA-2048"].export({ type: "pkcs1", format: "pem", cipher: "aes-128-cbc", passphrase: PASSWORD }) as string,
      "X509_KEY_ENCRYPTION",
      /RSA PRIVATE KEY in line 1.*Proc-Type: 4,ENCRYPTED/,
    ],
    ["a certificate", toPem("CERTIFICATE", p256Der), "X509_WRONG_CONTENT"],
  ];
  for (const [title, input, code, message] of refused)
    it(`${title} is ${code}, before anything is computed`, () => {
      expect(() => decryptPrivateKey(input, PASSWORD, { decryption: pbes2 })).toThrow(error(code, message));
    });

  it("`maxIterations` moves the limit both ways", () => {
    expect(() => open(encrypted({ iterations: 11 }), PASSWORD, 10)).toThrow(error("X509_KEY_ENCRYPTION"));
    expect(open(encrypted({ iterations: 10 }), PASSWORD, 10).type).toBe("ec");
    expect(() =>
      decryptPrivateKey(encrypted({ iterations: 2_000_000 }), PASSWORD, {
        decryption: pbes2,
        maxIterations: 2_000_000,
      }),
    ).not.toThrow();
    expect(() => open(encrypted(), PASSWORD, Number.NaN)).toThrow(error("USAGE_INVALID_ARGUMENT"));
  });

  it("without a decryption it is a mistake of the caller", () => {
    expect(() => decryptPrivateKey(encrypted(), PASSWORD, {} as never)).toThrow(error("USAGE_INVALID_ARGUMENT"));
  });

  it("what was decrypted is wiped, and the caller's password is not", () => {
    let plaintext: Uint8Array | undefined;
    let secret: Uint8Array | undefined;
    const password = utf8Encode(PASSWORD);
    const spy = (given: string | Uint8Array) =>
      finish(
        decryptPrivateKey(encrypted(), given, {
          decryption: (encryption, bytes, ciphertext) => {
            secret = bytes;
            const task = pbes2(encryption, bytes, ciphertext);
            return {
              step: (units) => {
                const isDone = task.step(units);
                if (isDone) plaintext = task.result;
                return isDone;
              },
              get spent() {
                return task.spent;
              },
              get result() {
                return task.result;
              },
            };
          },
        }),
      );
    spy(PASSWORD);
    expect(plaintext!.every((byte) => byte === 0)).toBe(true);
    expect(secret!.every((byte) => byte === 0)).toBe(true);
    spy(password);
    expect(password).toEqual(utf8Encode(PASSWORD));
    expect(() => spy("")).toThrow(error("X509_KEY_PASSWORD"));
    expect(() => spy("another")).toThrow(error("X509_KEY_PASSWORD"));
    expect(secret).toHaveLength(7);
    expect(secret!.every((byte) => byte === 0)).toBe(true);
  });
});
