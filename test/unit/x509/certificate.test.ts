import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { toHex, utf8Encode } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { contextTag, tags } from "../../../src/tls/x509/der.ts";
import * as write from "../../../src/tls/x509/der-write.ts";
import {
  certificateErrors,
  describe as describeCertificate,
  fingerprint,
  issueCertificate,
  oneLine,
  parseCertificateChain,
} from "../../../src/tls/x509/index.ts";
import { ecKey, nodeDouble, publicOf, random, rsaKey } from "./node-double.ts";
import { ca, crypto, DAY, entity, NOW, parseCertificate, server } from "./pki.ts";

const roots = parseCertificateChain(readFileSync(new URL("amazon-roots.pem", import.meta.url), "utf8"));

/** The parts of a certificate, to be changed one at a time; nothing is signed. */
function assemble(
  change: Partial<
    Record<
      | "version"
      | "serial"
      | "algorithm"
      | "outer"
      | "issuer"
      | "validity"
      | "subject"
      | "key"
      | "extensions"
      | "signature"
      | "end",
      Uint8Array
    >
  > = {},
): Uint8Array {
  const algorithm = write.sequence(write.objectIdentifier("1.2.840.10045.4.3.2"));
  const none = new Uint8Array(0);
  const name = write.sequence(attribute("2.5.4.3", write.utf8String("a")));
  const tbs = write.sequence(
    change.version ?? write.explicit(0, write.smallInteger(2)),
    change.serial ?? write.smallInteger(1),
    change.algorithm ?? algorithm,
    change.issuer ?? name,
    change.validity ?? write.sequence(write.time(NOW), write.time(NOW + DAY)),
    change.subject ?? name,
    change.key ??
      write.sequence(write.sequence(write.objectIdentifier("1.3.101.112")), write.bitString(new Uint8Array(32))),
    change.extensions ?? none,
    change.end ?? none,
  );
  return write.sequence(
    tbs,
    change.outer ?? change.algorithm ?? algorithm,
    change.signature ?? write.bitString(new Uint8Array(8)),
  );
}

function attribute(type: string, value: Uint8Array): Uint8Array {
  return write.set(write.sequence(write.objectIdentifier(type), value));
}

function extensions(...list: readonly [oid: string, value: Uint8Array, critical?: Uint8Array][]): Uint8Array {
  return write.explicit(
    3,
    write.sequence(
      ...list.map(([oid, value, critical]) =>
        write.sequence(write.objectIdentifier(oid), critical ?? new Uint8Array(0), write.octetString(value)),
      ),
    ),
  );
}

