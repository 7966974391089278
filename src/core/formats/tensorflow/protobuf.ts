/** The wire format of protocol buffers, for writing: https://protobuf.dev/programming-guides/encoding/ */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** Fields of a message, each already encoded; `message` joins them. */
export type Field = Uint8Array;

export function message(fields: readonly Field[]): Uint8Array {
  return Buffer.concat(fields);
}

export function varintField(number: number, value: number | bigint): Field {
  return Buffer.concat([varint((number << 3) | VARINT), varint(value)]);
}

export function bytesField(number: number, bytes: Uint8Array): Field {
  return Buffer.concat([lengthPrefix(number, bytes.length), bytes]);
}

/** What stands before the `length` bytes of a field that is too large to be held in memory twice. */
export function lengthPrefix(number: number, length: number): Uint8Array {
  return Buffer.concat([varint((number << 3) | LENGTH), varint(length)]);
}

export function stringField(number: number, text: string): Field {
  return bytesField(number, Buffer.from(text, 'utf8'));
}

export function floatField(number: number, value: number): Field {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint((number << 3) | FIXED32), bytes]);
}

export function doubleField(number: number, value: number): Field {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint((number << 3) | FIXED64), bytes]);
}

/** An entry of a map from strings to messages. */
export function mapField(number: number, key: string, value: Uint8Array): Field {
  return bytesField(number, message([stringField(1, key), bytesField(2, value)]));
}

/** Negative numbers are written as 64-bit two's complement, as int32 and int64 fields ask for. */
function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}
