/** The AvePool features of a trained encoder. */
import { stat } from 'node:fs/promises';
import type { Engine } from '../backend/engine.js';
import type { Extractor } from '../metrics/extractor.js';
import { openModel } from '../train/open-model.js';

/** `path` is a run folder, whose newest checkpoint counts, or a checkpoint file. */
export async function encoderExtractor(engine: Engine, path: string, batchSize: number): Promise<Extractor> {
  const isFile = (await stat(path).catch(() => undefined))?.isFile() ?? false;
  const model = await openModel(engine, isFile ? { checkpoint: path } : { run: path }, { batchSize });
  return {
    name: 'encoder',
    label: `encoder avepool (${model.provenance.weights} weights)`,
    digest: model.digest,
    width: model.widths.avepool,
    image: model.input,
    extract: (images, [count]) => ({ features: model.encode(images, count).avepool }),
    close: () => model.dispose(),
  };
}
