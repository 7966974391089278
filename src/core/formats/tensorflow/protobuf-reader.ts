/** The wire format of protocol buffers, for reading: https://protobuf.dev/programming-guides/encoding/ */
import { expected, type UserError } from '../../errors.js';
import { type InputFile, readExactly } from '../input.js';

/** A field of a message: a number, or a range of bytes (a string, a message, packed numbers). */
export interface ReadField {
  number: number;
  /** Of a varint; large unsigned and negative numbers as in two's complement. */
  value?: bigint;
  /** Of a field with a length, within the message. */
  start: number;
  end: number;
}

const LONGEST_HEADER = 20;

/** Fields of a message in memory. `what` names it in errors. */
export function* fieldsOf(bytes: Uint8Array, what: string): Generator<ReadField & { bytes: Uint8Array }> {
  let position = 0;
  while (position < bytes.length) {
    const field = fieldAt(bytes.subarray(position, position + LONGEST_HEADER), position, bytes.length, what);
    yield { ...field, bytes: bytes.subarray(field.start, field.end) };
    position = field.end;
  }
}

/** The bytes of a string field. */
export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Fields of a message that is part of a file, whose contents are not read. */
export async function fileFields(
  { handle }: InputFile,
  path: string,
  start: number,
  end: number,
): Promise<ReadField[]> {
  const fields: ReadField[] = [];
  let position = start;
  while (position < end) {
    const header = new Uint8Array(Math.min(LONGEST_HEADER, end - position));
    await readExactly(handle, header, position, path);
    const field = fieldAt(header, position, end, path);
    fields.push(field);
    position = field.end;
  }
  return fields;
}

function fieldAt(header: Uint8Array, position: number, end: number, what: string): ReadField {
  const key = varintAt(header, 0, what);
  const number = Number(key.value >> 3n);
  const wire = Number(key.value & 7n);
  const start = position + key.length;
  if (wire === 0) {
    const { value, length } = varintAt(header, key.length, what);
    return { number, value, start, end: start + length };
  }
  const { value: size, length } =
    wire === 2 ? varintAt(header, key.length, what) : { value: fixedSize(wire, what), length: 0 };
  if (size > BigInt(end - start - length))
    throw broken(what, `a field of ${size} bytes where ${end - start - length} are left`);
  return { number, start: start + length, end: start + length + Number(size) };
}

function varintAt(bytes: Uint8Array, position: number, what: string): { value: bigint; length: number } {
  let value = 0n;
  for (let length = 0; length < 10 && position + length < bytes.length; length++) {
    const byte = bytes[position + length];
    value |= BigInt(byte & 0x7f) << BigInt(7 * length);
    if (byte < 0x80) return { value: BigInt.asIntN(64, value), length: length + 1 };
  }
  throw broken(what, 'a number without an end');
}

function fixedSize(wire: number, what: string): bigint {
  if (wire === 1) return 8n;
  if (wire === 5) return 4n;
  throw broken(what, `a field of type ${wire}`);
}

function broken(what: string, found: string): UserError {
  return expected('protocol buffers', what, found, 'the file is damaged or of another kind');
}
