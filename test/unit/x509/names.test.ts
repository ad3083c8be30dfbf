import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipAddressText, matchServerName, parseIpAddress, parseServerName } from "../../../src/tls/x509/index.ts";
import { matchDnsName } from "../../../src/tls/x509/names.ts";
import { runs } from "../../runs.ts";
import { parseCertificate, server } from "./pki.ts";

const match = (pattern: string, name: string): boolean => {
  const wanted = parseServerName(name);
  return wanted?.type === "dns" && matchDnsName(pattern, wanted.name);
};

describe("DNS names", () => {
  it.each([
    ["example.com", "example.com"],
    ["EXAMPLE.com", "example.COM"],
    ["example.com", "example.com."],
    ["localhost", "localhost"],
    ["*.iot.eu-west-1.amazonaws.com", "abc123-ats.iot.eu-west-1.amazonaws.com"],
    ["*.example.com", "xn--bcher-kva.example.com"],
    ["a_b.example.com", "a_b.example.com"],
  ])("RFC 9525 §6.3 %s is for %s", (pattern, name) => expect(match(pattern, name)).toBe(true));

  it.each([
    ["*.example.com", "example.com", "a wildcard stands for one label"],
    ["*.example.com", "a.b.example.com", "for exactly one"],
    ["*.example.com", ".example.com", "for none that is empty"],
    ["*.com", "example.com", "two labels behind it at least"],
    ["*", "localhost", "not alone"],
    ["*.localhost", "a.localhost", "two labels behind it at least"],
    ["*example.com", "a.xample.com", "the star is the whole label"],
    ["f*o.example.com", "foo.example.com", "the whole label"],
    ["foo.*.example.com", "foo.bar.example.com", "the leftmost label"],
    ["*.*.example.com", "a.b.example.com", "once"],
    ["example.com.", "example.com", "no root dot in certificates"],
    ["example.com\0.evil.org", "example.com", "NUL ends nothing"],
    ["evil.org", "example.com", "another name"],
    ["example.com", "xexample.com", "another name"],
    ["", "example.com", "an empty name"],
    ["192.0.2.1", "192.0.2.1", "an address is no DNS name"],
    ["exampl\u212a.com", "examplk.com", "only ASCII folds"],
  ])("RFC 9525 §6.3 %j is not for %j: %s", (pattern, name) => expect(match(pattern, name)).toBe(false));

  it.each([
    "",
    ".",
    "..",
    "a..b",
    ".example.com",
    "example.com..",
    "*.example.com",
    "exa mple.com",
    "example.com\0",
    "bücher.example",
    `${"a".repeat(64)}.com`,
    `${"a.".repeat(127)}com`,
    "1.2.3.4.5",
    "1.2.3",
    "256.1.1.1",
    "01.2.3.4",
    "[example.com]",
    "a:b",
    "http://x",
  ])("%j is no server name", (name) => expect(parseServerName(name)).toBeUndefined());
});

it("RFC 9525 §6.3 a wildcard stands for no empty label", () => {
  expect(matchDnsName("*.example.com", ".example.com")).toBe(false);
});

describe("addresses", () => {
  it.each([
    ["127.0.0.1", "7f000001"],
    ["255.255.255.255", "ffffffff"],
    ["::", "00000000000000000000000000000000"],
    ["::1", "00000000000000000000000000000001"],
    ["2001:db8::1:0:0:1", "20010db8000000000001000000000001"],
    ["::ffff:192.0.2.1", "00000000000000000000ffffc0000201"],
    ["64:ff9b::192.0.2.33", "0064ff9b0000000000000000c0000221"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
  ])("RFC 4291 §2.2 %s", (text, hex) => {
    expect(Buffer.from(parseIpAddress(text)!).toString("hex")).toBe(hex);
  });

  it.each([
    "1",
    "1.2.3",
    "1.2.3.4.",
    "1.2.3.04",
    "1.2.3.256",
    "0x7f.0.0.1",
    " 1.2.3.4",
    "1.2.3.4/8",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "g::",
    "::1%eth0",
    "::1.2.3",
    "1.2.3.4::",
    "1:2:3:4:5:6:7:1.2.3.4",
    ":1:2:3:4:5:6:7",
  ])("%j is none", (text) => expect(parseIpAddress(text)).toBeUndefined());

  it("agree with node:net on text of all shapes", () => {
    const parts = fc.constantFrom(
      "0",
      "1",
      "00",
      "ff",
      "ffff",
      "10000",
      "255",
      "256",
      "192.0.2.1",
      ":",
      "::",
      ".",
      "",
      "g",
    );
    fc.assert(
      fc.property(
        fc.array(parts, { maxLength: 17 }).map((some) => some.join("")),
        (text) => {
          expect(parseIpAddress(text)?.length).toBe({ 0: undefined, 4: 4, 6: 16 }[isIP(text)]);
        },
      ),
      runs(500),
    );
  });

  it("RFC 5952 text and octets go round", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const octets = parseIpAddress(text)!;
        expect(parseIpAddress(ipAddressText(octets))).toEqual(octets);
      }),
      runs(200),
    );
    expect(ipAddressText(parseIpAddress("2001:db8:0:0:1:0:0:1")!)).toBe("2001:db8::1:0:0:1");
    expect(ipAddressText(parseIpAddress("2001:0:0:1:0:0:0:1")!)).toBe("2001:0:0:1::1");
    expect(ipAddressText(parseIpAddress("1:0:2:3:4:5:6:7")!)).toBe("1:0:2:3:4:5:6:7");
  });
});

describe("certificates", () => {
  it("RFC 9525 §6.4: an address matches iPAddress only, a name dNSName only", () => {
    const { der } = server(undefined, {
      extensions: { dnsNames: ["*.example.com", "10.0.0.1"], ipAddresses: ["10.0.0.2", "::1"] },
    });
    const certificate = parseCertificate(der);
    expect(matchServerName(certificate, "a.example.com")).toBe(true);
    expect(matchServerName(certificate, "10.0.0.2")).toBe(true);
    expect(matchServerName(certificate, "[::1]")).toBe(true);
    expect(matchServerName(certificate, "::1")).toBe(true);
    expect(matchServerName(certificate, "10.0.0.1")).toBe(false);
    expect(matchServerName(certificate, "::ffff:10.0.0.2")).toBe(false);
    expect(matchServerName(certificate, "*.example.com")).toBe(false);
    expect(matchServerName(certificate, "")).toBe(false);
  });
});
