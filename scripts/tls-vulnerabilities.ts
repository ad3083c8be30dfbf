/**
 * The page `docs/TLS-VULNERABILITIES.md`: attacks on TLS 1.2, and on its clients, with the reason why each does not work here and the
 * tests that show it. `errors-doc.ts` writes it, and `test/arch/tls-docs.test.ts` sees that each test exists.
 *
 * @module
 */

import { type Evidence, evidenceText } from "./evidence.ts";

/** An attack, or a class of mistakes that clients made. */
export interface Vulnerability {
  /** The name, and the CVEs that it is known by. */
  readonly name: string;
  readonly how: string;
  readonly why: string;
  readonly proof: readonly Evidence[];
}

const file =
  (path: string) =>
  (title: string): Evidence => ({ file: path, title });
const deviation = (title: string): Evidence => ({ deviation: title });
const table = file("test/unit/tls/deviations.test.ts");
const client = file("test/unit/tls/client.test.ts");
const protection = file("test/unit/tls/protection.test.ts");
const cbc = file("test/unit/crypto/cbc-hmac.test.ts");
const rsa = file("test/unit/crypto/rsa.test.ts");
const curve = file("test/unit/crypto/curve.test.ts");
const x509 = file("test/unit/x509/verify.test.ts");
const names = file("test/unit/x509/names.test.ts");
const der = file("test/unit/x509/der.test.ts");
const session = file("test/unit/tls/session.test.ts");
const suites = file("test/unit/tls/suites.test.ts");
const signatures = file("test/vectors/crypto/signatures.test.ts");
const fragments = file("test/unit/tls/fragments.test.ts");
const tampered = file("test/property/tls/deviations.test.ts");
const streams = file("test/property/tls/totality.test.ts");
const x509Totality = file("test/property/x509/totality.test.ts");

