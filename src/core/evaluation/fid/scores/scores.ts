/** All scores. A new one is a file beside this one, and a line in this table. */
import { frechet } from './frechet-distance.js';
import { inceptionScore } from './inception-score.js';
import { kid } from './kernel-distance.js';
import { manifolds } from './precision-recall.js';
import type { Score, Told } from './score.js';

const TABLE = [frechet, inceptionScore, kid, manifolds] as const;

type Entry = (typeof TABLE)[number];
type All<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer Joined) => void
  ? Joined
  : never;

export type ScoreName = Entry['name'];
/** Settings of all scores. */
export type ScoreSettings = All<Entry['defaults']>;
/** Keys of all scores in a result; absent is what was not asked for. */
export type ScoreKeys = Partial<All<Entry extends Score<string, never, infer Keys> ? Keys : never>>;

/** A score, whichever it is: its settings are among all settings, its keys among all keys. */
export type AnyScore = Score<ScoreName, ScoreSettings, object>;

export const SCORES = TABLE as unknown as readonly AnyScore[];
export const SCORE_NAMES: readonly ScoreName[] = SCORES.map(({ name }) => name);
export const SCORE_DEFAULTS = Object.assign({}, ...SCORES.map(({ defaults }) => defaults)) as ScoreSettings;

/** Those that are asked for, in the order of the table; the first one, the Fréchet distance, always is. */
export function chosenScores(names: readonly ScoreName[]): AnyScore[] {
  return SCORES.filter(({ name }, i) => i === 0 || names.includes(name));
}

/** Lines of text for all scores that a result has. */
export function scoreLines(result: ScoreKeys & Told): string[] {
  return SCORES.flatMap((score) => score.lines(result));
}
