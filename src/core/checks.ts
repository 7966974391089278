/** Checks of single values, by the names of the options. A program can hand over what a shell cannot. */
import { usage } from './errors.js';

export interface Range {
  least?: number;
  most?: number;
}

/** A whole number from `least` (0) to `most`, or nothing. @throws UserError */
export function checkWhole(name: string, value: number | undefined, { least = 0, most = Infinity }: Range = {}): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)) return;
  const range = most === Infinity ? `${least} or more` : `${least} to ${most}`;
  throw usage(`expected a whole number of ${range} for ${name}, got ${told(value)}`);
}

/** A list of such numbers, at least one, or nothing. @throws UserError */
export function checkWholes(name: string, values: readonly number[] | undefined, range: Range = {}): void {
  checkList(name, values);
  for (const value of values ?? []) checkWhole(name, value, range);
}

/** A number that `fits`, which `range` says in words, or nothing. @throws UserError */
export function checkNumber(
  name: string,
  value: number | undefined,
  range: string,
  fits: (value: number) => boolean,
): void {
  if (value === undefined || (Number.isFinite(value) && fits(value))) return;
  throw usage(`expected a number ${range} for ${name}, got ${told(value)}`);
}

/** One of the choices, or nothing. @throws UserError */
export function checkChoice<T>(name: string, value: T | undefined, choices: readonly T[]): void {
  if (value === undefined || choices.includes(value)) return;
  throw usage(`expected ${choices.join(' or ')} for ${name}, got ${told(value)}`);
}

/** Part `[i, n]` of a set, i from 1, or nothing. @throws UserError */
export function checkShard(shard: readonly [number, number] | undefined): void {
  if (shard === undefined) return;
  const [index, count] = shard;
  checkWhole('--shard', count, { least: 1 });
  checkWhole('--shard', index, { least: 1, most: count });
}

/** A list with something in it, or nothing. @throws UserError */
export function checkList(name: string, values: readonly unknown[] | undefined): void {
  if (values === undefined || (Array.isArray(values) && values.length > 0)) return;
  throw usage(`expected a list for ${name}, got ${told(values)}`);
}

/** A value as words; text that reads like a number has quotation marks. */
function told(value: unknown): string {
  if (value === '') return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty one' : `[${value}]`;
  return typeof value === 'string' && Number.isFinite(Number(value)) ? `"${value}"` : String(value);
}
