/**
 * Which host a certificate is for: RFC 9525, with the addresses of RFC 5952 and RFC 4291.
 *
 * Only subjectAltName counts, never the common name. A wildcard is the whole leftmost label, stands for exactly one label, and
 * has two labels or more behind it. An IP address matches an iPAddress entry only, octet by octet. Left out on purpose: SRV and URI
 * identities, and internationalised names other than as A-labels (`xn--…`).
 *
 * @module
 */

import { equal } from "../../bytes.ts";
import type { Certificate } from "./certificate.ts";

/** What a user connects to: a DNS name (lower case, without the root's dot), or the 4 or 16 octets of an address. */
export type ServerName =
  | { readonly type: "dns"; readonly name: string }
  | { readonly type: "ip"; readonly address: Uint8Array };

/**
 * Reads a host name or an address as users write them; `undefined` for what can be neither: empty or overlong labels, characters
 * outside of letters, digits, `-` and `_`, wildcards, a last label of digits only, IPv4 with leading zeros, IPv6 with a zone.
 *
 * @example
 * parseServerName("Example.COM.");  // { type: "dns", name: "example.com" }
 * parseServerName("[::1]");         // { type: "ip", address: 00 … 01 }
 */
export function parseServerName(text: string): ServerName | undefined {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : undefined;
  const address = bare === undefined ? parseIpAddress(text) : parseIpv6(bare);
  if (address !== undefined) return { type: "ip", address };
  const name = asciiLowerCase(text.endsWith(".") ? text.slice(0, -1) : text);
  if (bare !== undefined || !isDnsName(name)) return undefined;
  return { type: "dns", name };
}

/**
 * Whether a certificate is for a server.
 *
 * @param serverName a DNS name or an IP address; something that is neither matches nothing.
 */
export function matchServerName(certificate: Certificate, serverName: string): boolean {
  const wanted = parseServerName(serverName);
  const names = certificate.subjectAltName;
  if (wanted === undefined || names === undefined) return false;
  return wanted.type === "ip"
    ? names.ip.some((address) => equal(address, wanted.address))
    : names.dns.some((pattern) => matchDnsName(pattern, wanted.name));
}

/** Whether a dNSName of a certificate covers a name as {@link parseServerName} returns it (RFC 9525 §6.3). */
export function matchDnsName(pattern: string, name: string): boolean {
  const presented = asciiLowerCase(pattern);
  if (!presented.startsWith("*.")) return presented === name;
  const parent = presented.slice(2);
  const dot = name.indexOf(".");
  return isDnsName(parent) && parent.includes(".") && dot > 0 && name.slice(dot + 1) === parent;
}

/** The 4 or 16 octets of an IPv4 or IPv6 address in text; `undefined` for anything else. */
export function parseIpAddress(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** An address as text: dotted for 4 octets, RFC 5952 for 16. */
export function ipAddressText(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  const groups: string[] = [];
  for (let i = 0; i < address.length; i += 2) groups.push(((address[i]! << 8) | address[i + 1]!).toString(16));
  // The longest run of two or more zero groups, the first of equals, is left out.
  let best = 0;
  let bestAt = -1;
  for (let i = 0; i < groups.length; i++) {
    let run = 0;
    while (groups[i + run] === "0") run++;
    if (run > Math.max(best, 1)) [best, bestAt] = [run, i];
  }
  if (bestAt < 0) return groups.join(":");
  return `${groups.slice(0, bestAt).join(":")}::${groups.slice(bestAt + best).join(":")}`;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return Uint8Array.from(parts, Number);
}

function parseIpv6(text: string): Uint8Array | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = ipv6Groups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? ipv6Groups(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const zeros = 16 - head.length - tail.length;
  // `::` stands for one group at least (RFC 4291 §2.2).
  if (halves.length === 1 ? zeros !== 0 : zeros < 2) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(zeros).fill(0), ...tail]);
}

/** Octets of groups with colons between them; the last may be an IPv4 address where `last` says that the text ends there. */
function ipv6Groups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const octets: number[] = [];
  const groups = text.split(":");
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i]!;
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      octets.push(value >> 8, value & 255);
    } else {
      const ipv4 = last && i === groups.length - 1 ? parseIpv4(group) : undefined;
      if (ipv4 === undefined) return undefined;
      octets.push(...ipv4);
    }
  }
  return octets.length > 16 ? undefined : octets;
}

/** Lower-case letters, digits, `-`, `_` (hosts have it, though RFC 1123 does not); the last label is not all digits, or it would be an address. */
function isDnsName(name: string): boolean {
  if (name.length === 0 || name.length > 253) return false;
  const labels = name.split(".");
  return (
    labels.every((label) => label.length <= 63 && /^[a-z0-9_-]+$/.test(label)) &&
    !/^[0-9]+$/.test(labels[labels.length - 1]!)
  );
}

/** ASCII only: other case rules (U+212A, U+0130) would make names equal that are not. */
function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
