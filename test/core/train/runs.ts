/** Training on the preset `tiny` and made-up images, and what changes by it. */
import type { Execution } from '../../../src/core/backend/machine.js';
import type { VariableValues } from '../../../src/core/backend/variables.js';
import type { Config } from '../../../src/core/config/config.js';
import { initialValues } from '../../../src/core/train/initial.js';
import { createTrainer } from '../../../src/core/train/trainer.js';
import { engine, pixels } from '../model/tiny.js';

export const images = (n: number, seed = 1) => pixels(n * 1024, seed);
export const resume = (c: Config, values: VariableValues, execution: Execution = 'eager') =>
  createTrainer(engine, { config: c, values, execution, sheetImages: 4 });
export const start = (c: Config, execution?: Execution) =>
  resume(c, initialValues(engine, c, images(16, 9)), execution);
export const copy = (values: VariableValues) =>
  new Map([...values].map(([name, { data }]) => [name, Array.from(data)]));

/** Names of the variables that differ. */
export function changed(before: Map<string, number[]>, after: Map<string, number[]>, among: RegExp): string[] {
  return [...before.keys()].filter((name) => among.test(name) && String(before.get(name)) !== String(after.get(name)));
}

/** Variables and reports after some steps on fixed images. */
export function train(c: Config, steps = 2, execution?: Execution) {
  const trainer = start(c, execution);
  const { batchSize, discriminatorSteps } = c.train;
  const before = copy(trainer.values());
  const reports = Array.from({ length: steps }, (_, i) =>
    trainer.step(i, images(batchSize * discriminatorSteps, 1 + i)),
  );
  const after = copy(trainer.values());
  trainer.dispose();
  return { before, after, reports };
}

/** Parameters; but for the scores' biases, whose gradients by the two kinds of pair cancel while no hinge is closed. */
export const trainable = /^(generator|discriminator|encoder)\/(?!score_\w+\/bias).*\/(kernel|bias|scale|offset)$/;
