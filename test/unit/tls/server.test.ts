import { describe, expect, it } from "vitest";
import { Alert } from "../../../src/tls/alerts.ts";
import * as suites from "../../../src/tls/suites.ts";
import { ecIdentity, rsaIdentity } from "./client.ts";
import { Dialog, ecServer, rsaServer } from "./server.ts";

describe("RFC 5246 §7.3: a mutual handshake", () => {
  for (const [serverName, identity] of [
    ["P-256", ecServer],
    ["RSA", rsaServer],
  ] as const)
    for (const [clientName, client] of [
      ["P-256", ecIdentity],
      ["RSA", rsaIdentity],
    ] as const)
      it(`${serverName} server, ${clientName} client`, () => {
        const dialog = new Dialog({ select: () => ({ identity }) }, { identity: client });
        expect(dialog.client.error ?? dialog.server.error).toBeUndefined();
        expect(dialog.isSecured).toBe(true);
        const { secured } = dialog.server;
        expect(secured?.clientCertificates[0]?.der).toEqual(client.certificates[0]);
        dialog.client.client.write(Uint8Array.of(1, 2, 3));
        dialog.server.server.write(Uint8Array.of(4, 5));
        dialog.run();
        expect(dialog.server.data).toEqual([Uint8Array.of(1, 2, 3)]);
        expect(dialog.client.data).toEqual([Uint8Array.of(4, 5)]);
      });

  it("budget of 1", () => {
    const dialog = new Dialog({}, {}, () => 1);
    expect(dialog.isSecured).toBe(true);
  });

  it("abort", () => {
    const dialog = new Dialog();
    dialog.server.server.abort(Alert.certificate_unknown);
    dialog.run();
    expect(dialog.client.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", alert: 46 });
  });
  it("dev", () => {
    const dialog = new Dialog({ deviations: [{ on: "ServerKeyExchange", times: 0 }] });
    expect(dialog.client.error).toMatchObject({ code: "TLS_UNEXPECTED_MESSAGE" });
    expect(suites).toBeDefined();
  });
});
