import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ConnectThingOptions, connectThing, readTrust } from "../../../src/runtime/node.ts";

describe("API: nothing throws but the classes of errors.ts, also where nobody checks types", () => {
  const usage = { code: "USAGE_INVALID_ARGUMENT", layer: "usage" };

  it.each([undefined, null, "lamp"])("connectThing(%s)", async (options) => {
    await expect(connectThing(options as never)).rejects.toMatchObject(usage);
  });

  it.each(["bogus", 1, null])("connectThing({ tls: %s })", async (tls) => {
    const options = { endpoint: "localhost", thingName: "lamp", tls } as unknown as ConnectThingOptions;
    await expect(connectThing(options)).rejects.toMatchObject({
      ...usage,
      message: expect.stringContaining("tls must be"),
    });
  });

  it("a CA file that is not there is named", () => {
    const folder = mkdtempSync(join(tmpdir(), "thingwire-"));
    const ca = join(folder, "ca.pem");
    expect(() => readTrust(ca)).toThrowError(
      expect.objectContaining({ code: "THING_FILE_UNREADABLE", data: expect.objectContaining({ path: ca }) }),
    );
    rmSync(folder, { recursive: true });
  });
});
