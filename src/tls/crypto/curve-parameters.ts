/**
 * The parameters of the curves of NIST (SP 800-186 §3.2.1): y² = x³ - 3x + b modulo a prime, of prime order, cofactor 1.
 *
 * @module
 */

import type { CurveName } from "./provider.ts";

/** How many bits further each of {@link CurveParameters.generatorRows} is. */
export const GENERATOR_ROW_BITS = 36;

/** One curve. */
export interface CurveParameters {
  readonly name: CurveName;
  /** Bits of the prime and of the order, which are the same for these curves. */
  readonly bits: number;
  readonly prime: bigint;
  readonly b: bigint;
  readonly order: bigint;
  readonly x: bigint;
  readonly y: bigint;
  /**
   * Bytes of the random r in the blinded scalar k + r·order. The orders are a power of two minus a smaller number c, so that r
   * must be wide enough for r·c to reach every bit of k.
   */
  readonly blindingBytes: number;
  /**
   * Multiples of the generator by 2^36, 2^72, …, from which the rows of its table for blinded scalars start: all that doublings would make
   * of it, in the first handshake of a program. `undefined` where they are to be computed.
   */
  readonly generatorRows?: readonly { readonly x: bigint; readonly y: bigint }[] | undefined;
}

/** secp256r1 (FIPS 186-4 §D.1.2.3). */
export const p256: CurveParameters = {
  name: "secp256r1",
  bits: 256,
  prime: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  blindingBytes: 8,
  generatorRows: [
    {
      x: 0x6965b6384d7061e685371fe7ff26519e76bba9dda2aea7817aff4fe1fdde3445n,
      y: 0xd1bcdae39c482511325e496638732dbef47ce6051a5f99d97cc4389e18855113n,
    },
    {
      x: 0x1d35c9699761e3f285f248239267756f5194b85279f96b7c60aafad170aae231n,
      y: 0xc7226cb62df608231d660ab622ebf810edf58aa4729a66f15867063accd6ac71n,
    },
    {
      x: 0x0e51416421640aeb57802554eb5fa77aa9cb53529975e04a6701f090ec49e853n,
      y: 0xcf331cea65905469278eb4a53a91030df568394190c9ee36336e3d1376405cb2n,
    },
    {
      x: 0xf81f5be38b8ca534e8a5c7938d18df9e0d238966f74e1a6b826fadc0523b716dn,
      y: 0xdc7f49329c1f06df1d56d29d380e0328660758503a878330464002f512632401n,
    },
    {
      x: 0x5c9cc4f8723a027b0318ec7fdfd7dac93fdd478e694fd54add1452e899273a8fn,
      y: 0x84efe07a1dfed259a827589d3708af964f003675a11acab5addaca695ce80d6en,
    },
    {
      x: 0xb4958c4e21de21d47fb60c55edb925559eaa8520a5ed115e3e0b5d5ad4441fbbn,
      y: 0xfcd6e7bf996640efe5c041fbc38cb7e12db9f6132d4638414c7e3c9f4add7118n,
    },
    {
      x: 0xb12fadf52943dfa54943fccb3b7893e796357686c10319e31ead3233444c0448n,
      y: 0x02e2459599b0f4ace96f8f6677b2a6a71d05e70332fc4df296575e76b369de57n,
    },
    {
      x: 0x5b62003615d1a315fd600033e3aea258734aadac7f1261b5b565c06d37039720n,
      y: 0xbf175b02cf02fe3701ebfb38bffd5fea0d109b74561db6a25c676fa14bfcb49en,
    },
  ],
};

/** secp384r1 (FIPS 186-4 §D.1.2.4). */
export const p384: CurveParameters = {
  name: "secp384r1",
  bits: 384,
  prime: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
  b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  x: 0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
  y: 0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
  blindingBytes: 25,
};

/** secp521r1 (FIPS 186-4 §D.1.2.5). */
export const p521: CurveParameters = {
  name: "secp521r1",
  bits: 521,
  prime:
    0x01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffn,
  b: 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  order:
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  x: 0x00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66n,
  y: 0x011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650n,
  blindingBytes: 33,
};
