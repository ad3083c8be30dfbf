import { describe, expect, it } from "vitest";
import { amazonTrust } from "../../../src/tls/x509/amazon.ts";
import type { NativeTlsInfo } from "../../../src/transport/native-tls.ts";
import { nativeTls } from "../../../src/transport/node/tls.ts";
import { Recorder, transportContract } from "./contract.ts";
import { acceptedTransport } from "./loopback.ts";
import { forClient, forLocalhost, makeAuthority } from "./pki.ts";
import { listenTls } from "./tls-server.ts";

const authority = makeAuthority("Test CA");
const server = authority.issue("server", forLocalhost);
const device = authority.issue("lamp", forClient);
const ours = { ca: authority.pem, certificate: device.certificate, privateKey: device.privateKey };

transportContract("Node's TLS on loopback", async () => {
  const listener = await listenTls({ authority, server });
  return {
    client: nativeTls({ host: "localhost", port: listener.port, ...ours }),
    peer: listener.accept().then(acceptedTransport),
    close: listener.close,
  };
});

describe("Node's TLS", () => {
  it("tells protocol, suite, ALPN and the chain", async () => {
    const listener = await listenTls({ authority, server, extra: { ALPNProtocols: ["x-amzn-mqtt-ca"] } });
    const infos: NativeTlsInfo[] = [];
    const client = new Recorder(
      nativeTls({
        host: "127.0.0.1",
        serverName: "localhost",
        port: listener.port,
        ...ours,
        alpn: ["x-amzn-mqtt-ca"],
        onSecured: (info) => infos.push(info),
      }),
    ).open();
    await client.untilLogged("writable");
    expect(infos).toHaveLength(1);
    expect(infos[0]).toMatchObject({ protocol: "TLSv1.2", alpn: "x-amzn-mqtt-ca" });
    expect(infos[0]?.suite).toMatch(/^TLS_ECDHE_ECDSA_WITH_AES/);
    expect(infos[0]?.certificates[0]).toEqual(server.certificateDer);
    client.transport.destroy();
    await listener.close();
  });

  it("an IP address as server name is checked against the IP addresses of the certificate", async () => {
    const listener = await listenTls({ authority, server });
    const client = new Recorder(nativeTls({ host: "127.0.0.1", port: listener.port, ...ours })).open();
    await client.untilLogged("writable");
    client.transport.destroy();
    await listener.close();
  });

  it("a certificate with the name as common name only is not accepted", async () => {
    const { dnsNames: _, ipAddresses: __, ...without } = forLocalhost;
    const listener = await listenTls({ authority, server: authority.issue("localhost", without) });
    const client = new Recorder(nativeTls({ host: "localhost", port: listener.port, ...ours })).open();
    await client.untilLogged("error");
    expect(client.error).toMatchObject({
      code: "TLS_CERTIFICATE_REJECTED",
      data: { problems: ["X509_NAME_MISMATCH"] },
    });
    await listener.close();
  });

  it("an alert of the server keeps its number: protocol_version (70)", async () => {
    const listener = await listenTls({ authority, server, extra: { minVersion: "TLSv1.3", maxVersion: "TLSv1.3" } });
    const client = new Recorder(nativeTls({ host: "localhost", port: listener.port, ...ours })).open();
    await client.untilLogged("error");
    expect(client.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", alert: 70, mbedtls: -0x7780 });
    await listener.close();
  });

  it("the default trust finds Amazon's roots in Node's store, and nothing else is trusted", async () => {
    const listener = await listenTls({ authority, server });
    const client = new Recorder(
      nativeTls({ host: "localhost", port: listener.port, ...ours, ca: undefined, trust: amazonTrust }),
    ).open();
    await client.untilLogged("error");
    expect(client.error).toMatchObject({ code: "TLS_CERTIFICATE_REJECTED", data: { problems: ["X509_NOT_TRUSTED"] } });
    await listener.close();
  });

  it("an anchor that Node has no certificate for is a UsageError, and no CA at all as well", () => {
    const options = { host: "localhost", port: 1, certificate: device.certificate, privateKey: device.privateKey };
    expect(() => nativeTls({ ...options, trust: authority.trust })).toThrowError(
      expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }),
    );
    expect(() => nativeTls(options)).toThrowError(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
  });

  it.each([
    ["a key of another certificate", { privateKey: authority.issue("x", forClient).privateKey }, "X509_KEY_MISMATCH"],
    ["a key that is none", { privateKey: "nothing" }, "X509_KEY_MALFORMED"],
    ["a certificate that is none", { certificate: new Uint8Array(9) }, "X509_WRONG_CONTENT"],
    ["text for a certificate that is none", { certificate: "nothing" }, "X509_PEM"],
  ])("%s: an error at once", (_title, wrong, code) => {
    expect(() => nativeTls({ host: "localhost", port: 1, ...ours, ...wrong })).toThrowError(
      expect.objectContaining({ code, blame: "caller" }),
    );
  });
});