describe("a certificate", () => {
  it("RFC 5280 §4.1 is read as node:crypto reads it", () => {
    const root = ca("root CA", undefined, { key: rsaKey() });
    const leaf = server(root, {
      name: [
        ["C", "DE"],
        ["O", "Überraschung"],
        ["CN", "lamp"],
      ],
      serial: 0x7f,
      extensions: { dnsNames: ["a.example.com", "*.b.example.com"], ipAddresses: ["127.0.0.1", "::1"] },
    });
    for (const der of [...roots, root.der, leaf.der]) {
      const ours = parseCertificate(der);
      const theirs = new X509Certificate(der);
      expect(BigInt(`0x${toHex(ours.serialNumber)}`)).toBe(BigInt(`0x${theirs.serialNumber}`));
      expect(ours.notBefore).toBe(Date.parse(theirs.validFrom));
      expect(ours.notAfter).toBe(Date.parse(theirs.validTo));
      expect(ours.basicConstraints?.ca ?? false).toBe(theirs.ca);
      expect(Buffer.from(ours.subjectPublicKeyInfo)).toEqual(theirs.publicKey.export({ format: "der", type: "spki" }));
      const names = ours.subject.attributes.flat().map(({ name, value }) => `${name}=${value}`);
      expect(names.join("\n")).toBe(theirs.subject.replaceAll("\\,", ","));
      expect(fingerprint(der, crypto)).toBe(theirs.fingerprint256);
      expect(ours.extendedKeyUsage).toEqual(theirs.keyUsage);
    }
    const parsed = parseCertificate(leaf.der);
    expect(parsed.subjectAltName?.dns).toEqual(["a.example.com", "*.b.example.com"]);
    expect(parsed.subject.toString()).toBe("C = DE, O = \\u{dc}berraschung, CN = lamp");
    expect(new X509Certificate(leaf.der).checkIssued(new X509Certificate(root.der))).toBe(true);
    expect(new X509Certificate(leaf.der).verify(new X509Certificate(root.der).publicKey)).toBe(true);
  });

  it("RFC 5280 §4.1 the assembled one is right, so that the next tests fail for their own reason", () => {
    expect(parseCertificate(assemble())).toMatchObject({
      version: 3,
      publicKey: undefined,
      publicKeyAlgorithm: "id-Ed25519",
    });
    expect(parseCertificate(assemble({ version: new Uint8Array(0) })).version).toBe(1);
    expect(
      parseCertificate(
        assemble({
          version: write.explicit(0, write.smallInteger(1)),
          end: write.element(contextTag(1, false), Uint8Array.of(0, 1)),
        }),
      ).version,
    ).toBe(2);
  });

  const name = (value: Uint8Array) => write.sequence(attribute("2.5.4.3", value));
  const bool = (octet: number) => write.element(tags.BOOLEAN, Uint8Array.of(octet));
  const pss = (hash: string, salt: number, maskHash = hash, trailer = 1) => {
    const id = (oid: string) => write.sequence(write.objectIdentifier(oid));
    const mask = write.sequence(write.objectIdentifier("1.2.840.113549.1.1.8"), id(maskHash));
    const trailerField = trailer === 1 ? new Uint8Array(0) : write.explicit(3, write.smallInteger(trailer));
    return write.sequence(
      write.objectIdentifier("1.2.840.113549.1.1.10"),
      write.sequence(
        write.explicit(0, id(hash)),
        write.explicit(1, mask),
        write.explicit(2, write.smallInteger(salt)),
        trailerField,
      ),
    );
  };
  it.each([
    ["§4.1.2.1 version 4", "X509_VERSION", assemble({ version: write.explicit(0, write.smallInteger(3)) })],
    ["§4.1.2.1 version 1 written out", "X509_VERSION", assemble({ version: write.explicit(0, write.smallInteger(0)) })],
    [
      "§4.1.2.1 extensions in version 2",
      "X509_MALFORMED",
      assemble({
        version: write.explicit(0, write.smallInteger(1)),
        extensions: extensions(["1.2.3", write.nullValue()]),
      }),
    ],
    [
      "§4.1.2.2 a serial number of 22 octets",
      "X509_SERIAL",
      assemble({ serial: write.unsignedInteger(new Uint8Array(22).fill(1)) }),
    ],
    [
      "§4.1.1.2 another algorithm outside",
      "X509_SIGNATURE_ALGORITHM",
      assemble({ outer: write.sequence(write.objectIdentifier("1.2.840.10045.4.3.3")) }),
    ],
    [
      "§4.1.1.2 other parameters outside",
      "X509_SIGNATURE_ALGORITHM",
      assemble({ algorithm: pss("2.16.840.1.101.3.4.2.1", 32), outer: pss("2.16.840.1.101.3.4.2.1", 20) }),
    ],
    [
      "RFC 5758 §3.2 ECDSA with parameters",
      "X509_SIGNATURE_ALGORITHM",
      assemble({ algorithm: write.sequence(write.objectIdentifier("1.2.840.10045.4.3.2"), write.nullValue()) }),
    ],
    ["§4.1.2.4 an empty issuer", "X509_NAME", assemble({ issuer: write.sequence() })],
    ["§4.1.2.4 an empty RDN", "X509_NAME", assemble({ issuer: write.sequence(write.set()) })],
    [
      "§4.1.2.4 a UTF8String that is no UTF-8",
      "X509_NAME",
      assemble({ subject: name(write.element(tags.UTF8_STRING, Uint8Array.of(0xc0, 0x80))) }),
    ],
    [
      "§4.1.2.4 a PrintableString above 7F",
      "X509_NAME",
      assemble({ subject: name(write.element(tags.PRINTABLE_STRING, Uint8Array.of(0xff))) }),
    ],
    [
      "§4.1.2.4 a value of a class of its own",
      "X509_NAME",
      assemble({ subject: name(write.element(contextTag(1, true), Uint8Array.of(65))) }),
    ],
    [
      "§4.1.2.4 a BMPString of 3 octets",
      "X509_NAME",
      assemble({ subject: name(write.element(tags.BMP_STRING, Uint8Array.of(0, 65, 0))) }),
    ],
    [
      "§4.1.2.5 a validity with three dates",
      "X509_DATE",
      assemble({ validity: write.sequence(write.time(0), write.time(0), write.time(0)) }),
    ],
    [
      "§4.1.2.7 RSA without its NULL",
      "X509_PUBLIC_KEY",
      assemble({
        key: write.sequence(
          write.sequence(write.objectIdentifier("1.2.840.113549.1.1.1")),
          write.bitString(new Uint8Array(2)),
        ),
      }),
    ],
    [
      "§4.1.2.7 a negative modulus",
      "X509_PUBLIC_KEY",
      assemble({
        key: write.sequence(
          write.sequence(write.objectIdentifier("1.2.840.113549.1.1.1"), write.nullValue()),
          write.bitString(write.sequence(write.element(tags.INTEGER, Uint8Array.of(0x80)), write.smallInteger(3))),
        ),
      }),
    ],
    [
      "§4.1.2.9 an empty list of extensions",
      "X509_EXTENSION",
      assemble({ extensions: write.explicit(3, write.sequence()) }),
    ],
    [
      "§4.2 an extension twice",
      "X509_EXTENSION",
      assemble({ extensions: extensions(["1.2.3", write.nullValue()], ["1.2.3", write.nullValue()]) }),
    ],
    [
      "X.690 §11.1 critical as 01",
      "X509_EXTENSION",
      assemble({ extensions: extensions(["1.2.3", write.nullValue(), bool(1)]) }),
    ],
    [
      "§4.2.1.1 a critical authorityKeyIdentifier",
      "X509_EXTENSION",
      assemble({ extensions: extensions(["2.5.29.35", write.sequence(), bool(0xff)]) }),
    ],
    [
      "§4.2.1.2 a critical subjectKeyIdentifier",
      "X509_EXTENSION",
      assemble({ extensions: extensions(["2.5.29.14", write.octetString(), bool(0xff)]) }),
    ],
    [
      "§4.2.1.3 keyUsage without a bit",
      "X509_EXTENSION",
      assemble({ extensions: extensions(["2.5.29.15", write.bitString(Uint8Array.of(0), 0)]) }),
    ],
    [
      "§4.2.1.6 an empty subjectAltName",
      "X509_EXTENSION",
      assemble({ extensions: extensions(["2.5.29.17", write.sequence()]) }),
    ],
    [
      "§4.2.1.6 an address of 5 octets",
      "X509_EXTENSION",
      assemble({
        extensions: extensions(["2.5.29.17", write.sequence(write.element(contextTag(7, false), new Uint8Array(5)))]),
      }),
    ],
    [
      "§4.2.1.6 a DNS name above 7F",
      "X509_EXTENSION",
      assemble({
        extensions: extensions(["2.5.29.17", write.sequence(write.element(contextTag(2, false), Uint8Array.of(0xe4)))]),
      }),
    ],
    [
      "§4.2.1.6 a name of no kind",
      "X509_EXTENSION",
      assemble({ extensions: extensions(["2.5.29.17", write.sequence(write.element(contextTag(9, false)))]) }),
    ],
    ...(
      [
        ["an otherName without a value", write.element(0xa0, write.objectIdentifier("1.2.3"))],
        ["an otherName that is none", write.element(0xa0, Uint8Array.of(1, 2, 3))],
        [
          "an otherName with two values",
          write.element(
            0xa0,
            write.objectIdentifier("1.2.3"),
            write.explicit(0, write.sequence(write.nullValue(), write.nullValue()).subarray(2)),
          ),
        ],
        ["a registeredID that is no OID", write.element(contextTag(8, false), Uint8Array.of(0x80, 1))],
      ] as const
    ).map(([title, name]): [string, "X509_EXTENSION", Uint8Array] => [
      `§4.2.1.6 ${title}`,
      "X509_EXTENSION",
      assemble({ extensions: extensions(["2.5.29.17", write.sequence(name)]) }),
    ]),
    ...(
      [
        ["authorityCertIssuer is none", write.element(contextTag(1, true), Uint8Array.of(1, 2, 3))],
        ["authorityCertSerialNumber has no octet", write.element(contextTag(2, false))],
        ["authorityCertSerialNumber is not minimal", write.element(contextTag(2, false), Uint8Array.of(0, 5))],
      ] as const
    ).map(([title, part]): [string, "X509_EXTENSION", Uint8Array] => [
      `§4.2.1.1 ${title}`,
      "X509_EXTENSION",
      assemble({ extensions: extensions(["2.5.29.35", write.sequence(part)]) }),
    ]),
    [
      "§4.2.1.9 a negative pathLenConstraint",
      "X509_EXTENSION",
      assemble({
        extensions: extensions([
          "2.5.29.19",
          write.sequence(bool(0xff), write.element(tags.INTEGER, Uint8Array.of(0xff))),
        ]),
      }),
    ],
    [
      "§4.2.1.9 something behind the value",
      "X509_EXTENSION",
      assemble({
        extensions: extensions(["2.5.29.19", write.sequence(write.sequence(), write.nullValue()).subarray(2)]),
      }),
    ],
    [
      "§4.2.1.10 empty nameConstraints",
      "X509_EXTENSION",
      assemble({ extensions: extensions(["2.5.29.30", write.sequence()]) }),
    ],
    [
      "§4.2.1.10 a subtree with a minimum",
      "X509_EXTENSION",
      assemble({
        extensions: extensions([
          "2.5.29.30",
          write.sequence(
            write.explicit(
              0,
              write.sequence(
                write.element(contextTag(2, false)),
                write.element(contextTag(0, false), Uint8Array.of(1)),
              ),
            ),
          ),
        ]),
      }),
    ],
    [
      "§4.2.1.12 an empty extKeyUsage",
      "X509_EXTENSION",
      assemble({ extensions: extensions(["2.5.29.37", write.sequence()]) }),
    ],
    ["a signature of 63 bits", "X509_MALFORMED", assemble({ signature: write.bitString(new Uint8Array(8), 1) })],
    ["something behind the extensions", "X509_MALFORMED", assemble({ end: write.nullValue() })],
    ["something behind the certificate", "X509_MALFORMED", Uint8Array.of(...assemble(), 0)],
    [
      "65 extensions",
      "X509_LIMIT",
      assemble({
        extensions: extensions(
          ...Array.from({ length: 65 }, (_, i) => [`1.2.${i}`, write.nullValue()] as [string, Uint8Array]),
        ),
      }),
    ],
    [
      "2049 names",
      "X509_LIMIT",
      assemble({
        extensions: extensions([
          "2.5.29.17",
          write.sequence(...Array.from({ length: 2049 }, () => write.element(contextTag(2, false), Uint8Array.of(97)))),
        ]),
      }),
    ],
    ["70 kB", "X509_LIMIT", assemble({ signature: write.bitString(new Uint8Array(70_000)) })],
    ["nothing", "X509_MALFORMED", new Uint8Array(0)],
    [
      "200 levels of SEQUENCE",
      "X509_MALFORMED",
      Array.from({ length: 200 }).reduce<Uint8Array>((inner) => write.sequence(inner), write.nullValue()),
    ],
  ] as const)("RFC 5280 %s is refused", (_, code, der) => {
    expect(() => parseCertificate(der)).toThrow(
      expect.objectContaining({ code, blame: "peer", alert: certificateErrors[code].alert }),
    );
  });

  it("RFC 4055 §3.1 RSA-PSS is known where one hash does it all and the salt is as long", () => {
    const algorithm = (...of: Parameters<typeof pss>) =>
      parseCertificate(assemble({ algorithm: pss(...of) })).signatureAlgorithm;
    expect(algorithm("2.16.840.1.101.3.4.2.1", 32, "2.16.840.1.101.3.4.2.2")).toBeUndefined();
    expect(algorithm("2.16.840.1.101.3.4.2.1", 32, "2.16.840.1.101.3.4.2.1", 2)).toBeUndefined();
    expect(algorithm("2.16.840.1.101.3.4.2.1", 32)).toEqual({ kind: "rsa-pss", hash: "sha256" });
    expect(algorithm("2.16.840.1.101.3.4.2.3", 64)).toEqual({ kind: "rsa-pss", hash: "sha512" });
    expect(algorithm("2.16.840.1.101.3.4.2.1", 20)).toBeUndefined();
    expect(algorithm("1.3.14.3.2.26", 20)).toBeUndefined();
  });

  it("a DEFAULT FALSE may be written out, and keyUsage may end in zero bits: roots in use have these", () => {
    const written = parseCertificate(
      assemble({
        extensions: extensions(
          ["2.5.29.19", write.sequence(bool(0)), bool(0)],
          ["2.5.29.15", write.bitString(Uint8Array.of(0x80), 0)],
        ),
      }),
    );
    expect(written.basicConstraints).toEqual({ ca: false, pathLength: undefined });
    expect(written.keyUsage).toEqual(["digitalSignature"]);
  });

  it("all 9 bits of keyUsage go round", () => {
    const { der } = entity({ extensions: { keyUsage: ["digitalSignature", "keyAgreement", "decipherOnly"] } });
    expect(parseCertificate(der).keyUsage).toEqual(["digitalSignature", "keyAgreement", "decipherOnly"]);
  });
});

