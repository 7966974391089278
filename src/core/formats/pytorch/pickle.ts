/**
 * Python's pickles, as far as state dicts of tensors need them. A pickle is a program: it may name any function and
 * call it. Here only what the caller lists can be named, nothing is looked up, and an instruction not listed below is
 * an error. https://github.com/python/cpython/blob/main/Lib/pickletools.py describes the instructions.
 */
import { expected, type UserError } from '../../errors.js';

/** Something that a pickle names, such as `collections.OrderedDict`. */
export interface Global {
  name: string;
  /** What calling it gives; missing for what is only named. */
  call?(args: readonly unknown[]): unknown;
}

export interface PickleRules {
  /** The file, for errors. */
  path: string;
  /** By full name, with the module. */
  globals: ReadonlyMap<string, Global>;
  /** What stands for a reference to something outside of the pickle. */
  reference?(id: unknown): unknown;
}

/** Dictionaries become Maps, lists and tuples arrays, whole numbers of more than 32 bits bigints. */
export function readPickle(bytes: Uint8Array, start: number, rules: PickleRules): { value: unknown; end: number } {
  const { path, globals, reference } = rules;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const memo = new Map<number, unknown>();
  const marks: number[] = [];
  const stack: unknown[] = [];
  let at = start;

  const skip = (length: number) => {
    if (at + length > bytes.length) throw refused(path, 'an end in the middle of it', 'the file is cut short');
    at += length;
    return at - length;
  };
  const uint8 = () => bytes[skip(1)];
  const uint32 = () => view.getUint32(skip(4), true);
  const text = (length: number) => Buffer.from(bytes.subarray(skip(length), at)).toString('utf8');
  const line = () => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) throw refused(path, 'an end in the middle of it', 'the file is cut short');
    const found = text(end - at);
    skip(1);
    return found;
  };
  const pop = () => {
    if (stack.length <= (marks.at(-1) ?? 0)) throw refused(path, 'a stack that runs empty');
    return stack.pop();
  };
  const top = () => stack.at(-1);
  const sinceMark = () => {
    const mark = marks.pop();
    if (mark === undefined) throw refused(path, 'a list without a start');
    return stack.splice(mark);
  };
  const last = (count: number) => Array.from({ length: count }, pop).reverse();
  const setItems = (items: readonly unknown[]) => {
    const target = top();
    if (!(target instanceof Map) || items.length % 2 !== 0) throw refused(path, 'items of what is no dictionary');
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  };
  const append = (items: readonly unknown[]) => {
    const target = top();
    if (!Array.isArray(target)) throw refused(path, 'items of what is no list');
    for (const item of items) target.push(item);
  };
  const recall = (index: number) => {
    if (!memo.has(index)) throw refused(path, `a value ${index} that was not kept`);
    return memo.get(index);
  };
  const named = () => {
    const name = `${line()}.${line()}`;
    return globals.get(name) ?? fail(unknownGlobal(path, name));
  };
  const reduce = () => {
    const [callee, args] = last(2) as [Global | undefined, unknown];
    if (typeof callee?.call !== 'function' || !Array.isArray(args))
      throw refused(path, 'a call of what is no function');
    return callee.call(args);
  };
  /** Attributes, which dictionaries of tensors have no use for. */
  const build = () => {
    pop();
    if (!(top() instanceof Map)) throw refused(path, 'attributes of what is no dictionary');
  };

  const instructions: Record<number, () => void> = {
    0x80: () => void skip(1), // PROTO
    0x63: () => stack.push(named()), // GLOBAL
    0x71: () => memo.set(uint8(), top()), // BINPUT
    0x72: () => memo.set(uint32(), top()), // LONG_BINPUT
    0x68: () => stack.push(recall(uint8())), // BINGET
    0x6a: () => stack.push(recall(uint32())), // LONG_BINGET
    0x29: () => stack.push([]), // EMPTY_TUPLE
    0x5d: () => stack.push([]), // EMPTY_LIST
    0x7d: () => stack.push(new Map()), // EMPTY_DICT
    0x28: () => marks.push(stack.length), // MARK
    0x74: () => stack.push(sinceMark()), // TUPLE
    0x85: () => stack.push(last(1)), // TUPLE1
    0x86: () => stack.push(last(2)), // TUPLE2
    0x87: () => stack.push(last(3)), // TUPLE3
    0x55: () => stack.push(text(uint8())), // SHORT_BINSTRING, of Python 2
    0x58: () => stack.push(text(uint32())), // BINUNICODE
    0x4a: () => stack.push(view.getInt32(skip(4), true)), // BININT
    0x4b: () => stack.push(uint8()), // BININT1
    0x4d: () => stack.push(view.getUint16(skip(2), true)), // BININT2
    0x8a: () => stack.push(long(bytes.subarray(skip(uint8()), at))), // LONG1
    0x88: () => stack.push(true), // NEWTRUE
    0x89: () => stack.push(false), // NEWFALSE
    0x4e: () => stack.push(null), // NONE
    0x51: () => stack.push((reference ?? (() => fail(refused(path, 'a reference'))))(pop())), // BINPERSID
    0x52: () => stack.push(reduce()), // REDUCE
    0x62: build, // BUILD
    0x73: () => setItems(last(2)), // SETITEM
    0x75: () => setItems(sinceMark()), // SETITEMS
    0x61: () => append(last(1)), // APPEND
    0x65: () => append(sinceMark()), // APPENDS
  };

  for (;;) {
    const code = uint8();
    if (code === 0x2e) return { value: pop(), end: at }; // STOP
    const instruction = instructions[code];
    if (!instruction) throw refused(path, `the instruction 0x${code.toString(16).padStart(2, '0')}`);
    instruction();
  }
}

/** Little-endian two's complement of any length. */
function long(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  value = BigInt.asIntN(8 * bytes.length, value);
  return bytes.length <= 4 ? Number(value) : value;
}

function unknownGlobal(path: string, name: string): UserError {
  return refused(path, `the name ${JSON.stringify(name).slice(1, -1)}`);
}

export function refused(
  path: string,
  found: string,
  hint = 'pickles can run code, so only this is read: torch.save(model.state_dict(), FILE)',
): UserError {
  return expected('a pickled state dict of tensors', path, found, hint);
}

function fail(error: Error): never {
  throw error;
}
