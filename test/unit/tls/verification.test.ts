/** The option `verification` of a client: what is asked of the server's chain, and what happens when the time becomes known later. */

import { describe, expect, it } from "vitest";
import { finish } from "../../../src/task.ts";
import { Alert } from "../../../src/tls/alerts.ts";
import type { TlsClientOptions } from "../../../src/tls/events.ts";
import { admitByTrust } from "../../../src/tls/server.ts";
import { sessionBinding } from "../../../src/tls/session.ts";
import { checkOptions } from "../../../src/tls/settings.ts";
import { parseCertificate } from "../../../src/tls/x509/certificate.ts";
import {
  type PathCertificate,
  profiles,
  publicKeyPin,
  revocationChecks,
  type VerificationPolicy,
} from "../../../src/tls/x509/index.ts";
import { crypto, der, ecIdentity, NOW, options, trust } from "./client.ts";
import { ecServerCertificate } from "./fixtures.ts";
import { Dialog } from "./server.ts";

const leaf = parseCertificate(der(ecServerCertificate));
const YEARS = 200 * 366 * 86_400_000;

/** A handshake under a policy. */
const under = (verification: VerificationPolicy, more: Partial<TlsClientOptions> = {}) =>
  new Dialog({}, { verification, ...more });

/** The alert that the server got. */
const alertOf = ({ server }: Dialog) => server.error?.alert;

describe("the policy of a client", () => {
  it("RFC 7469 §2.6: a pin of the server's key or of its CA's passes, another ends with unknown_ca", () => {
    for (const owner of [leaf, trust[0]!]) expect(under({ pins: [publicKeyPin(owner, crypto)] }).isSecured).toBe(true);
    const other = under({ pins: ["ab".repeat(32)] });
    expect(other.client.error).toMatchObject({ code: "TLS_CERTIFICATE_REJECTED", alert: Alert.unknown_ca });
    expect(other.client.error!.data).toMatchObject({ problems: ["X509_PIN"], flags: "0x8" });
    expect(alertOf(other)).toBe(Alert.unknown_ca);
  });

  it("a veto ends with access_denied, as mbedTLS's f_vrfy does; the app sees the whole path", () => {
    const seen: string[] = [];
    const onCertificate = ({ depth, certificate, anchor }: PathCertificate) => {
      seen.push(`${depth} ${certificate?.subject ?? anchor?.label}`);
      return depth === 0 ? { veto: "not this one" } : undefined;
    };
    const dialog = under({ onCertificate });
    expect(seen).toEqual([`1 ${trust[0]!.label}`, `0 ${leaf.subject}`]);
    expect(dialog.client.error!.message).toContain("not this one");
    expect(alertOf(dialog)).toBe(Alert.access_denied);
  });

  it("a problem that is forgiven does not end the handshake", () => {
    const wallMs = () => NOW + YEARS;
    const onCertificate = () => ({ forgive: ["X509_EXPIRED"] as const });
    expect(alertOf(under({ onCertificate }, { wallMs }))).toBe(Alert.certificate_expired);
    expect(under({ onCertificate, mayForgive: true }, { wallMs }).isSecured).toBe(true);
  });

  it("a profile: SHA-256 alone is not enough where SHA-384 is asked for", () => {
    const profile = { ...profiles.secure, hashes: ["sha384"] } as const;
    expect(under({ profile }).client.error!.data).toMatchObject({ problems: ["X509_WEAK_HASH"] });
    expect(under({ profile: profiles.secure }).isSecured).toBe(true);
  });

  it("a policy that cannot be used is told before anything is sent", () => {
    expect(() => checkOptions(options({ verification: { pins: [] } }))).toThrow(
      expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }),
    );
    const admit = { trust, crypto, wallMs: () => NOW, verification: { pins: ["00"] } };
    expect(() => admitByTrust(admit)).toThrow(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
  });

  it("holds for clients too, where a server admits by trust", () => {
    const device = parseCertificate(ecIdentity.certificates[0]!);
    const admit = (pins: readonly Uint8Array[]) =>
      admitByTrust({ trust, crypto, wallMs: () => NOW, verification: { pins } })([device]);
    expect(admit([publicKeyPin(device, crypto)])).toBeUndefined();
    expect(admit([publicKeyPin(leaf, crypto)])).toBe(Alert.unknown_ca);
  });

  it("a session is bound to it", () => {
    const binding = (verification: VerificationPolicy) =>
      Buffer.from(finish(sessionBinding(checkOptions(options({ verification }))))).toString("hex");
    const all = [
      {},
      { pins: ["00".repeat(32)] },
      { pins: ["01".repeat(32)] },
      { profile: { ...profiles.secure, minRsaBits: 3072 } },
      { profile: profiles.strict },
      { onCertificate: () => undefined },
      { revocation: revocationChecks({ crls: [] }) },
      { revocation: revocationChecks({ crls: [], ocsp: "request" }) },
      { maxIntermediates: 1 },
    ].map(binding);
    expect(new Set(all).size).toBe(all.length);
    expect(binding({ pins: [new Uint8Array(32)] })).toBe(all[1]);
    expect(binding({ unknownTime: "acceptUntilKnown" })).toBe(all[0]);
  });
});

