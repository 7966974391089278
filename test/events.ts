/** Reads event files as TensorBoard does, by a checksum and a loop over records of its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fieldsOf, text } from '../src/core/formats/tensorflow/protobuf-reader.js';

export interface ReadEvent {
  step: number;
  /** Whether a program says here that it goes on from this step. */
  start: boolean;
  values: { tag: string; number?: number; png?: Buffer }[];
}

/** The events of a file; half a record at its end is passed over, as TensorBoard does. */
export function eventsOf(file: Buffer): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (let at = 0; at + 12 <= file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    check(file.subarray(at, at + 8), file.readUInt32LE(at + 8));
    if (at + 16 + length > file.length) break;
    const data = file.subarray(at + 12, at + 12 + length);
    check(data, file.readUInt32LE(at + 12 + length));
    events.push(eventOf(data));
    at += 16 + length;
  }
  return events;
}

/** What TensorBoard shows of a folder: the numbers, or sizes of pictures, by tag and step. */
export function shown(folder: string): Map<string, Map<number, number>> {
  const tags = new Map<string, Map<number, number>>();
  for (const name of readdirSync(folder)
    .filter((name) => name.includes('tfevents'))
    .sort()) {
    for (const { step, start, values } of eventsOf(readFileSync(join(folder, name)))) {
      if (start)
        for (const steps of tags.values()) for (const old of [...steps.keys()]) if (old >= step) steps.delete(old);
      for (const { tag, number, png } of values) {
        const steps = tags.get(tag) ?? new Map<number, number>();
        tags.set(tag, steps.set(step, number ?? png!.length));
      }
    }
  }
  return tags;
}

function eventOf(bytes: Uint8Array): ReadEvent {
  const event: ReadEvent = { step: 0, start: false, values: [] };
  for (const { number, value, bytes: inner } of fieldsOf(bytes, 'an event')) {
    if (number === 2) event.step = Number(value);
    if (number === 7)
      event.start = [...fieldsOf(inner, 'a session')].some((field) => field.number === 1 && field.value === 1n);
    if (number === 5) event.values = [...fieldsOf(inner, 'a summary')].map((field) => valueIn(field.bytes));
  }
  return event;
}

function valueIn(bytes: Uint8Array): ReadEvent['values'][number] {
  const value: ReadEvent['values'][number] = { tag: '' };
  for (const { number, bytes: inner } of fieldsOf(bytes, 'a value')) {
    if (number === 1) value.tag = text(inner);
    if (number === 2) value.number = Buffer.from(inner).readFloatLE();
    if (number === 4)
      value.png = Buffer.from([...fieldsOf(inner, 'an image')].find((field) => field.number === 4)!.bytes);
  }
  return value;
}

/** Bit by bit, by the other form of the polynomial, and unmasked. */
function check(bytes: Uint8Array, stored: number): void {
  const reflect = (value: number, bits: number) => {
    let out = 0;
    for (let i = 0; i < bits; i++) out = (out << 1) | ((value >>> i) & 1);
    return out >>> 0;
  };
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= reflect(byte, 8) << 24;
    for (let bit = 0; bit < 8; bit++) rest = rest & 0x80000000 ? (rest << 1) ^ 0x1edc6f41 : rest << 1;
  }
  const checksum = (reflect(rest >>> 0, 32) ^ 0xffffffff) >>> 0;
  const rotated = (stored - 0xa282ead8) >>> 0;
  const unmasked = ((rotated << 15) | (rotated >>> 17)) >>> 0;
  if (unmasked !== checksum) throw new Error(`a checksum of ${checksum} is stored as ${unmasked}`);
}
