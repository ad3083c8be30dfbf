/**
 * Trust anchors: whom a chain must lead to. An anchor is a name and a key (RFC 5280 §6.1.1 d); the certificate around them, its
 * dates and its signature do not count, so that a root re-issued or cross-signed for the same key stays the same anchor.
 *
 * @module
 */

/** A CA that is trusted, as name and key. */
export interface TrustAnchor {
  /** The CA's name as a DER `Name` (RFC 5280 §4.1.2.6). */
  readonly subject: Uint8Array;
  /** The CA's key as a DER `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7). */
  readonly subjectPublicKeyInfo: Uint8Array;
  /** For people: the name in one line. */
  readonly label: string;
}

export declare function trustAnchors(
  input: string | Uint8Array | readonly (string | Uint8Array)[],
): readonly TrustAnchor[];
