/** The CRC-32C (Castagnoli) of TensorFlow's records and tables; node:zlib has the other one, of zip, gzip and PNG. */

/** By the reversed polynomial: what each value of a byte adds. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1;
  return rest;
});

/** As an unsigned number. */
export function crc32c(bytes: Uint8Array): number {
  let rest = ~0;
  for (let i = 0; i < bytes.length; i++) rest = TABLE[(rest ^ bytes[i]) & 0xff] ^ (rest >>> 8);
  return ~rest >>> 0;
}