describe("RFC 5280 §6.1.3 a 2 a device whose clock is set later", () => {
  /** A handshake without the time, and what becomes of the connection once it is `later`. */
  function late(unknownTime: VerificationPolicy["unknownTime"], later: number | undefined, first?: number) {
    let now = first;
    const dialog = under({ unknownTime }, { wallMs: () => now });
    const secured = dialog.client.events.find((event) => event.type === "secured");
    const validity = secured?.type === "secured" ? secured.peer.validity : undefined;
    now = later;
    return { dialog: dialog.run(), validity };
  }

  it("reject, the default: no handshake", () => {
    for (const rule of [undefined, "reject"] as const) {
      const { dialog } = late(rule, NOW);
      expect(dialog.client.error!.data).toMatchObject({ problems: ["X509_TIME_UNKNOWN"] });
    }
  });

  it("acceptUntilKnown: the connection stays where the dates are right, also when the time stays unknown", () => {
    for (const later of [NOW, undefined]) {
      const { dialog, validity } = late("acceptUntilKnown", later);
      expect(validity).toBe("unchecked");
      expect(dialog.isSecured).toBe(true);
      dialog.client.client.write(Uint8Array.of(1, 2, 3));
      dialog.run();
      expect(dialog.server.data.map((bytes) => [...bytes])).toEqual([[1, 2, 3]]);
    }
  });

  it.each([
    ["expired", NOW + YEARS, Alert.certificate_expired, "X509_EXPIRED"],
    ["not yet valid", 0, Alert.certificate_unknown, "X509_NOT_YET_VALID"],
  ] as const)(
    "acceptUntilKnown: a chain that turns out to be %s ends the connection with an alert",
    (_, later, alert, code) => {
      const { dialog } = late("acceptUntilKnown", later);
      expect(dialog.client.error).toMatchObject({ code: "TLS_CERTIFICATE_REJECTED", alert });
      expect(dialog.client.error!.data).toMatchObject({ problems: [code] });
      expect(alertOf(dialog)).toBe(alert);
    },
  );

  it("floor: a clock that stands before the build is no clock; a right one is used when it comes", () => {
    const floor = NOW - 1000;
    const { dialog, validity } = late({ floor }, 1000, 0);
    expect(validity).toBe("floor");
    expect(dialog.isSecured && dialog.client.error === undefined).toBe(true);
    expect(late({ floor }, NOW + YEARS, 0).dialog.client.error?.alert).toBe(Alert.certificate_expired);
    expect(late({ floor: NOW + YEARS }, undefined).dialog.client.error?.alert).toBe(Alert.certificate_expired);
  });

  it("dates that were right once the time was known are not looked at again", () => {
    let now: number | undefined;
    const dialog = under({ unknownTime: "acceptUntilKnown" }, { wallMs: () => now });
    for (now of [NOW, NOW + YEARS]) dialog.run();
    expect(dialog.client.error).toBeUndefined();
  });

  it("with the time known from the start nothing is looked at again", () => {
    const { dialog, validity } = late("acceptUntilKnown", NOW + YEARS, NOW);
    expect(validity).toBe("checked");
    expect(dialog.client.error).toBeUndefined();
  });

  it("there is no session of a connection without the time, and none is offered", () => {
    const { dialog } = late("acceptUntilKnown", undefined);
    expect(dialog.client.events.some((event) => event.type === "session")).toBe(false);
  });
});
