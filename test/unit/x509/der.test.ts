import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/bytes.ts";
import { DerReader, MAX_DEPTH } from "../../../src/tls/x509/der.ts";
import * as write from "../../../src/tls/x509/der-write.ts";
import { runs } from "../../runs.ts";

const read = (hex: string): DerReader => new DerReader(fromHex(hex), "test", "X509_MALFORMED");
const hexOctet = (octet: number): string => toHex(Uint8Array.of(octet));
const ascii = (tag: string, text: string): string =>
  tag + toHex(Uint8Array.of(text.length)) + Buffer.from(text).toString("hex");

describe("DER", () => {
  it.each([
    ["X.690 §8.1.3.6 indefinite length", "3080 0000", (r: DerReader) => r.sequence("")],
    ["X.690 §10.1 a long length for a short one", "04 81 01 00", (r: DerReader) => r.octetString("")],
    [
      "X.690 §10.1 a length with a zero in front",
      `04 82 0080 ${"00".repeat(128)}`,
      (r: DerReader) => r.octetString(""),
    ],
    ["X.690 §8.1.3 a length beyond the end", "04 05 00", (r: DerReader) => r.octetString("")],
    ["X.690 §8.1.3 a huge length", "04 84 ffffffff 00", (r: DerReader) => r.octetString("")],
    ["X.690 §8.1.3 a length of 5 octets", "04 85 0000000001 00", (r: DerReader) => r.octetString("")],
    ["X.690 §8.1.3.5 the reserved length", "04 ff", (r: DerReader) => r.octetString("")],
    ["X.690 §8.1.2.4 a tag of several octets", "1f 81 01 00", (r: DerReader) => r.element("")],
    ["X.690 §8.1.2.4 the same, short", "1f 01 00", (r: DerReader) => r.element("")],
    ["another tag than wanted", "05 00", (r: DerReader) => r.octetString("")],
    ["nothing", "", (r: DerReader) => r.element("")],
    ["half a header", "30", (r: DerReader) => r.element("")],
    ["X.690 §11.1 a BOOLEAN of 01", "01 01 01", (r: DerReader) => r.boolean("")],
    ["X.690 §8.2.1 a BOOLEAN of two octets", "01 02 ffff", (r: DerReader) => r.boolean("")],
    ["X.690 §8.3.1 an INTEGER without octets", "02 00", (r: DerReader) => r.integer("")],
    ["X.690 §8.3.2 a padded positive INTEGER", "02 02 0001", (r: DerReader) => r.integer("")],
    ["X.690 §8.3.2 a padded negative INTEGER", "02 02 ffff", (r: DerReader) => r.integer("")],
    ["a negative INTEGER where none may be", "02 01 80", (r: DerReader) => r.unsigned("")],
    ["an INTEGER above 31 bits", "02 05 0080000000", (r: DerReader) => r.small("")],
    ["X.690 §8.6.2 a BIT STRING without its first octet", "03 00", (r: DerReader) => r.bitString("")],
    ["X.690 §8.6.2.2 8 unused bits", "03 02 08 00", (r: DerReader) => r.bitString("")],
    ["X.690 §8.6.2.3 unused bits of nothing", "03 01 01", (r: DerReader) => r.bitString("")],
    ["X.690 §11.2.1 unused bits that are set", "03 02 01 01", (r: DerReader) => r.bitString("")],
    ["a key of 7 bits", "03 02 01 02", (r: DerReader) => r.octetAligned("")],
    ["X.690 §8.8 a NULL with contents", "05 01 00", (r: DerReader) => r.null("")],
    ["X.690 §8.19.2 an OID that is cut off", "06 01 80", (r: DerReader) => r.oid("")],
    ["X.690 §8.19.2 an OID arc with a zero in front", "06 03 2a 80 01", (r: DerReader) => r.oid("")],
    ["an empty OID", "06 00", (r: DerReader) => r.oid("")],
    ["an OID of 129 octets", `06 8181 ${"01".repeat(129)}`, (r: DerReader) => r.oid("")],
    ["something left over", "05 00 05 00", (r: DerReader) => [r.null(""), r.finish()]],
  ])("%s is refused", (_, hex, act) => {
    expect(() => act(read(hex))).toThrow(expect.objectContaining({ code: "X509_MALFORMED", blame: "peer" }));
  });

  it.each([
    ["UTCTime without seconds", ascii("17", "2601010000Z")],
    ["UTCTime without Z", ascii("17", "260101000000")],
    ["UTCTime with X for Z", ascii("17", "260101000000X")],
    ["UTCTime with an offset", ascii("17", "260101000000+0100")],
    ["GeneralizedTime with a fraction", ascii("18", "20260101000000.5Z")],
    ["GeneralizedTime with two digits for the year", ascii("18", "260101000000Z")],
    ["month 13", ascii("17", "261301000000Z")],
    ["month 0", ascii("17", "260001000000Z")],
    ["February 29 of 2026", ascii("17", "260229000000Z")],
    ["February 29 of 2100", ascii("18", "21000229000000Z")],
    ["hour 24", ascii("17", "260101240000Z")],
    ["minute 60", ascii("17", "260101006000Z")],
    ["second 60", ascii("17", "260101000060Z")],
    ["a letter", ascii("17", "2601o1000000Z")],
    ["an INTEGER", "020101"],
  ])("RFC 5280 §4.1.2.5 %s is no time", (_, hex) => expect(() => read(hex).time("")).toThrow(/byte 0/));

  it.each([
    [ascii("17", "490101000000Z"), "2049-01-01T00:00:00.000Z"],
    [ascii("17", "500101000000Z"), "1950-01-01T00:00:00.000Z"],
    [ascii("17", "991231235959Z"), "1999-12-31T23:59:59.000Z"],
    [ascii("18", "20000229120000Z"), "2000-02-29T12:00:00.000Z"],
    [ascii("18", "99991231235959Z"), "9999-12-31T23:59:59.000Z"],
    [ascii("18", "00010101000000Z"), "0001-01-01T00:00:00.000Z"],
    [ascii("18", "19000301000000Z"), "1900-03-01T00:00:00.000Z"],
  ])("RFC 5280 §4.1.2.5 %s is %s", (hex, text) => expect(new Date(read(hex).time("")).toISOString()).toBe(text));

  it("X.690 §8.19 OIDs have arcs of any size, exactly", () => {
    expect(read("06 03 88 37 03").oid("")).toBe("2.999.3");
    expect(read("06 01 27").oid("")).toBe("0.39");
    expect(read("06 01 4f").oid("")).toBe("1.39");
    const wide = "2.25.340282366920938463463374607431768211455";
    expect(new DerReader(write.objectIdentifier(wide), "t", "X509_MALFORMED").oid("")).toBe(wide);
  });

  it("X.690 §8.19 any OID that is written is read, short ones of X.500 too", () => {
    const arc = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.bigInt(0n, 2n ** 80n));
    const small = fc.tuple(fc.nat(1), fc.nat(39));
    const joint = fc.tuple(fc.constant(2), fc.oneof(fc.nat(200), fc.maxSafeNat()));
    fc.assert(
      fc.property(fc.oneof(small, joint), fc.array(arc, { maxLength: 6 }), (first, rest) => {
        const text = [...first, ...rest].join(".");
        const der = write.objectIdentifier(text);
        expect(new DerReader(der, "t", "X509_MALFORMED").oid("")).toBe(text);
        const skipping = new DerReader(der, "t", "X509_MALFORMED");
        skipping.skipOid("");
        skipping.finish();
      }),
      runs(200),
    );
    for (let arc = 0; arc < 128; arc++) expect(read(`06 03 55 04 ${hexOctet(arc)}`).oid("")).toBe(`2.5.4.${arc}`);
    expect(read("06 03 55 84 03").oid("")).toBe("2.5.515");
  });

  it.each(["06 00", "06 02 55 84", "06 03 55 80 01", "06 03 80 01 01", `06 81 81 ${"01".repeat(129)}`, "04 01 01"])(
    "X.690 §8.19 an OID that is skipped is checked: %s",
    (hex) => {
      expect(() => read(hex).oid("")).toThrow();
      expect(() => read(hex).skipOid("")).toThrow();
    },
  );

  it("skips what comes next only where it is the same to its last octet", () => {
    const same = fromHex("30 03 02 01 07");
    const list = read("30 03 02 01 07 30 03 02 01 08 30 03 02");
    expect(list.skip(same)).toBe(true);
    expect([list.skip(same), list.offset]).toEqual([false, 5]);
    list.sequence("");
    expect([list.skip(same), list.offset]).toEqual([false, 10]);
    // What follows the reader's end is not its own.
    expect(new DerReader(same, "t", "X509_MALFORMED", 0, 4).skip(same)).toBe(false);
  });

  it("descends 16 levels for its caller and no further", () => {
    let nested = write.nullValue();
    for (let i = 0; i <= MAX_DEPTH; i++) nested = write.sequence(nested);
    let reader = new DerReader(nested, "test", "X509_MALFORMED");
    for (let i = 0; i < MAX_DEPTH; i++) reader = reader.sequence("");
    expect(() => reader.sequence("")).toThrow(/nested/);
  });

  it("X.690 §8.1.3.6 an indefinite length is called by its name", () => {
    expect(() => read("3080 0000").sequence("")).toThrow(/indefinite/);
  });

  it("names the field, the offset and the value in errors", () => {
    const reader = read("30 05 02 01 05 01 00").sequence("outer");
    reader.integer("first");
    expect(() => reader.boolean("second")).toThrow(
      expect.objectContaining({ data: { field: "test.outer.second", offset: 5 } }),
    );
  });

  it("writes what it reads: lengths, integers, times", () => {
    for (const length of [0, 127, 128, 255, 256, 65_535, 65_536]) {
      const reader = new DerReader(write.octetString(new Uint8Array(length)), "t", "X509_MALFORMED");
      expect(reader.octetString("").length).toBe(length);
      reader.finish();
    }
    for (const value of [0, 1, 127, 128, 255, 256, 0x7fffffff])
      expect(new DerReader(write.smallInteger(value), "t", "X509_MALFORMED").small("")).toBe(value);
    for (const ms of [
      Date.UTC(1950, 0, 1),
      Date.UTC(2049, 11, 31, 23, 59, 59),
      Date.UTC(2050, 0, 1),
      Date.UTC(9999, 11, 31),
    ])
      expect(new DerReader(write.time(ms), "t", "X509_MALFORMED").time("")).toBe(ms);
    expect(write.time(Date.UTC(2049, 11, 31))[0]).toBe(0x17);
    expect(write.time(Date.UTC(2050, 0, 1))[0]).toBe(0x18);
    expect(() => write.time(Date.UTC(1949, 11, 31))).toThrow(/1950/);
    expect(() => write.time(Number.NaN)).toThrow();
  });
});
