/** Parsers and groups of options that several commands share: the same name means the same everywhere. */
import { type Command, InvalidArgumentError, Option } from 'commander';

export interface OutputOptions {
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
}

export interface EngineOptions {
  threads?: number;
}

/** `--json`, `--quiet`, `--verbose`. */
export function outputOptions(command: Command): Command {
  return command
    .option('--json', 'print the result as one JSON object')
    .option('-q, --quiet', 'no words and no progress on stderr')
    .option('--verbose', 'on failure, print the stack as well');
}

/** Each takes memory and a place in the scheduler; no machine has more cores. */
const MOST_THREADS = 1024;

/** `--threads`. */
export function engineOptions(command: Command): Command {
  return command.addOption(
    new Option('--threads <n>', "threads of TensorFlow's kernels (default: all cores)")
      .argParser(wholeNumberIn(1, MOST_THREADS))
      .env('BIGBIGAN_THREADS'),
  );
}

/** Adds examples under the options; they go into the man page too. */
export function examples(command: Command, lines: string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}

/** The largest number of an option that counts something: more is a slip. */
const LARGEST = 0x7fffffff;

/** A parser of whole numbers in a range. */
export function wholeNumberIn(least: number, most = LARGEST): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least) {
      throw new InvalidArgumentError(`expected a whole number of ${least} or more.`);
    }
    if (value > most) throw new InvalidArgumentError(`expected a whole number of ${most} at most.`);
    return value;
  };
}

export const positiveInteger = wholeNumberIn(1);
export const wholeNumber = wholeNumberIn(0);
/** Images or rows in a batch, columns of a sheet, and what else fits in memory. */
export const smallNumber = wholeNumberIn(1, 1_000_000);

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError('expected a number above 0.');
  }
  return value;
}

/** A decay of averages. */
export function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1))
    throw new InvalidArgumentError('expected a number from 0 to less than 1.');
  return value;
}

/** An option that may be given several times: its values, in order. */
export const repeated = (value: string, previous: string[] = []) => [...previous, value];

/** A list such as `1,5,25`. */
export function positiveIntegers(text: string): number[] {
  return text.split(',').map((part) => positiveInteger(part));
}

/** A list of numbers of 0 or more, such as `0,1e-4,0.1`. */
export function nonNegativeNumbers(text: string): number[] {
  return text.split(',').map((part) => {
    const value = Number(part);
    if (part.trim() === '' || !Number.isFinite(value) || value < 0) {
      throw new InvalidArgumentError('expected numbers of 0 or more, separated by commas.');
    }
    return value;
  });
}

/** Numbers of a list, which is held in memory. */
const MOST_NUMBERS = 10_000_000;

/** A list of numbers and ranges such as `0,4-9`, in the order given. */
export function ranges(text: string): number[] {
  const numbers: number[] = [];
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (!match) throw new InvalidArgumentError('expected numbers and ranges such as 0,4-9.');
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first) throw new InvalidArgumentError(`the range ${part} runs backwards.`);
    if (last > LARGEST) throw new InvalidArgumentError(`expected numbers of ${LARGEST} at most.`);
    if (last - first >= MOST_NUMBERS) throw new InvalidArgumentError(`the range ${part} is longer than 10 million.`);
    for (let n = first; n <= last; n++) numbers.push(n);
  }
  return numbers;
}

/** A part of the work such as `2/8`: the second of eight. */
export function shard(text: string): [number, number] {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || index < 1 || index > count)
    throw new InvalidArgumentError('expected I/N such as 2/8, with I from 1 to N.');
  return [index, count];
}
