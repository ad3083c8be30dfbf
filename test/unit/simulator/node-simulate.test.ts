import { describe, expect, it } from "vitest";
import { connectThing } from "../../../src/runtime/node.ts";
import { simulate } from "../../../src/simulator/node/index.ts";

describe("API §6: a local AWS IoT in a test", () => {
  it("a thing connects with its credentials as they are, and follows what the app desires", async () => {
    const cloud = await simulate();
    const thing = await connectThing(await cloud.createThing("lamp"));
    const shadow = thing.shadow<{ powerOn: boolean }>();
    shadow.onDelta((delta) => delta);
    await shadow.report({ powerOn: true });
    await cloud.shadow("lamp").desire({ powerOn: false });
    await expect.poll(() => cloud.shadow("lamp").get()?.state.reported).toEqual({ powerOn: false });
    await thing.close();
    await cloud.close();
  });

  it("a thing whose certificate is deactivated does not connect", async () => {
    const cloud = await simulate();
    const credentials = await cloud.createThing("lamp");
    cloud.certificates.deactivate(credentials.certificateId);
    await expect(connectThing(credentials)).rejects.toMatchObject({
      mbedtls: -0x7780,
      data: { phase: "handshake" },
    });
    await cloud.close();
  });

  it("{ listen: { port: 0 } } is a real port, which ends with the cloud", async () => {
    const cloud = await simulate({ listen: { port: 0, alpnPort: 0 } });
    const credentials = await cloud.createThing("lamp");
    expect([credentials.port, credentials.dial]).toEqual([cloud.port, undefined]);
    const thing = await connectThing({ ...credentials, reconnect: false });
    await thing.shadow().report({ on: true });
    await thing.close();
    const inProcess = await connectThing({ ...credentials, dial: cloud.dial });
    await inProcess.close();
    await cloud.close();
    await expect(connectThing({ ...credentials, reconnect: false })).rejects.toMatchObject({
      code: "THING_ENDPOINT_UNREACHABLE",
    });
  });
});
