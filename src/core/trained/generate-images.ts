/** Images by seed. */
import type { EagerExecutor } from '../backend/eager.js';
import type { InferenceModel } from '../model/inference.js';
import { labelsOf, latentsOf } from '../model/latents.js';
import type { LoadedModel } from './model.js';

/** Batches over which statistics are taken when truncated latents make the checkpoint's unfit. */
const TRUNCATED_STATISTICS = 16;

export interface GenerateRequest {
  seeds: readonly number[];
  batchSize: number;
  /** Label of all images; default: one for each seed, drawn uniformly. */
  label?: number;
  truncation?: number;
  /** Batches for new standing statistics; a model whose statistics are fixed keeps them. */
  standingStatistics?: number;
}

/** Batches of uint8 images [n,h,w,c] in the order of the seeds. */
export async function* generateImages(
  engine: EagerExecutor,
  model: InferenceModel & Pick<LoadedModel, 'takeGeneratorStatistics'>,
  request: GenerateRequest,
): AsyncGenerator<Uint8Array> {
  const { seeds, batchSize, truncation } = request;
  const statistics = request.standingStatistics ?? (truncation === undefined ? 0 : TRUNCATED_STATISTICS);
  if (statistics > 0) await model.takeGeneratorStatistics?.(statistics, truncation);
  for (let first = 0; first < seeds.length; first += batchSize) {
    const part = seeds.slice(first, first + batchSize);
    const labels =
      request.label === undefined ? labelsOf(part, model) : new Int32Array(part.length).fill(request.label);
    yield model.generate(latentsOf(engine, part, model, truncation), part.length, labels);
  }
}