describe("issuing", () => {
  it("writes what node accepts: RSA and EC issuers, all extensions, dates on both sides of 2050", () => {
    for (const key of [rsaKey(), ecKey(), ecKey("secp384r1")]) {
      const root = ca("issuer", undefined, {
        key,
        notAfter: Date.UTC(2060, 0, 1),
        extensions: { pathLength: 1, subjectKeyIdentifier: Uint8Array.of(1, 2) },
      });
      const leaf = server(root, { extensions: { authorityKeyIdentifier: Uint8Array.of(1, 2) } });
      const [a, b] = [new X509Certificate(root.der), new X509Certificate(leaf.der)];
      expect(a.verify(a.publicKey) && b.verify(a.publicKey) && b.checkIssued(a)).toBe(true);
      expect(b.checkHost("thing.example.com")).toBe("thing.example.com");
      expect(parseCertificate(root.der)).toMatchObject({
        basicConstraints: { ca: true, pathLength: 1 },
        notAfter: Date.UTC(2060, 0, 1),
        subjectKeyIdentifier: Uint8Array.of(1, 2),
      });
      expect(parseCertificate(leaf.der).authorityKeyIdentifier).toEqual({ keyIdentifier: Uint8Array.of(1, 2) });
    }
  });

  it("goes on in steps of any budget", () => {
    const key = ecKey();
    const task = issueCertificate({
      subject: [["CN", "x"]],
      subjectPublicKey: publicOf(key),
      issuerKey: key,
      serialNumber: Uint8Array.of(9),
      notBefore: NOW,
      notAfter: NOW,
      crypto: nodeDouble(),
      random,
    });
    let steps = 0;
    while (!task.step(1)) steps++;
    expect(steps).toBeGreaterThan(10);
    expect(parseCertificate(task.result).serialNumber).toEqual(Uint8Array.of(9));
  });

  it("refuses what it cannot write", () => {
    const make = (more: object) => () => {
      const key = ecKey();
      finish(
        issueCertificate({
          subject: [["CN", "x"]],
          subjectPublicKey: publicOf(key),
          issuerKey: key,
          serialNumber: Uint8Array.of(9),
          notBefore: NOW,
          notAfter: NOW,
          crypto,
          random,
          ...more,
        }),
      );
    };
    const usage = expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" });
    expect(make({ subject: [["XX", "x"]] })).toThrow(usage);
    expect(make({ notAfter: Number.NaN })).toThrow();
    expect(make({ extensions: { ipAddresses: ["localhost"] } })).toThrow(usage);
  });
});

