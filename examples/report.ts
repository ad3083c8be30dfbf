/** What the examples print for people: the handshake, the chain, what was negotiated. Colours only on a terminal. */

import { styleText } from "node:util";
import type { NativeTlsInfo } from "thingwire/node";
import type { TlsConnectionInfo } from "thingwire/tls";
import { type Certificate, parseCertificate } from "thingwire/tls/x509";

export interface Report {
  title(text: string): void;
  line(text: string): void;
  /** A line of an example's log, `TAG: message`, to the letter. */
  log(text: string): void;
  good(text: string): void;
  bad(text: string): void;
  handshake(info: TlsConnectionInfo): void;
  native(info: NativeTlsInfo): void;
}

export interface Output {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

export function report(output: Output): Report {
  const coloured = output.isTTY === true && !process.env["NO_COLOR"];
  const paint = (style: "bold" | "dim" | "green" | "red" | "cyan", text: string): string =>
    coloured ? styleText(style, text, { validateStream: false }) : text;
  const print = (text: string): void => void output.write(`${text}\n`);

  return {
    title: (text) => print(`\n${paint("bold", text)}`),
    line: print,
    log(text) {
      // As the C examples print it, so that a line can be searched for: nothing stands in front of the tag.
      const [tag] = /^\w+:|$/.exec(text)!;
      print(`${tag === "" ? "" : paint("cyan", tag)}${text.slice(tag.length)}`);
    },
    good: (text) => print(paint("green", text)),
    bad: (text) => print(paint("red", text)),
    handshake(info) {
      const { suite, group, signatureScheme, clientSignatureScheme, alpn, extendedMasterSecret, peer, statistics } =
        info;
      print(`  ${paint("dim", "      ms     bytes  handshake")}`);
      for (const { direction, message, bytes, atMs } of statistics.timeline)
        print(
          `  ${atMs.toFixed(1).padStart(8)}  ${String(bytes).padStart(8)}  ${direction === "sent" ? "->" : "<-"} ${message}`,
        );
      print(`  chain    ${peer.path.map(certificateLine).join("\n           ")}`);
      print(`           trusted: ${peer.anchor.label}`);
      print(`  suite    ${suite.name}, ${group.name}, server signed with ${signatureScheme.name}`);
      print(
        `  client   signed with ${clientSignatureScheme?.name ?? "nothing"}, extended master secret ${extendedMasterSecret ? "yes" : "no"}, ALPN ${alpn ?? "none"}`,
      );
      print(
        `  traffic  ${statistics.bytesSent} bytes sent, ${statistics.bytesReceived} received, ${statistics.units} units of computation`,
      );
    },
    native({ protocol, suite, alpn, certificates }) {
      print(`  chain    ${certificates.map((der) => certificateLine(parseCertificate(der))).join("\n           ")}`);
      print(`  suite    ${suite}, ${protocol} of Node, ALPN ${alpn ?? "none"}`);
    },
  };
}

function certificateLine({ subject, issuer, notBefore, notAfter, publicKey }: Certificate): string {
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const key =
    publicKey?.type === "rsa"
      ? `RSA ${publicKey.modulus.length * 8}`
      : publicKey?.type === "ec"
        ? publicKey.curve
        : "another key";
  return `${subject}, issued by ${issuer}, ${day(notBefore)} to ${day(notAfter)}, ${key}`;
}
