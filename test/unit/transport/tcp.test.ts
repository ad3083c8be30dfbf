import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { SocketTransport } from "../../../src/transport/node/socket.ts";
import { tcp } from "../../../src/transport/node/tcp.ts";
import { Recorder, transportContract } from "./contract.ts";
import { acceptedTransport, listen } from "./loopback.ts";

transportContract("tcp on loopback", async () => {
  const loopback = await listen();
  return {
    client: tcp({ host: "127.0.0.1", port: loopback.port }),
    peer: loopback.accept().then(acceptedTransport),
    close: loopback.close,
  };
});

describe("tcp: what goes wrong", () => {
  it("nobody listens: TRANSPORT_REFUSED, -24", async () => {
    const loopback = await listen();
    await loopback.close();
    const client = new Recorder(tcp({ host: "127.0.0.1", port: loopback.port })).open();
    await client.untilLogged("error");
    expect(client.error).toMatchObject({ code: "TRANSPORT_REFUSED", sdk: -24, blame: "network", retry: true });
    expect(client.error?.message).toContain("ECONNREFUSED");
    expect(client.error?.hint).toContain("port");
  });

  it("a name that does not exist: TRANSPORT_DNS, -23", async () => {
    const client = new Recorder(tcp({ host: "no-such-host.invalid", port: 8883 })).open();
    await client.untilLogged("error");
    expect(client.error).toMatchObject({ code: "TRANSPORT_DNS", sdk: -23, mbedtls: -0x52 });
  });

  it("no answer in time: TRANSPORT_TIMEOUT", async () => {
    // A socket that nobody connects, since no address is sure never to answer.
    const silent = new SocketTransport({
      description: "tcp nowhere:1",
      timeoutMs: 20,
      bufferBytes: undefined,
      readyEvent: "connect",
      connect: () => new Socket(),
    });
    const client = new Recorder(silent).open();
    await client.untilLogged("error");
    expect(client.error).toMatchObject({ code: "TRANSPORT_TIMEOUT", sdk: -24, data: { timeoutMs: 20 } });
    expect(client.error?.hint).toContain("443");
  });

  it("a cut connection is TRANSPORT_RESET and never an orderly end", async () => {
    const loopback = await listen();
    const client = new Recorder(tcp({ host: "127.0.0.1", port: loopback.port })).open();
    const socket = await loopback.accept();
    await client.untilLogged("writable");
    socket.resetAndDestroy();
    await client.untilLogged("error");
    expect(client.error).toMatchObject({ code: "TRANSPORT_RESET", sdk: -13 });
    expect(client.count("end")).toBe(0);
    await loopback.close();
  });

  it("destroy before the connection stands is silent", async () => {
    const loopback = await listen();
    const client = new Recorder(tcp({ host: "127.0.0.1", port: loopback.port })).open();
    client.transport.destroy();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(client.log).toEqual([]);
    await loopback.close();
  });

  it.each([
    ["", 1],
    ["mqtts://example.com", 1],
    ["a b", 1],
    ["localhost", 0],
    ["localhost", 65_536],
    ["localhost", 1.5],
  ])("refuses host %j with port %j", (host, port) => {
    expect(() => tcp({ host, port })).toThrowError(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
  });
});