describe("description", () => {
  it("shows a root as openssl does", () => {
    expect(describeCertificate(parseCertificate(roots[2]!), crypto)).toBe(`Certificate:
    Data:
        Version: 3 (0x2)
        Serial Number:
            06:6c:9f:d5:74:97:36:66:3f:3b:0b:9a:d9:e8:9e:76:03:f2:4a
        Signature Algorithm: ecdsa-with-SHA256
        Issuer: C = US, O = Amazon, CN = Amazon Root CA 3
        Validity
            Not Before: May 26 00:00:00 2015 GMT
            Not After : May 26 00:00:00 2040 GMT
        Subject: C = US, O = Amazon, CN = Amazon Root CA 3
        Subject Public Key Info:
            Public Key Algorithm: id-ecPublicKey
                pub: 04:29:97:A7:C6:41:7F:C0:0D:9B:E8:01:1B:56:C6:F2:52:A5:BA:2D:B2:12:E8:D2:2E:D7:FA:C9:C5:D8:AA:6D:…
                NIST CURVE: P-256
        X509v3 extensions:
            X509v3 Basic Constraints: critical
                CA:TRUE
            X509v3 Key Usage: critical
                Digital Signature, Certificate Sign, CRL Sign
            X509v3 Subject Key Identifier:
                AB:B6:DB:D7:06:9E:37:AC:30:86:07:91:70:C7:9C:C4:19:B1:78:C0
    Signature Algorithm: ecdsa-with-SHA256
    Signature Value: 72 bytes, 30:46:02:21:00:E0:85:92:A3:17:B7:8D:F9:2B:06:A5:93:AC:1A:98:68:61:72:FA:E1:A1:D0:FB:1C:78:60:A6:…
    SHA-256 Fingerprint: 18:CE:6C:FE:7B:F1:4E:60:B2:E3:47:B8:DF:E8:68:CB:31:D0:2E:BB:3A:DA:27:15:69:F5:03:43:B4:6D:B3:A4
`);
  });

  it("shows the extensions of a leaf and escapes what a peer wrote", () => {
    const hostile = server(undefined, {
      name: [["CN", "evil\n\u001b[31mred"]],
      extensions: {
        ipAddresses: ["10.0.0.1", "::1"],
        dnsNames: ["a\nb"],
        others: [{ oid: "1.2.3.4", critical: true, value: utf8Encode("?") }],
      },
    });
    const text = describeCertificate(parseCertificate(hostile.der));
    expect(text).toContain("Subject: CN = evil\\u{a}\\u{1b}[31mred\n");
    expect(text).toContain("DNS:a\\u{a}b, IP Address:10.0.0.1, IP Address:::1");
    expect(text).toContain("TLS Web Server Authentication");
    expect(text).toContain("1.2.3.4: critical\n                3F\n");
    expect(text).not.toContain("Fingerprint");
    expect(oneLine(parseCertificate(hostile.der))).not.toContain("\n");
  });

  it("shows small, large and negative serial numbers, RSA keys and odd ones", () => {
    expect(
      describeCertificate(parseCertificate(assemble({ serial: write.element(tags.INTEGER, Uint8Array.of(0xff)) }))),
    ).toContain("-1 (-0x1)");
    expect(describeCertificate(parseCertificate(assemble()))).toContain("Public Key Algorithm: id-Ed25519");
    const rsa = describeCertificate(parseCertificate(roots[0]!));
    expect(rsa).toContain("Public-Key: (2048 bit)");
    expect(rsa).toContain("Exponent: 65537 (0x10001)");
    expect(oneLine(parseCertificate(roots[0]!))).toBe(
      "C = US, O = Amazon, CN = Amazon Root CA 1, issued by C = US, O = Amazon, CN = Amazon Root CA 1, 2015-05-26 to 2038-01-17, rsaEncryption (2048 bit)",
    );
  });
});

