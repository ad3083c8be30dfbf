/** Stapled OCSP responses and CRLs in a TLS handshake, with our server; what a server does wrong stands in `deviations/status.ts`. */

import { describe, expect, it } from "vitest";
import type { TlsClientOptions, TlsServerOptions } from "../../../src/tls/events.ts";
import { ExtensionType, readClientExtensions } from "../../../src/tls/extensions.ts";
import { decodeClientHello } from "../../../src/tls/messages.ts";
import {
  type CertificateList,
  certificateLists,
  type OcspMode,
  type PathCertificate,
  revocationChecks,
  type VerificationPolicy,
} from "../../../src/tls/x509/index.ts";
import * as pki from "../x509/pki.ts";
import { crl, ocsp } from "../x509/revocation-writer.ts";
import { Driver } from "./client.ts";
import { Dialog } from "./server.ts";

const root = pki.ca("root");
const leaf = pki.server(root, { serial: 9 });
const response = ocsp({ issuer: root, subject: leaf });

const asking = (ocsp: OcspMode, crls?: readonly CertificateList[]) => ({
  verification: { revocation: revocationChecks({ crls, ocsp }) },
});
const dialog = (
  client: Partial<TlsClientOptions>,
  { staple, ...server }: Partial<TlsServerOptions> & { staple?: Uint8Array | undefined } = {},
  budget?: () => number,
) =>
  new Dialog(
    {
      clientCertificate: "none",
      select: () => ({ identity: { certificates: [leaf.der], privateKey: leaf.key }, ocspResponse: staple }),
      ...server,
    },
    { trust: pki.anchors(root), wallMs: () => pki.NOW, serverName: "thing.example.com", ...client },
    budget,
  );
const received = ({ client }: Dialog): string[] => {
  const secured = client.events.find(({ type }) => type === "secured");
  if (secured?.type !== "secured") throw client.error ?? new Error("not secured");
  return secured.statistics.timeline.filter((one) => one.direction === "received").map((one) => one.message);
};

