import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { Json } from "../../../src/shadow/json.ts";
import { recordKinds } from "../../../src/simulator/ledger.ts";
import { openJournal } from "../../../src/simulator/node/journal.ts";
import { lockFolder } from "../../../src/simulator/node/lock.ts";
import { runs } from "../../runs.ts";

const root = mkdtempSync(join(tmpdir(), "thingwire-journal-"));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;
const newFolder = () => join(root, `folder-${count++}`);
const fileOf = (folder: string) => join(folder, "journal.jsonl");

/** What a folder's journal holds, once opened and closed again. */
function contents(folder: string): Record<string, Record<string, Json>> {
  const journal = openJournal(folder);
  const all = Object.fromEntries(recordKinds.map((kind) => [kind, Object.fromEntries(journal.read(kind))]));
  journal.close();
  return Object.fromEntries(Object.entries(all).filter(([, table]) => Object.keys(table).length > 0));
}

describe("the journal", () => {
  it("keeps the last of each record, forgets what was deleted, and is the owner's alone", () => {
    const folder = newFolder();
    const journal = openJournal(folder);
    journal.write("thing", "lamp", { thingName: "lamp" });
    journal.write("shadow", "lamp", { version: 1 });
    journal.write("shadow", "lamp", { version: 2 });
    journal.write("policy", "gone", { name: "gone" });
    journal.write("policy", "gone", undefined);
    expect(readFileSync(fileOf(folder), "utf8").split("\n")).toHaveLength(6);
    journal.close();
    expect(contents(folder)).toEqual({ thing: { lamp: { thingName: "lamp" } }, shadow: { lamp: { version: 2 } } });
    expect(statSync(fileOf(folder)).mode & 0o777).toBe(0o600);
    expect(() => journal.write("thing", "a", {})).toThrow("is closed");
  });

  it("property: cut off at any byte it holds what the whole lines before say, and goes on from there", () => {
    const line = fc.tuple(fc.constantFrom(...recordKinds), fc.string(), fc.option(fc.jsonValue(), { nil: undefined }));
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (lines, where) => {
          const folder = newFolder();
          const journal = openJournal(folder);
          const ends = [0];
          for (const [kind, key, value] of lines) {
            journal.write(kind, key, value as Json | undefined);
            ends.push(statSync(fileOf(folder)).size);
          }
          journal.close();
          const cut = Math.floor(where * ends.at(-1)!);
          truncateSync(fileOf(folder), cut);
          const whole = ends.filter((end) => end > 0 && end <= cut).length;
          const expected = new Map<string, Json>();
          for (const [kind, key, value] of lines.slice(0, whole))
            if (value === undefined) expected.delete(`${kind}/${key}`);
            else expected.set(`${kind}/${key}`, JSON.parse(JSON.stringify(value)));
          const again = openJournal(folder);
          again.write("account", "after", 1);
          again.close();
          expected.set("account/after", 1);
          const last = openJournal(folder);
          const found = recordKinds.flatMap((kind) =>
            [...last.read(kind)].map(([key, value]) => [`${kind}/${key}`, value] as const),
          );
          last.close();
          expect(new Map(found)).toEqual(expected);
        },
      ),
      runs(40),
    );
  });

  it("is written anew when it has become long, and loses nothing by it", () => {
    const folder = newFolder();
    const journal = openJournal(folder);
    for (let version = 1; version <= 2_500; version++) journal.write("shadow", "lamp", { version });
    expect(readFileSync(fileOf(folder), "utf8").split("\n").length).toBeLessThan(1_100);
    journal.close();
    expect(contents(folder)).toEqual({ shadow: { lamp: { version: 2_500 } } });
    expect(readdirSync(folder)).toEqual(["journal.jsonl"]);
  });

  it("where it cannot be written anew, what is written is kept all the same, and it is tried again", () => {
    const folder = newFolder();
    const journal = openJournal(folder);
    const inTheWay = `${fileOf(folder)}.part`;
    mkdirSync(join(inTheWay, "x"), { recursive: true });
    for (let version = 1; version <= 1_500; version++) journal.write("shadow", "lamp", { version });
    expect(readFileSync(fileOf(folder), "utf8").split("\n")).toHaveLength(1_501);
    expect(() => openJournal(folder)).toThrow("in use");
    rmSync(inTheWay, { recursive: true });
    for (let version = 1_501; version <= 2_500; version++) journal.write("shadow", "lamp", { version });
    expect(readFileSync(fileOf(folder), "utf8").split("\n").length).toBeLessThan(1_100);
    journal.close();
    mkdirSync(join(inTheWay, "x"), { recursive: true });
    expect(() => openJournal(folder)).toThrow(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
    rmSync(inTheWay, { recursive: true });
    expect(contents(folder)).toEqual({ shadow: { lamp: { version: 2_500 } } });
  });

  it.each(["nonsense", "[]", '["planet","x",{}]', '["thing",7,{}]', "{}"])(
    "a damaged line in the middle is told with its number: %s",
    (damage) => {
      const folder = newFolder();
      const journal = openJournal(folder);
      journal.write("thing", "lamp", { thingName: "lamp" });
      journal.close();
      appendFileSync(fileOf(folder), `${damage}\n["thing","b",{}]\n`);
      expect(() => openJournal(folder)).toThrow(/line 2 of .*journal\.jsonl is damaged/);
      // And the folder is free all the same.
      expect(() => openJournal(folder)).toThrow(/line 2/);
    },
  );
});

describe("the folder's lock", () => {
  it("one holds it at a time, in this process too", () => {
    const folder = newFolder();
    const unlock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(`process number ${process.pid}`);
    unlock();
    unlock();
    lockFolder(folder)();
  });

  it.each([
    ["a process that is gone", "4194304 123"],
    ["a process whose number is used again", `${process.pid} 1`],
    ["a lock that was never written whole", ""],
    ["nonsense", "x y"],
  ])("is taken over from %s", (_, holder) => {
    const folder = newFolder();
    lockFolder(folder)();
    writeFileSync(join(folder, "lock"), holder);
    const unlock = lockFolder(folder);
    expect(readFileSync(join(folder, "lock"), "utf8")).toMatch(new RegExp(`^${process.pid} \\d+$`));
    unlock();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("who holds it no longer does not release it for another", () => {
    const folder = newFolder();
    const unlock = lockFolder(folder);
    writeFileSync(join(folder, "lock"), "1 1");
    unlock();
    expect(readFileSync(join(folder, "lock"), "utf8")).toBe("1 1");
  });

  it("is not taken from a process of somebody else that lives", () => {
    const folder = newFolder();
    lockFolder(folder)();
    const stat = readFileSync("/proc/1/stat", "utf8");
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    writeFileSync(join(folder, "lock"), `1 ${started}`);
    expect(() => lockFolder(folder)).toThrow("process number 1");
  });

  it("USAGE_INVALID_ARGUMENT where the folder cannot be made", () => {
    const file = join(root, "a-file");
    writeFileSync(file, "");
    expect(() => lockFolder(join(file, "folder"))).toThrow(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
  });
});
