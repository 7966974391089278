/** A checkpoint of the tiny model for tests: a few steps of training on dots, so that no weight is at its start. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../src/core/backend/engine.js';
import { preset } from '../src/core/config/presets.js';
import { saveCheckpoint } from '../src/core/run/checkpoint.js';
import { initialValues } from '../src/core/train/initial.js';
import { createTrainer } from '../src/core/train/trainer.js';

/** uint8 [count, 32, 32, 1], another picture for every number. */
export function dots(first: number, count: number): Uint8Array {
  return new Uint8Array(count * 1024).map((_, i) =>
    (i * 7919 + first * 104_729) % 1009 < 150 ? 255 : (i * 37 + first) % 200,
  );
}

export async function tinyCheckpoint(engine: Engine): Promise<{ path: string; config: ReturnType<typeof preset> }> {
  const config = preset('tiny');
  config.train.precision = 'float32';
  const values = initialValues(engine, config, dots(1000, 256));
  const trainer = createTrainer(engine, { config, values, execution: 'eager', sheetImages: 4 });
  for (let step = 0; step < 3; step++) trainer.step(step, dots(step * 8, 8));
  await trainer.takeStatistics(() => [{ images: dots(0, 8) }, { images: dots(50, 8) }]);
  const path = join(mkdtempSync(join(tmpdir(), 'bigbigan-test-')), 'tiny.safetensors');
  await saveCheckpoint(path, trainer.values(), { step: 3, config });
  trainer.dispose();
  return { path, config };
}
