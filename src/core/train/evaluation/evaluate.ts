/**
 * One evaluation of a model in training, on its averaged weights and standing statistics, as a checkpoint would be
 * used.
 */
import { setImmediate } from 'node:timers/promises';
import type { Engine } from '../../backend/engine.js';
import type { Dataset } from '../../data/dataset/dataset.js';
import type { Extractor } from '../../metrics/extractor.js';
import { latentStatistics } from '../../metrics/latent-statistics.js';
import { reconstructionError } from '../../metrics/reconstruction.js';
import type { ModelConfig } from '../../model/config.js';
import type { InferenceModel } from '../../model/inference.js';
import { reconstructImages } from '../../trained/reconstruct-images.js';
import { evaluateNeighbours, evaluateProbe, type Halves, PROBE } from './evaluate-features.js';
import { createDistance, type Stopped } from './evaluate-samples.js';
import { EVALUATION_SEED, type EvaluatedImages, evaluatedImages } from './evaluated-images.js';
import type { Evaluation, Protocol } from './evaluation-line.js';
import type { EvaluationName } from './evaluation-names.js';

export interface EvaluatorSettings {
  model: ModelConfig;
  dataset: Dataset;
  /** Taken of the dataset at most. */
  images: number;
  names: readonly EvaluationName[];
  extractor?: Extractor;
  /** Images at once; no more than the model and the extractor take. */
  batchSize: number;
}

export interface Evaluator {
  protocol: Protocol;
  /** Undefined if it was stopped. */
  evaluate(model: InferenceModel, stopped: Stopped): Promise<Evaluation | undefined>;
}

/** Reconstructions are held in memory with their originals. */
const RECONSTRUCTED = 1000;

export function createEvaluator(engine: Engine, settings: EvaluatorSettings): Evaluator {
  const { names, extractor, batchSize } = settings;
  const images = evaluatedImages(settings.dataset, settings.model, settings.images);
  const fitted = Math.floor(images.count / 2);
  const has = (name: EvaluationName) => names.includes(name);
  const distance = has('fid') && extractor ? createDistance(engine, { images, extractor, batchSize }) : undefined;

  return {
    protocol: protocolOf(settings, images.count, fitted),
    async evaluate(model, stopped) {
      const result: Evaluation = {};
      if (has('encoder')) {
        const encoded = await encodeAll(model, images, batchSize, stopped);
        if (!encoded) return undefined;
        const halves: Halves = { ...encoded, fitted };
        if (has('knn')) result.knn = await evaluateNeighbours(engine, halves);
        if (has('linear_probe')) result.linear_probe = await evaluateProbe(engine, halves, EVALUATION_SEED);
        if (has('reconstruct')) result.reconstruct = await evaluateReconstructions(engine, model, images, batchSize);
        result.encoder = latentStatistics(encoded.mean, encoded.std, model.latent, model.prior);
      }
      if (distance && extractor) {
        const value = await distance(model, stopped);
        if (value === undefined) return undefined;
        result.fid = { frechet_distance: value, ...(extractor.name === 'inception' && { fid: value }) };
      }
      return result;
    },
  };
}

function protocolOf({ dataset, names, extractor }: EvaluatorSettings, images: number, fitted: number): Protocol {
  const has = (name: EvaluationName) => names.includes(name);
  const network = extractor && { label: extractor.label, digest: extractor.digest, mode: extractor.mode };
  return {
    data_digest: dataset.digest,
    seed: EVALUATION_SEED,
    images,
    ...(has('linear_probe') && { fitted, tested: images - fitted, feature: 'avepool', probe: PROBE }),
    ...(has('reconstruct') && { reconstructed: Math.min(images, RECONSTRUCTED) }),
    ...(has('fid') && { generated: images, extractor: network }),
  };
}

/** Features and latents of all images; without labels none are compared. */
async function encodeAll(model: InferenceModel, images: EvaluatedImages, batchSize: number, stopped: Stopped) {
  const width = model.widths.avepool;
  const features = new Float32Array(images.count * width);
  const labels = new Int32Array(images.count);
  const [mean, std] = [new Float32Array(images.count * model.latent), new Float32Array(images.count * model.latent)];
  let done = 0;
  for await (const batch of images.batches(batchSize)) {
    const encoded = model.encode(batch.data, batch.count);
    features.set(encoded.avepool, done * width);
    mean.set(encoded.z_mean, done * model.latent);
    std.set(encoded.z_std, done * model.latent);
    if (batch.labels) labels.set(batch.labels, done);
    done += batch.count;
    await setImmediate();
    if (stopped()) return undefined;
  }
  return { features, labels, width, mean, std };
}

async function evaluateReconstructions(
  engine: Engine,
  model: InferenceModel,
  images: EvaluatedImages,
  batchSize: number,
) {
  const pair = await reconstructImages(engine, model, images, {
    batchSize,
    limit: RECONSTRUCTED,
    seed: EVALUATION_SEED,
  });
  const { l1 } = reconstructionError(pair, EVALUATION_SEED);
  return { l1_matched: l1.matched, l1_mismatched: l1.mismatched, l1_ratio: l1.ratio };
}
