/** One step of a run in training. */
import { drawOf, noiseKey } from './retry.js';
import { NotFinite, nonFiniteVariable } from './step/non-finite.js';
import type { Training } from './training.js';

/** @throws NotFinite when a loss or a gradient is not finite */
export async function takeStep(training: Training): Promise<void> {
  const { trainer, batches, writer, monitor, timer, settings, retries, durations, imagesPerStep } = training;
  const { step } = training;
  const waited = performance.now();
  const draw = drawOf(retries, step);
  const { images, labels } = await batches.batch(step, draw);
  const begun = performance.now();
  const values = trainer.step(step, images, labels, noiseKey(step, draw));
  const seconds = (performance.now() - begun) / 1000;
  durations.push(seconds);
  training.step++;
  const broken = Object.entries(values).find(([, value]) => !Number.isFinite(value));
  if (broken) {
    // The checkpoint that the error names must be on disk.
    await writer.settle();
    const [name, value] = broken;
    throw new NotFinite(step + 1, `${name} is ${value}`, nonFiniteVariable(trainer.values()), training.checkpoint);
  }
  for (const message of monitor.add(values)) settings.on({ kind: 'warning', step: step + 1, message });
  timer.add(seconds, (begun - waited) / 1000);
  const { steps } = settings.config.train;
  settings.on({ kind: 'step', step: step + 1, steps, values, imagesPerSecond: imagesPerStep / seconds });
}