describe("RFC 6066 §8 status_request", () => {
  it("is offered where it is asked for: OCSP, any responder, no extensions", () => {
    const hello = (options: Partial<TlsClientOptions>) =>
      decodeClientHello(new Driver(options).output[0]!.subarray(5 + 4)).extensions!;
    const data = (of: ReturnType<typeof hello>) => of.find(({ type }) => type === ExtensionType.status_request)?.data;
    expect(data(hello({}))).toBeUndefined();
    expect(data(hello({ verification: { revocation: revocationChecks({ crls: [] }) } }))).toBeUndefined();
    for (const mode of ["request", "require"] as const)
      expect([...data(hello(asking(mode)))!]).toEqual([1, 0, 0, 0, 0]);
    expect(readClientExtensions(hello(asking("request"))).ocsp).toBe(true);
    expect(readClientExtensions([{ type: 5, data: Uint8Array.of(2, 9, 9) }]).ocsp).toBe(false);
  });

  it.each([1, 7, 1_000_000])("a good response is taken, with a budget of %i", (budget) => {
    const all = dialog(asking("require"), { staple: response }, () => budget);
    expect(received(all)).toEqual([
      "ServerHello",
      "Certificate",
      "CertificateStatus",
      "ServerKeyExchange",
      "ServerHelloDone",
      "ChangeCipherSpec",
      "Finished",
    ]);
  });

  it("a client's log says that one came", () => {
    const lines: string[] = [];
    const log = {
      enabled: () => true,
      log: (level: string, _: string, line: string) => void lines.push(`${level} ${line}`),
    };
    dialog({ ...asking("require"), log }, { staple: response });
    expect(lines).toContain(`debug stapled: an OCSP response of ${response.length} bytes`);
  });

  it("a server that has none sends none, and is accepted where none is required", () => {
    expect(received(dialog(asking("request")))).not.toContain("CertificateStatus");
    expect(dialog(asking("require")).client.error).toMatchObject({
      code: "TLS_CERTIFICATE_REJECTED",
      alert: 113,
      data: { problems: ["X509_OCSP_MISSING"] },
    });
  });

  it("a server that has one sends it only to who asks", () => {
    expect(received(dialog({}, { staple: response }))).not.toContain("CertificateStatus");
  });

  it("a server may say that it will staple and not do so", () => {
    const deviations = [{ on: "CertificateStatus", times: 0 }] as const;
    const all = dialog(asking("request"), { staple: response, deviations });
    expect(all.client.isSecured).toBe(true);
    const phases = all.client.events.find((one) => one.type === "secured");
    expect(phases?.type === "secured" && phases.statistics.phases.map(({ phase }) => phase)).toContain("keyExchange");
    expect(dialog(asking("require"), { staple: response, deviations }).client.error?.alert).toBe(113);
  });

  it("a revoked certificate is alert 44, and the server sees it", () => {
    const all = dialog(asking("request"), { staple: ocsp({ issuer: root, subject: leaf, status: "revoked" }) });
    expect(all.client.error).toMatchObject({ alert: 44, data: { problems: ["X509_REVOKED"], flags: "0x2" } });
    expect(all.server.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", data: { alert: 44 } });
  });
});

describe("CRLs of the option verification", () => {
  const verification = (...lists: Uint8Array[]) => asking("off", certificateLists(lists));
  it("clear a chain, revoke it with alert 44, or leave it unknown with alert 46", () => {
    expect(dialog(verification(crl({ issuer: root }))).client.isSecured).toBe(true);
    const revoked = dialog(verification(crl({ issuer: root, entries: [{ serial: 9, reason: 1 }] }))).client.error;
    expect(revoked).toMatchObject({ alert: 44, data: { problems: ["X509_REVOKED"] } });
    expect(revoked?.message).toContain("keyCompromise");
    expect(dialog(verification()).client.error).toMatchObject({ alert: 46 });
    const expired = dialog(verification(crl({ issuer: root, nextUpdate: pki.NOW - 1000 }))).client.error;
    expect(expired).toMatchObject({ alert: 46, data: { flags: "0x20", problems: ["X509_CRL_EXPIRED"] } });
    const soft = { verification: { revocation: revocationChecks({ crls: [], mode: "soft-fail" }) } };
    expect(dialog(soft).client.isSecured).toBe(true);
  });

  it("must be lists, and few", () => {
    const make = (crls: unknown) => () => revocationChecks({ crls: crls as [] });
    expect(make([crl({ issuer: root })])).toThrow(/certificateLists/);
    expect(make("crl")).toThrow(/certificateLists/);
    expect(make(Array(65).fill(certificateLists(crl({ issuer: root }))[0]))).toThrow(/64/);
    expect(() => revocationChecks({ crls: [], mode: "no" as "soft-fail" })).toThrow(/hard-fail/);
  });

  it("RFC 5077: a session is resumed under the same CRLs and the same wish for OCSP only", () => {
    const resumption = { wallMs: () => pki.NOW, ticketKey: new Uint8Array(16).fill(3) };
    const list = crl({ issuer: root });
    const same = verification(list);
    const first = dialog({ resumption: true, ...same }, { resumption });
    const kept = first.client.events.find(({ type }) => type === "session");
    const session = kept?.type === "session" ? kept.session : undefined;
    const resumed = (client: Partial<TlsClientOptions>): boolean | undefined => {
      const secured = dialog({ session, ...client }, { resumption, staple: response }).client.events;
      const event = secured.find(({ type }) => type === "secured");
      return event?.type === "secured" ? event.resumed : undefined;
    };
    expect(resumed(same)).toBe(true);
    expect(resumed({})).toBe(false);
    expect(resumed(verification(crl({ issuer: root })))).toBe(false);
    expect(resumed(asking("request", certificateLists(list)))).toBe(false);
  });
});

const HOUR = 3_600_000;
const securedOf = ({ client }: Dialog) => {
  const secured = client.events.find(({ type }) => type === "secured");
  if (secured?.type !== "secured") throw client.error ?? new Error("not secured");
  return secured;
};
const sessionOf = ({ client }: Dialog): Uint8Array | undefined => {
  const kept = client.events.find(({ type }) => type === "session");
  return kept?.type === "session" ? kept.session : undefined;
};

describe("what a connection's revocation rests on", () => {
  const crls = certificateLists(crl({ issuer: root, thisUpdate: pki.NOW - 60_000, nextUpdate: pki.NOW + HOUR }));
  const soon = ocsp({ issuer: root, subject: leaf, thisUpdate: pki.NOW - HOUR, nextUpdate: pki.NOW + HOUR });
  const stapled = { kind: "ocsp", depth: 0, notBefore: pki.NOW - HOUR - 300_000, notAfter: pki.NOW + HOUR + 300_000 };

  it("RFC 6066 §8 is told: a staple that is good, CRLs, or nothing", () => {
    expect(securedOf(dialog(asking("request"), { staple: soon })).peer.evidence).toEqual([stapled]);
    expect(securedOf(dialog(asking("request"))).peer.evidence).toEqual([]);
    expect(securedOf(dialog({}, { staple: soon })).peer.evidence).toEqual([]);
    const listed = securedOf(dialog(asking("request", crls))).peer.evidence;
    expect(listed).toMatchObject([{ kind: "crl", depth: 0, notAfter: pki.NOW + HOUR }]);
    expect(securedOf(dialog(asking("request", crls), { staple: soon })).peer.evidence).toEqual([stapled]);
    const soft = { verification: { revocation: revocationChecks({ crls, mode: "soft-fail" }) } };
    expect(securedOf(dialog(soft)).peer.evidence).toEqual([]);
  });

  it.each([
    ["a CRL", asking("off", crls), undefined, HOUR],
    ["an OCSP response", asking("require"), soon, HOUR + 300_000],
  ])(
    "RFC 5280 §6.3.3 a session is resumed as long as %s is current, also when it was renewed",
    (_, client, staple, end) => {
      let now = pki.NOW;
      const resumption = { wallMs: () => now, ticketKey: new Uint8Array(16).fill(3) };
      const at = (ms: number, session?: Uint8Array): Dialog => {
        now = pki.NOW + ms;
        const options = { ...client, resumption: true, session, wallMs: () => now };
        return dialog(options, { resumption, staple });
      };
      const first = at(0);
      const evidence = securedOf(first).peer.evidence;
      expect(evidence).toHaveLength(1);
      const second = at(HOUR / 2, sessionOf(first));
      expect(securedOf(second)).toMatchObject({ resumed: true, peer: { evidence } });
      for (const session of [sessionOf(first), sessionOf(second) ?? sessionOf(first)]) {
        expect(securedOf(at(end, session)).resumed).toBe(true);
        // What a full handshake says of it stands in the alert.
        const late = at(end + 1000, session);
        expect(late.client.events.some(({ type }) => type === "secured")).toBe(false);
        expect(late.client.error?.code).toBe("TLS_CERTIFICATE_REJECTED");
      }
    },
  );

  it.each([
    ["a CRL", asking("off", crls), undefined, 3 * HOUR, "X509_CRL_EXPIRED", 46],
    ["a CRL of later", asking("off", crls), undefined, -120_000, "X509_CRL_NOT_YET_VALID", 46],
    ["an OCSP response", asking("require"), soon, 3 * HOUR, "X509_OCSP_EXPIRED", 113],
  ])("%s is held against the time when that gets known", (_, client, staple, ms, problem, alert) => {
    let now: number | undefined;
    const verification = { ...client.verification, unknownTime: "acceptUntilKnown" } as const;
    const one = dialog({ verification, wallMs: () => now }, { staple });
    expect(one.client.isSecured).toBe(true);
    now = pki.NOW + ms;
    const { error } = one.run().client;
    expect(error).toMatchObject({ code: "TLS_CERTIFICATE_REJECTED", data: { problems: [problem] } });
    expect(error?.alert).toBe(alert);
  });
});

describe("an app's own say, onCertificate", () => {
  const resumption = { wallMs: () => pki.NOW, ticketKey: new Uint8Array(16).fill(3) };
  const told = (verification: VerificationPolicy, session?: Uint8Array, wallMs = () => pki.NOW as number | undefined) =>
    dialog({ verification, session, resumption: true, wallMs }, { resumption });
  const accept = (): undefined => undefined;

  it("is asked for again when a session is to be resumed: a veto is a full handshake, which ends with it", () => {
    const session = sessionOf(told({ onCertificate: accept }));
    const seen: number[] = [];
    const see = ({ depth }: PathCertificate) => void seen.push(depth);
    expect(securedOf(told({ onCertificate: see }, session)).resumed).toBe(true);
    expect(seen).toEqual([1, 0]);
    const refused = told({ onCertificate: ({ depth }) => (depth === 0 ? { veto: "stolen" } : undefined) }, session);
    expect(refused.client.error).toMatchObject({ alert: 49, data: { problems: ["X509_VETO"] } });
  });

  it("is asked for again when the time gets known, and may forgive dates where it may forgive at all", () => {
    for (const [mayForgive, isAlive] of [
      [true, true],
      [false, false],
    ] as const) {
      let now: number | undefined;
      const onCertificate = () => ({ forgive: ["X509_EXPIRED"] as const });
      const one = told({ onCertificate, mayForgive, unknownTime: "acceptUntilKnown" }, undefined, () => now);
      now = pki.NOW + 100_000 * HOUR;
      expect(one.run().client.error === undefined).toBe(isAlive);
    }
  });
});
