/** The words of `bigbigan train`: what a run takes, and how it goes. */

import { TERMS } from '../../core/model/config.js';
import type { TrainingDescription } from '../../core/train/describe-training.js';
import type { EvaluationLine } from '../../core/train/evaluation/evaluation-line.js';
import type { Selection } from '../../core/train/evaluation/selection.js';
import type { TrainEvent } from '../../core/train/train.js';
import { percent } from '../percent.js';
import type { Report } from '../report.js';

const rounded = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 3 });
const gigabytes = (bytes: number) => `${rounded(bytes / 1e9)} GB`;

/** The settings, and what a run with them takes. */
export function trainingText(description: TrainingDescription): string {
  const { parameters, state_bytes, gradient_bytes, activation_bytes, flops_per_step, ...config } = description;
  const lines = [
    ...Object.entries(parameters).map(([module, n]) => [module, `${n.toLocaleString('en')} parameters`]),
    ['state', `${gigabytes(state_bytes)}: weights, moving averages, statistics, optimizer`],
    ...(gradient_bytes > 0 ? [['gradients', `${gigabytes(gradient_bytes)}: sums over the microbatches`]] : []),
    ['activations', `${gigabytes(activation_bytes)} at a step's peak, estimated from shapes`],
    ['step', `${rounded(flops_per_step / 1e12)} TFLOP in convolutions and matrix products`],
  ].map(([name, text]) => `${name.padEnd(14)} ${text}`);
  return [JSON.stringify(config, null, 2), ...lines].join('\n');
}

/** What training reports, as lines and a bar. @param select the metric of the best evaluation */
export function trainReport(report: Report, select: Selection | undefined, onStep: () => void) {
  return (event: TrainEvent): void => {
    if (event.kind === 'damaged') report.warn(`${event.problem}; it is now ${event.path}`);
    else if (event.kind === 'resumed') report.note(`continuing from step ${event.step} (${event.checkpoint})`);
    else if (event.kind === 'evaluated') report.note(describeEvaluation(event.line, event.best ? select : undefined));
    else if (event.kind === 'step') {
      onStep();
      const words = describeStep(event.values, event.imagesPerSecond);
      report.on({ kind: 'progress', task: 'train', done: event.step, total: event.steps, words });
    } else if (event.kind !== 'wrote') report.on(event);
  };
}

/** One line of words; `best` is the metric by which there was none better. */
function describeEvaluation({ step, knn, linear_probe, reconstruct, fid }: EvaluationLine, best?: Selection): string {
  const parts = [
    knn && `1-NN ${percent(knn.top1['1'], 1)}`,
    linear_probe && `linear probe ${percent(linear_probe.top1, 1)}`,
    reconstruct && `L1 ratio ${reconstruct.l1_ratio.toFixed(3)}`,
    fid && `Fréchet distance ${fid.frechet_distance.toPrecision(4)}`,
    best && `the best ${best} so far`,
  ];
  return `step ${step} evaluated: ${parts.filter((part) => part !== undefined).join(', ')}`;
}

/** The losses, each score's mean for (x, E(x)) and (G(z), z), and the speed. */
function describeStep(values: Record<string, number>, imagesPerSecond: number): string {
  const scores = TERMS.filter((term) => `score_${term}_encoder` in values).map(
    (term) => `s_${term} ${values[`score_${term}_encoder`].toFixed(2)}/${values[`score_${term}_generator`].toFixed(2)}`,
  );
  const losses = Object.entries(values)
    .filter(([name]) => name.startsWith('loss_'))
    .map(([name, value]) => `L_${name.slice(5).toUpperCase()} ${value.toFixed(2)}`);
  return [...losses, ...scores, `${imagesPerSecond.toFixed(0)} images/s`].join(' ');
}
