/** What a score of two sets of images is: what it needs, how it is computed, and how it is printed. */
import type { Engine } from '../../../backend/engine.js';
import type { Side } from '../side.js';
import type { Network } from '../statistics-file.js';
import type { ClassScorer } from './class-scorer.js';

/**
 * @typeParam Settings its own settings, numbers by name
 * @typeParam Keys its keys in a result
 */
export interface Score<Name extends string, Settings extends object, Keys extends object> {
  /** As `--metrics` names it. */
  name: Name;
  /** In the help of `--metrics`, behind the name. */
  note?: string;
  /** Its lines in the table of scores in the help. */
  help: string;
  /** Beside the statistics of both sides: their single rows, or the class scores of FAKE. */
  needs: 'statistics' | 'rows' | 'classes';
  /** Its settings with their defaults. */
  defaults: Settings;
  /** Each of its settings as an option. */
  options: readonly ScoreOption<Settings>[];
  /** Options of the command that have an effect with this score only. */
  uses?: readonly string[];
  /** What decides the number, under the score's name in `protocol` of a result. */
  protocol(settings: Settings): object;
  /** @throws UserError where a set of `n` rows is too small */
  check?(n: number, settings: Settings, path: string): void;
  /** Of scores that compare two sides. @param onProgress gets the words of the task, and how far it is */
  compare?(comparison: Comparison, settings: Settings, onProgress: OnProgress): Promise<Keys> | Keys;
  /** Of scores of FAKE's class scores. */
  scorer?(total: number, settings: Settings): ClassScorer & { result(): Keys };
  /** Lines of text; none where the result does not have the score. */
  lines(result: Partial<Keys> & Told): string[];
}

export interface ScoreOption<Settings> {
  setting: keyof Settings & string;
  flags: string;
  text: string;
}

export interface Comparison {
  engine: Engine;
  real: Side;
  fake: Side;
  /** The network that both share, as far as it is known. */
  network?: Network;
}

export type OnProgress = (task: string, done: number, total: number) => void;

/** What a result says about its sides, beside the scores; null is unknown. */
export interface Told {
  real?: { n: number | null };
  fake?: { n: number | null };
  extractor: { label: string | null; digest: string | null; precision: string | null };
}

/** A score, with its names as types. */
export const score = <Name extends string, Settings extends object, Keys extends object>(
  definition: Score<Name, Settings, Keys>,
) => definition;
