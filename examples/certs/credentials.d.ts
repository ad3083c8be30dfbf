/** The shape of `credentials.js`, which `npx thingwire embed` writes. The module itself holds a private key and is never committed. */

/** The device's certificate in DER. */
export const certificate: Uint8Array;
/** The certificate and the intermediates behind it, leaf first, in DER. */
export const certificates: readonly Uint8Array[];
/** The private key of the certificate in PKCS#8 DER. */
export const privateKey: Uint8Array;