/** Each section of the page. */
export const vulnerabilities: readonly {
  readonly title: string;
  readonly rows: readonly Vulnerability[];
}[] = [
  {
    title: "Records and ciphers",
    rows: [
      {
        name: "BEAST (CVE-2011-3389)",
        how: "In TLS 1.0 the last block of a record is the vector of the next, so that guesses of plaintext can be tested.",
        why: "There is no TLS 1.0. A CBC record has a fresh random vector of its own.",
        proof: [
          protection("RFC 5246 §6.2.3.2 CBC: a fresh vector from Random for each record, with its label"),
          deviation("RFC 5246 §7.4.1.3 the version 0301"),
        ],
      },
      {
        name: "Padding oracles of Vaudenay (CVE-2003-0078), Lucky Thirteen (CVE-2013-0169), and of mbedTLS (CVE-2020-16150)",
        how: "An alert, or the time until it comes, tells wrong padding from a wrong MAC, and so the plaintext byte by byte.",
        why: "Padding and MAC are judged together, in steps that depend on the record's length alone, with one alert. RFC 7366 is offered, and the default has no CBC suite. What is left: AES is computed by tables.",
        proof: [
          protection(
            "records of one length cost the same to open: whatever the padding, right or wrong, wherever the MAC is wrong",
          ),
          cbc("any budget gives the same, and costs the same whatever is wrong and however long the padding is"),
          deviation("RFC 5246 §6.2.3.2 CBC: padding that is longer than the record (Vaudenay)"),
          deviation("RFC 5246 §6.2.3.2 CBC: a wrong MAC in front of right padding"),
        ],
      },
      {
        name: "POODLE (CVE-2014-3566), and of TLS (CVE-2014-8730)",
        how: "SSL 3, or a client that does not look at padding bytes, accepts a block that was moved to the padding's place.",
        why: "There is no SSL 3 and no fallback. All padding bytes are looked at.",
        proof: [
          deviation("RFC 5246 §6.2.3.2 CBC: any padding but its last byte (CVE-2014-8730, POODLE of TLS)"),
          deviation("RFC 5246 §7.4.1.3 the version 0300"),
        ],
      },
      {
        name: "Encryption and MAC in the order that the peer did not agree to (RFC 7366)",
        how: "A peer that is talked out of encrypt-then-MAC, or into it where it means nothing.",
        why: "Only what was offered can be answered, only with a suite of CBC, and then all records have that order.",
        proof: [
          deviation("RFC 7366 §3 a record of MAC-then-encrypt, although the other order was agreed on"),
          deviation("RFC 7366 §3 encrypt_then_mac for a suite of AEAD, where one of CBC was offered too"),
        ],
      },
      {
        name: "CRIME (CVE-2012-4929)",
        how: "The length of what is compressed tells what is in it.",
        why: "No compression is offered, and none accepted. BREACH, of HTTP bodies, is above TLS.",
        proof: [
          deviation("RFC 5246 §7.4.1.3 compression"),
          deviation("RFC 3749 §2 compression with DEFLATE in the number 255 (CRIME)"),
        ],
      },
      {
        name: "RC4 biases (CVE-2013-2566, CVE-2015-2808) and SWEET32 (CVE-2016-2183)",
        how: "Weak keystream; blocks of 64 bits that repeat.",
        why: "Neither is implemented. A key ends long before the bounds of AES-GCM.",
        proof: [
          deviation("RFC 5246 §7.4.1.3 RC4"),
          deviation("RFC 5246 §7.4.1.3 3DES (SWEET32)"),
          protection("AES-GCM: 2^24.5 records of full size, counted in blocks, in each direction"),
        ],
      },
      {
        name: "Nonces of GCM that repeat (CVE-2016-0270)",
        how: "Two records with one nonce give the key of the tag away.",
        why: "The nonce is the sequence number, which never wraps; nobody draws or passes it.",
        proof: [client("RFC 5288 §3 nonces are the sequence numbers, and RFC 5246 §6.1 they never wrap")],
      },
      {
        name: "Records that are repeated, left out, swapped, reflected or cut",
        how: "The stream is changed without knowing its keys.",
        why: "Each record's tag covers its number, type and length; each direction has its own key; an end without close_notify is told.",
        proof: [
          deviation("RFC 5246 §6.2.3.3 two records in the wrong order"),
          deviation("RFC 5246 §6.3 our own record sent back"),
          tampered("RFC 5246 §6.2.3.3: a protected record that was changed is never accepted"),
          deviation("RFC 5246 §7.2.1 the end inside of a record"),
        ],
      },
      {
        name: "Heartbleed (CVE-2014-0160)",
        how: "A heartbeat asks for more bytes than it sent.",
        why: "There are no heartbeats, and a buffer that is read beyond its end has nothing there.",
        proof: [
          deviation("RFC 6520 a heartbeat in traffic (CVE-2014-0160)"),
          deviation("RFC 6520 §2 heartbeat (CVE-2014-0160), which was not asked for"),
        ],
      },
    ],
  },
  {
    title: "Negotiation",
    rows: [
      {
        name: "FREAK (CVE-2015-0204)",
        how: "A client takes an export key that it did not ask for.",
        why: "Only a suite that was offered can be chosen; there are no export suites, and no RSA key in a ServerKeyExchange.",
        proof: [deviation("RFC 5246 §7.4.1.3 an export suite (CVE-2015-0204, FREAK)")],
      },
      {
        name: "Logjam (CVE-2015-4000)",
        how: "A client takes a Diffie-Hellman group that is too small.",
        why: "There is no finite-field Diffie-Hellman; only a named curve that was offered can be chosen.",
        proof: [
          deviation("RFC 5246 §7.4.1.3 a suite of finite-field Diffie-Hellman (Logjam, Raccoon)"),
          deviation("RFC 8422 §5.4 the group ffdhe2048"),
          deviation("RFC 8422 §5.4 curve type 1 instead of a named curve"),
        ],
      },
      {
        name: "Raccoon (CVE-2020-1968)",
        how: "The time to hash a premaster secret tells its leading zeros.",
        why: "Premaster secrets of ECDHE have a fixed length, leading zeros included, and each handshake its own key.",
        proof: [
          deviation("RFC 5246 §7.4.1.3 a suite of finite-field Diffie-Hellman (Logjam, Raccoon)"),
          curve("the key comes from what is labelled ecdhe, whatever the blinding"),
        ],
      },
      {
        name: "ROBOT and Bleichenbacher (CVE-2017-13099), DROWN (CVE-2016-0800), Marvin (CVE-2023-50782)",
        how: "A server is an oracle for RSA decryption.",
        why: "There is no RSA decryption anywhere in this library.",
        proof: [
          deviation("RFC 5246 §7.4.1.3 a suite of RSA key transport (ROBOT)"),
          suites("IANA's numbers, names, keys and hashes (RFC 5289, RFC 7905, RFC 8422)"),
        ],
      },
      {
        name: "SLOTH (CVE-2015-7575)",
        how: "A signature over MD5 or SHA-1, whose collisions can be computed.",
        why: "No scheme has them. Only a scheme that was offered is verified, and ours is chosen among those that both sides have.",
        proof: [
          deviation("RFC 5246 §7.4.3 the scheme rsa_pkcs1_md5 (SLOTH) (CVE-2026-25834)"),
          x509("RFC 9155: a SHA-1 signature is refused without being checked"),
        ],
      },
      {
        name: "A signature scheme that was not offered (CVE-2026-25834 of mbedTLS)",
        how: "A ServerKeyExchange is signed with a scheme that the client has, but did not offer.",
        why: "It is looked up among those that were offered, and must fit the certificate's key.",
        proof: [
          deviation("RFC 5246 §7.4.3 a scheme that was not offered (CVE-2026-25834)"),
          deviation("RFC 5246 §7.4.3 a scheme of ECDSA with an RSA key"),
        ],
      },
      {
        name: "A scheme that is unknown, whereupon nothing is verified (seen in other clients)",
        how: "The scheme zero, for which there is no verifier.",
        why: "What is not offered is refused, and the state behind cannot be made without the proof of a signature.",
        proof: [deviation("RFC 5246 §7.4.3 the scheme zero"), deviation("RFC 5246 §7.4.3 an empty signature")],
      },
      {
        name: "Renegotiation that splices two connections (CVE-2009-3555)",
        how: "What an attacker sent becomes the beginning of what the client says.",
        why: "A client that never renegotiates cannot be continued; renegotiation_info is sent, its answer must be empty, and requests are refused and counted.",
        proof: [
          deviation("RFC 5746 §3.4 renegotiation_info with the verify_data of another connection (CVE-2009-3555)"),
          deviation("CVE-2009-3555 a ServerHello in traffic, as if we had renegotiated"),
          deviation("RFC 5246 §7.4.1.1 five HelloRequests afterwards"),
          table("RFC 5246 §7.2.2 a HelloRequest in traffic gets the warning no_renegotiation"),
        ],
      },
      {
        name: "Triple handshake (CVE-2014-1295)",
        how: "Two connections are given the same master secret, so that the proofs of one hold for the other.",
        why: "The extended master secret is always offered, binds the secret to the handshake, and must be the session's where it is resumed. Without renegotiation the third handshake is missing.",
        proof: [
          session("RFC 7627 §5.3 without the extended master secret of the session"),
          deviation("RFC 7627 §5.1 extended_master_secret with contents"),
        ],
      },
      {
        name: "Downgrades of version, suite, group or extension",
        how: "Someone in between changes the hellos.",
        why: "Finished covers every message as it was sent and received, and no older version can be chosen.",
        proof: [
          tampered("RFC 5246 §7.4.9: a handshake message that was changed on its way is never accepted"),
          deviation("RFC 5246 §7.4.1.3 TLS 1.1"),
          deviation("RFC 5246 §7.4.1.3 the signalling value of a fallback"),
        ],
      },
      {
        name: "ALPACA (CVE-2021-31971 and others)",
        how: "A connection is led to a server of another protocol with the same certificate.",
        why: "The name is checked, and ALPN's answer must be what was offered. A server that knows no ALPN cannot be told apart: use names of one service.",
        proof: [deviation("RFC 7301 §3.1 a protocol that was not offered"), deviation("RFC 9525 §6 another name")],
      },
      {
        name: "A session that is used where it does not belong",
        how: "A resumed connection skips the certificate: it must not go to another name, or outlive the trust that it stood on.",
        why: "A session is bound to host, ALPN, extended master secret, trust, client certificates and its end, and offered under no other of these.",
        proof: [
          session("never under another %s"),
          session("with any one byte changed, cut or longer it is no session"),
          session("RFC 5246 §7.4.1.3 another suite than the session's"),
        ],
      },
    ],
  },
  {
    title: "The state machine",
    rows: [
      {
        name: "SMACK, SKIP (CVE-2014-6593, CVE-2015-0205)",
        how: "A message is left out, and with it the check that it would have met.",
        why: "Each state names what it expects and is made of what the ones before have proven; every message in every state that does not expect it is tried.",
        proof: [
          deviation("RFC 5246 §7.4.3 no ServerKeyExchange (SKIP)"),
          deviation("RFC 5246 §7.4.5 ServerHelloDone right behind the ServerHello (SKIP)"),
          deviation("RFC 5246 §7.4 Finished in ExpectChangeCipherSpec"),
          client("RFC 5246 §7.3 each state refuses every message that it does not expect"),
        ],
      },
      {
        name: "Early ChangeCipherSpec (CVE-2014-0224)",
        how: "Keys are made before there is a secret.",
        why: "ChangeCipherSpec is expected in one state, behind our own flight, once, and never inside of a message.",
        proof: [
          deviation("CVE-2014-0224 ChangeCipherSpec before the key exchange"),
          deviation("CVE-2014-0224 ChangeCipherSpec behind ServerHelloDone, before the server has our key"),
          deviation("RFC 5246 §7.1 ChangeCipherSpec inside of a message"),
          deviation("RFC 5246 §7.1 ChangeCipherSpec twice"),
        ],
      },
      {
        name: "goto fail (CVE-2014-1266)",
        how: "A line too many skips the verification of the signature.",
        why: "Only the function that verifies can make the proof that the next state demands: without the check it does not compile, and wrong signatures are tried.",
        proof: [
          deviation("RFC 5246 §7.4.3 a wrong signature"),
          deviation("RFC 5246 §7.4.3 a wrong RSA signature"),
          deviation("RFC 5246 §7.4.3 parameters that were changed after signing"),
        ],
      },
      {
        name: "A Finished that is not computed when something fails (CVE-2025-27810 of mbedTLS)",
        how: "A failure leaves a buffer as it was, and its contents are compared.",
        why: "A failure is an exception, and ends the connection; the comparison gets what was computed, or never runs.",
        proof: [
          deviation("RFC 5246 §7.4.9 a Finished of zeros"),
          client(
            "RFC 5246 §7.4.9 a Finished that cannot be computed ends the handshake, whatever the server sends (CVE-2025-27810)",
          ),
        ],
      },
      {
        name: "Data before Finished",
        how: "What an unauthenticated peer sends is handed to the app.",
        why: "Data are expected in the last state only, which cannot be made without Finished's proof.",
        proof: [deviation("RFC 5246 §7.4.9 data before Finished"), deviation("RFC 5246 §7.4.9 no Finished, but data")],
      },
      {
        name: "Floods: empty records, warnings (CVE-2016-8610), HelloRequests (CVE-2011-1473), endless messages",
        how: "Cheap records that cost the client time or memory for ever.",
        why: "All are counted and bounded; a message's length is refused by its header; buffers are as long as one record; work goes on in steps of the caller's budget.",
        proof: [
          deviation("RFC 5246 §6.2.1 33 empty data records in a row"),
          deviation("RFC 5246 §7.2 five warnings, with data between them"),
          deviation("RFC 5246 §7.4 16,777,215 bytes announced"),
          fragments("no announced length makes more room than the longest record that is allowed"),
          streams("mutated streams do no harm, and a third of them gets behind ServerKeyExchange"),
        ],
      },
      {
        name: "Bytes that crash a parser",
        how: "Lengths that lie, lists in lists, nothing where something is expected.",
        why: "One reader with bounds, every length exact, no recursion over input; 100,000 mutated streams in each run of the tests, a million in the deep ones.",
        proof: [
          {
            file: "test/interop/mutated-streams.test.ts",
            title: "mutated streams of a server: a third gets behind ServerKeyExchange, and none does harm",
          },
          streams("arbitrary bytes, and arbitrary records, do no harm"),
          x509Totality("huge lengths and deep nesting cost nothing"),
        ],
      },
    ],
  },
  {
    title: "Keys and signatures",
    rows: [
      {
        name: "Invalid curve points (CVE-2015-7940)",
        how: "A point of another curve gives the secret key away in pieces.",
        why: "A point must be uncompressed, in range and on the curve; a secret of zeros is refused on X25519; each key is used once.",
        proof: [
          deviation("RFC 8422 §5.11 a point that is not on the curve"),
          deviation("RFC 8422 §5.11 the point at infinity"),
          deviation("RFC 8422 §5.11 a key of X25519 of zeros: an agreed secret of zeros"),
          curve("SEC 1 §3.2.2.1 a public key is uncompressed, in range and on the curve"),
        ],
      },
      {
        name: "Curves of the attacker's choice (CVE-2020-0601)",
        how: "A key with parameters of its own has the known key's point.",
        why: "Curves are known by name only, in handshakes and in certificates.",
        proof: [
          deviation("RFC 8422 §5.4 curve type 1 instead of a named curve"),
          deviation("RFC 8422 §5.4 explicit curve parameters"),
          file("test/unit/x509/keys.test.ts")(
            "on a curve that is given by its parameters is of no known kind, whatever they are (CVE-2020-0601)",
          ),
        ],
      },
      {
        name: "Forged RSA signatures: BERserk and Bleichenbacher's (CVE-2006-4339, CVE-2014-1568, CVE-2022-24771, CVE-2026-33894)",
        how: "A verifier that parses the padding overlooks what was put into it.",
        why: "The padding is made anew and compared as a whole.",
        proof: [
          signatures("RFC 8017 §8.2.2 RSA PKCS#1 v1.5 $file: exactly the valid signatures verify"),
          deviation("RFC 8017 §8.2.2 an RSA signature of zeros"),
        ],
      },
      {
        name: "Psychic signatures (CVE-2022-21449), and malleable ones",
        how: "ECDSA with r or s of zero verifies for everything.",
        why: "Both must lie between 1 and the order, in exact DER.",
        proof: [
          deviation("FIPS 186-5 §6.4.2 r and s of zero"),
          deviation("FIPS 186-5 §6.4.2 s of zero"),
          file("test/unit/crypto/ecdsa.test.ts")("r and s must lie between 1 and the order"),
        ],
      },
      {
        name: "A signature that is used again in another handshake",
        how: "A ServerKeyExchange that was recorded is played back.",
        why: "It covers both randoms, and ours is new each time.",
        proof: [
          deviation("RFC 5246 §7.4.3 a signature without the randoms, as another connection's could be used again"),
          deviation("RFC 5246 §7.4.3 a signature over other randoms"),
        ],
      },
      {
        name: "Faults in RSA-CRT (Lenstra), and in ECDSA nonces (CVE-2010-4252, LadderLeak, Minerva CVE-2019-13627)",
        how: "One wrong half of a signature factors the modulus; nonces that repeat or leak give the key away.",
        why: "RSA signatures are blinded and checked before they leave; nonces come from key, digest and randomness by RFC 6979, and scalars take the same steps. What is left: numbers of JavaScript's BigInt take time by their size, where that arithmetic is chosen.",
        proof: [
          rsa("a fault in the computation gives an error and no signature"),
          curve("$title: every secret scalar takes the same sequence of operations"),
          file("test/unit/crypto/ecdsa.test.ts")(
            "a source without randomness still signs with a nonce that depends on the digest",
          ),
        ],
      },
      {
        name: "Randomness that fails or is short",
        how: "Keys of zeros.",
        why: "The source is passed in; that it fails, or does nothing, ends the handshake before anything is sent.",
        proof: [
          client("a source of randomness that fails is TLS_RANDOM_FAILED, with nothing sent"),
          client(
            "a source of randomness that does nothing is TLS_RANDOM_FAILED, with nothing sent: X25519 would take zeros for a key",
          ),
        ],
      },
      {
        name: "Secrets that stay in memory",
        how: "A later leak shows old keys.",
        why: "They are in typed arrays that are wiped, however a connection ends. What is left: an engine may have copied what it moved.",
        proof: [
          file("test/unit/tls/secrets.test.ts")(
            "premaster secret and ephemeral key are gone as soon as the master secret is there; the master secret lives",
          ),
        ],
      },
    ],
  },
  {
    title: "Certificates",
    rows: [
      {
        name: "No name to check (CVE-2025-27809 of mbedTLS)",
        how: "Without a host name any certificate of any server does.",
        why: "`serverName` is demanded; without it nothing starts.",
        proof: [
          x509("a server without a name to check is a mistake of the caller"),
          deviation("RFC 9525 §6 another name"),
        ],
      },
      {
        name: "Null prefixes (CVE-2009-2408) and other names that look alike",
        how: "A certificate for `host\\0.evil.org` is compared up to the zero.",
        why: "Names are compared by their length, byte by byte, in ASCII; wildcards are the whole leftmost label; the common name counts for nothing.",
        proof: [
          deviation("RFC 9525 §6.3 a name that ends at a zero byte (CVE-2009-2408)"),
          deviation("RFC 9525 §6.3 a wildcard for a whole domain"),
          deviation("RFC 9525 §6.3 the name only as common name"),
          deviation("RFC 9525 §6.3 the name only in the CA's certificate"),
        ],
      },
      {
        name: "Wildcards and names that match an address, and IPv6 parsers that run off (CVE-2026-25833 of mbedTLS)",
        how: "An address is compared as text, or a malformed one read beyond its end.",
        why: "Addresses match iPAddress only; the parser agrees with Node's on text of all shapes.",
        proof: [
          deviation("RFC 9525 §6.4 a wildcard for an address"),
          names("agree with node:net on text of all shapes"),
        ],
      },
      {
        name: "A certificate that is no CA signs (CVE-2002-0862, CVE-2026-33896)",
        how: "basicConstraints, keyUsage or path length is not looked at.",
        why: "All are, for every certificate that signs.",
        proof: [
          deviation("RFC 5280 §4.2.1.9 a server's certificate as a CA (CVE-2026-33896)"),
          deviation("RFC 5280 §4.2.1.3 a CA without the usage keyCertSign"),
          deviation("RFC 5280 §4.2.1.9 a CA below one that allows none"),
        ],
      },
      {
        name: "A leaf that is not linked to the chain behind it (seen in other clients)",
        how: "A genuine chain stands behind an attacker's leaf, and is verified instead of it.",
        why: "The path starts at the first certificate, whose key is the one that the signature is verified with.",
        proof: [
          deviation("RFC 5280 §6.1 an unlinked certificate in front of a right CA"),
          deviation("RFC 5246 §7.4.2 the CA in front of the server's certificate"),
        ],
      },
      {
        name: "Alternative chains (CVE-2015-1793)",
        how: "While another path is tried, the checks of the first count for it.",
        why: "Every path is validated as a whole.",
        proof: [
          x509("finds the way back from an expired intermediate to one that is valid"),
          x509("backtracks from a branch that leads nowhere"),
        ],
      },
      {
        name: "Chains that take for ever (CVE-2023-0464 and its kind)",
        how: "CAs that sign each other, names without end.",
        why: "Certificates, signatures and comparisons are counted and bounded.",
        proof: [
          x509("a bag of CAs that all sign each other ends after 64 signatures"),
          x509("names and constraints are compared 65536 times at most, and on paths to an anchor only"),
        ],
      },
      {
        name: "BER and nesting: CVE-2025-66030, CVE-2025-66031 of forge, and their kind",
        how: "Lengths, integers and OIDs in more than one form; structures without end.",
        why: "DER in its one form, 16 levels, no recursion over input.",
        proof: [
          der("descends 16 levels for its caller and no further"),
          der("X.690 §8.19 OIDs have arcs of any size, exactly"),
          x509Totality("RFC 5280 §6.1.3 a 1: no chain with a mutated certificate is accepted"),
        ],
      },
      {
        name: "A clock that is not set",
        how: "Devices start in 1970, and stop looking at dates because of it.",
        why: "A time that is unknown refuses the chain, and says so; the app decides where its time comes from.",
        proof: [
          deviation("RFC 5280 §6.1.3 an unknown time of day"),
          x509("a time that is unknown or no number fails, never passes"),
        ],
      },
      {
        name: "Extensions that are critical and not understood; constraints that are overlooked",
        how: "A limit that the CA set is ignored.",
        why: "Name constraints and purposes of CAs hold for what is below them; what is critical and unknown is refused.",
        proof: [
          deviation("RFC 5280 §4.2 a critical extension that nobody knows"),
          x509("RFC 5280 §4.2.1.10: name constraints of an intermediate and of an anchor hold for what is below"),
          x509("RFC 5280 §4.2.1.12: extendedKeyUsage of an intermediate limits what is below"),
        ],
      },
    ],
  },
];

/** The whole page as Markdown. */
export function vulnerabilitiesPage(): string {
  const lines = [
    "# Attacks on TLS 1.2, and why they do not work here",
    "",
    "Generated by `npm run docs` from `scripts/tls-vulnerabilities.ts`; a test sees that every test that is named exists. A *deviation* is a row of the",
    "table of what a scripted server does wrong (`test/unit/tls/deviations/`), which is tried with its exact error and alert. Where something is",
    "left, it stands beside the reason.",
  ];
  for (const { title, rows } of vulnerabilities) {
    lines.push("", `## ${title}`);
    for (const { name, how, why, proof } of rows)
      lines.push(
        "",
        `### ${name}`,
        "",
        `*How:* ${how}`,
        "",
        `*Why not here:* ${why}`,
        "",
        ...proof.map((one) => `- ${evidenceText(one)}`),
      );
  }
  return `${lines.join("\n")}\n`;
}