describe("the table of errors", () => {
  it("every row has a meaning, a hint, and where a peer is to blame an alert and a flag", () => {
    for (const [code, row] of Object.entries(certificateErrors)) {
      expect(row.meaning.length, code).toBeGreaterThan(10);
      expect(row.hint.length, code).toBeGreaterThan(20);
      if (row.blame === "peer")
        expect(row, code).toMatchObject({ alert: expect.any(Number), flag: expect.any(Number) });
    }
  });
});

describe("what is read late", () => {
  const subjectAltName = (...names: Uint8Array[]) =>
    assemble({ extensions: extensions(["2.5.29.17", write.sequence(...names)]) });
  const dns = (octets: Uint8Array) => write.element(contextTag(2, false), octets);
  const octetsOf = (length: number, last = 0x7a) => new Uint8Array(length).fill(0x61).fill(last, length - 1);

  it.each([1, 2, 255, 256, 257, 5000])(
    "RFC 5280 §4.2.1.6 a dNSName of %i characters is read whole, in ASCII only",
    (length) => {
      const names = parseCertificate(subjectAltName(dns(octetsOf(length)), dns(new Uint8Array(0)))).subjectAltName!.dns;
      expect(names).toEqual([`${"a".repeat(length - 1)}z`, ""]);
      expect(() => parseCertificate(subjectAltName(dns(octetsOf(length, 0x80))))).toThrow(/octet above 7F/);
    },
  );

  it("RFC 5280 §4.1.2.4 a name is checked whether its text is asked for or not", () => {
    const wrongType = write.set(
      write.sequence(write.element(tags.OID, Uint8Array.of(0x55, 0x84)), write.utf8String("a")),
    );
    expect(() => parseCertificate(assemble({ subject: write.sequence(wrongType) }))).toThrow(/OBJECT IDENTIFIER/);
    const noText = write.set(
      write.sequence(write.objectIdentifier("2.5.4.3"), write.element(tags.UTF8_STRING, Uint8Array.of(0xc3))),
    );
    expect(() => parseCertificate(assemble({ subject: write.sequence(noText) }))).toThrow(/string type/);
  });

  it("a name has the same text each time, and its own", () => {
    const { subject, issuer } = parseCertificate(
      assemble({ subject: write.sequence(attribute("2.5.4.3", write.utf8String("b\\ é"))) }),
    );
    const text = subject.toString();
    expect([subject.toString(), issuer.toString()]).toEqual([text, "CN = a"]);
    expect(text).toBe("CN = b\\u{5c} \\u{e9}");
  });

  it("RFC 5280 §4.2.1.4 policies are held apart by all of their octets", () => {
    const policies = (...oids: string[]) =>
      assemble({
        extensions: extensions([
          "2.5.29.32",
          write.sequence(...oids.map((oid) => write.sequence(write.objectIdentifier(oid)))),
        ]),
      });
    expect(parseCertificate(policies("1.2.3", "1.2.4", "1.2.3.4")).extensions.length).toBe(1);
    expect(() => parseCertificate(policies("1.2.3", "1.2.4", "1.2.3"))).toThrow(/comes twice/);
  });

  it("RFC 5280 §4.1.1.2 an algorithm inside that is cut short, longer or malformed is not the one outside", () => {
    const outer = write.sequence(write.objectIdentifier("1.2.840.10045.4.3.2"));
    const longer = write.sequence(write.objectIdentifier("1.2.840.10045.4.3.2"), write.nullValue());
    for (const algorithm of [outer.subarray(0, outer.length - 1), longer, write.sequence(), write.nullValue()])
      expect(() => parseCertificate(assemble({ algorithm, outer }))).toThrow(
        expect.objectContaining({ name: "CertificateError" }),
      );
  });
});
