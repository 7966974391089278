/** The AvePool features of a trained encoder. */
import { stat } from 'node:fs/promises';
import type { Engine } from '../../../backend/engine.js';
import type { Extractor } from '../../../metrics/extractor.js';
import { loadModel } from '../../../trained/load-model.js';
import { encoderNetwork } from './encoder-network.js';

/** In float32. `path` is a run folder, whose newest checkpoint counts, or a checkpoint file. */
export async function encoderExtractor(engine: Engine, path: string, batchSize: number): Promise<Extractor> {
  const isFile = (await stat(path).catch(() => undefined))?.isFile() ?? false;
  const model = await loadModel(engine, isFile ? { checkpoint: path } : { run: path }, { batchSize });
  return {
    ...encoderNetwork('avepool', model.provenance)!,
    width: model.widths.avepool,
    image: model.input,
    extract: (images, [count]) => ({ features: model.encode(images, count).avepool }),
    close: () => model.dispose(),
  };
}
