/** Checksums of 32 bits. */

/** By a reversed polynomial: what each value of a byte adds. */
function tableOf(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
    return rest;
  });
}

const ZIP = tableOf(0xedb88320);
const CASTAGNOLI = tableOf(0x82f63b78);

/** The CRC-32 of zip, gzip and PNG, as an unsigned number; `before` is that of the bytes before these. */
export function crc32(bytes: Uint8Array, before = 0): number {
  return checksum(ZIP, bytes, before);
}

/** The CRC-32C (Castagnoli) of TensorFlow's records and tables, as an unsigned number. */
export function crc32c(bytes: Uint8Array): number {
  return checksum(CASTAGNOLI, bytes, 0);
}

function checksum(table: Uint32Array, bytes: Uint8Array, before: number): number {
  let rest = ~before;
  for (let i = 0; i < bytes.length; i++) rest = table[(rest ^ bytes[i]) & 0xff] ^ (rest >>> 8);
  return ~rest >>> 0;
}
