/** Which curves a plot shows, and which of them share a panel. */
import { usage } from '../errors.js';
import type { RunCurves } from './run-curves.js';

/** Results that say how good a model is; the other numbers of an evaluation are shown when they are asked for. */
const RESULTS = /(^|\.)(top1|l1_ratio|fid|frechet_distance|kid|inception_score|precision|recall)(\.\d+)?$/;

/** Every key of any of the runs, those of the log first. */
export function keysOf(runs: readonly RunCurves[]): string[] {
  const all = new Set(runs.flatMap(({ curves }) => [...curves.keys()]));
  const evaluated = new Set(runs.flatMap((run) => [...run.evaluated]));
  return [...[...all].filter((key) => !evaluated.has(key)), ...[...all].filter((key) => evaluated.has(key))];
}

/**
 * The losses, each score for either kind of pair, and the results of evaluations, as far as there are any; kNN for each
 * k in one panel, and of a Fréchet distance that has the name FID only that.
 */
export function usualPanels(runs: readonly RunCurves[]): string[][] {
  const keys = keysOf(runs);
  const losses = keys.filter((key) => /^loss_/.test(key));
  const scores = ['xz', 'x', 'z'].map((term) =>
    keys.filter((key) => new RegExp(`^score_${term}_(encoder|generator)$`).test(key)),
  );
  const hasFid = keys.some((key) => /(^|\.)fid$/.test(key));
  const results = new Map<string, string[]>();
  for (const key of keys.filter((key) => RESULTS.test(key) && !(hasFid && /frechet_distance$/.test(key)))) {
    const name = key.replace(/\.\d+$/, '');
    results.set(name, [...(results.get(name) ?? []), key]);
  }
  return [losses, ...scores, ...results.values()].filter((panel) => panel.length > 0);
}

/**
 * Reads `loss_d+loss_eg,knn.top1.*`: commas part panels, + joins keys in one, and * stands for any characters, with a
 * panel for each key that fits or, in a joined one, all of them.
 */
export function panelsOf(text: string, runs: readonly RunCurves[]): string[][] {
  const keys = keysOf(runs);
  return text.split(',').flatMap((panel) => {
    const patterns = panel.split('+');
    const found = patterns.map((pattern) => matches(pattern, keys));
    return patterns.length > 1 ? [[...new Set(found.flat())]] : found[0].map((key) => [key]);
  });
}

function matches(pattern: string, keys: readonly string[]): string[] {
  const form = new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[^\w]/g, '\\$&'))
      .join('.*')}$`,
  );
  const found = keys.filter((key) => form.test(key));
  if (found.length === 0)
    throw usage(
      `no run has the key "${pattern}"`,
      `--list-keys prints those there are: ${keys.slice(0, 4).join(', ')}, …`,
    );
  return found;
}
