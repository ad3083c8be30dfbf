/**
 * Records of the CBC suites (RFC 5246 §6.2.3.2) for rivals that have AES-CBC and HMAC but not the record: text, MAC, padding. Opening them
 * takes no precautions against RFC 7457 §2.4, as thingwire's and mbedTLS's does.
 */

/** What is encrypted: `mac(header, text)` is over the header with the text's length. Padding is as short as it can be. */
export function cbcRecord(f, length, mac) {
  const text = f.message.subarray(0, length);
  const tag = mac(headerOf(f, length), text);
  const padding = 15 - ((length + tag.length) % 16);
  const record = new Uint8Array(length + tag.length + padding + 1).fill(padding);
  record.set(text);
  record.set(tag, length);
  return record;
}

/** The text, or an exception. */
export function withoutCbcPadding(f, record, mac) {
  const padding = record[record.length - 1];
  const length = record.length - padding - 1 - 32;
  const text = record.subarray(0, length);
  const tag = mac(headerOf(f, length), text);
  if (Buffer.compare(tag, record.subarray(length, length + 32)) !== 0) throw new Error("wrong MAC");
  return text;
}

/** Sequence number, type, version, length. */
function headerOf(f, length) {
  const header = f.gcmAad.slice();
  header[11] = length >> 8;
  header[12] = length;
  return header;
}
