/** What a run can be evaluated for, by what it has: an encoder, labels, a network for Fréchet distances. */

import type { Config } from '../../config/config.js';
import type { Dataset } from '../../data/dataset/dataset.js';
import { expected, usage } from '../../errors.js';
import { hasEncoder } from '../../model/config.js';
import { checkImages } from '../../run/checks.js';
import { EVALUATIONS, type EvaluationName } from './evaluation-names.js';
import { SELECTIONS, type Selection } from './selection.js';

export interface EvaluationPlan {
  names: EvaluationName[];
  /** Which others there are, and why they are left out. */
  leftOut?: string;
}

/** The fewest images that can be halved and compared. */
export const LEAST_IMAGES = 4;

type Evaluated = Pick<Dataset, 'path' | 'height' | 'width' | 'channels' | 'count' | 'classes'>;

/** @throws UserError if the images do not fit the model, or if nothing or not the selected metric could be evaluated */
export function planEvaluation(
  dataset: Evaluated,
  config: Config,
  { extractor, select }: { extractor: boolean; select?: Selection },
): EvaluationPlan {
  const { model } = config;
  checkImages('--eval-data', dataset, config);
  if (dataset.count < LEAST_IMAGES)
    throw expected(`${LEAST_IMAGES} images or more`, `--eval-data ${dataset.path}`, `${dataset.count}`);
  const classes = dataset.classes?.length ?? 0;
  const why: Partial<Record<EvaluationName, string>> = {};
  if (classes < 2) {
    const found = classes === 0 ? 'has no labels' : 'has a single class';
    why.knn = why.linear_probe = `${dataset.path} ${found}: give a labelled dataset as --eval-data`;
  }
  if (model.classes > 1 && classes !== model.classes) {
    why.reconstruct = `G is conditioned on ${model.classes} classes, which ${dataset.path} does not have: give --eval-data that has them`;
  }
  if (!hasEncoder(model)) why.knn = why.linear_probe = why.reconstruct = why.encoder = 'the model has no encoder';
  if (!extractor) why.fid = 'it needs a network: give --eval-extractor';

  const names = EVALUATIONS.filter((name) => why[name] === undefined);
  if (names.length === 0)
    throw usage(
      'nothing of the model can be evaluated without --eval-extractor',
      'it has no encoder; choose a network for Fréchet distances',
    );
  if (select !== undefined) {
    const reason = why[SELECTIONS[select].of];
    if (reason !== undefined)
      throw usage(`--select ${select} is not possible: ${reason}`, `or select by another metric`);
  }
  return { names, leftOut: describe(why) };
}

/** Those that share a reason, together; a distance that nobody asked for is not worth a word. */
function describe({ fid: _, ...why }: Partial<Record<EvaluationName, string>>): string | undefined {
  const reasons = [...new Set(Object.values(why))];
  if (reasons.length === 0) return undefined;
  const namesOf = (reason: string) => EVALUATIONS.filter((name) => name !== 'fid' && why[name] === reason).join(', ');
  return reasons.map((reason) => `not evaluated: ${namesOf(reason)} (${reason})`).join('; ');
}
