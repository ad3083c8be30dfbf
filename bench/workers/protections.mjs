/**
 * The operations on what protects records, of implementations that do all of them both ways. Each of `gcm`, `chacha` and `cbc` takes
 * the bytes of a text and gives `{ seal, open }`, each as `measure` wants it.
 */
export function protections({ gcm, chacha, cbc }) {
  const both = (name, protection, lengths) =>
    lengths.flatMap((length) => {
      const { seal, open } = protection(length);
      return [
        [`${name}-seal-${length}`, seal],
        [`${name}-open-${length}`, open],
      ];
    });
  return Object.fromEntries([
    ...both("aes128gcm", gcm, [64, 256, 1024, 16_384]),
    ["chacha20poly1305-seal-64", chacha(64).seal],
    ...both("chacha20poly1305", chacha, [16_384]),
    ...both("aes128cbc-sha256", cbc, [1024, 16_384]),
  ]);
}
