/**
 * Images or features to what the scores are made of, in one pass: sums, and where wanted class scores and the rows
 * themselves.
 */
import type { Engine } from '../../backend/engine.js';
import type { ImageRange, NetworkImages } from '../../data/images/image-set.js';
import { expected, type UserError } from '../../errors.js';
import type { Extracted, Extractor } from '../../metrics/extractor.js';
import type { Rows } from '../../metrics/rows.js';
import { createMoments, type PartialSums } from '../../metrics/statistics.js';
import type { FeatureSet } from './feature-source.js';
import type { OpenClassScorer } from './scores/class-scorer.js';
import { createSpill, type Spill } from './spill.js';
import type { Network } from './statistics-file.js';

export interface Measured {
  sums: PartialSums;
  /** Where asked for. */
  features?: Rows;
  logits?: Rows;
  /** Keys of the scores of class scores. */
  scored: object;
}

/** What is wanted beside the sums. */
export interface MeasureOptions {
  features?: boolean;
  logits?: boolean;
  /** Scores that take class scores. */
  scorers?: readonly OpenClassScorer[];
  /** Where temporary files may lie. */
  temporary: string;
  signal?: AbortSignal;
  onRows?(done: number, total: number): void;
}

export function networkOf({ name, label, digest, mode, precision }: Extractor): Network {
  return { name, label, digest, mode, precision };
}

export async function measureImages(
  engine: Engine,
  images: NetworkImages,
  path: string,
  extractor: Extractor,
  options: MeasureOptions & { batchSize: number; range?: ImageRange },
): Promise<Measured & { close(): Promise<void> }> {
  const { range = { first: 0, end: images.count }, batchSize, onRows } = options;
  const total = range.end - range.first;
  const collector = await createCollector(engine, extractor.width, total, options);
  try {
    let done = 0;
    for await (const { data, shape } of images.batches(batchSize, range)) {
      options.signal?.throwIfAborted();
      const extracted = extractor.extract(data, shape);
      checkFinite(extracted.features, extractor.width, range.first + done, `${extractor.label} on ${path}`);
      await collector.add(extracted, shape[0], extractor.label);
      done += shape[0];
      onRows?.(done, total);
    }
    return collector.result();
  } catch (error) {
    await collector.close();
    throw error;
  }
}

export async function measureFeatures(
  engine: Engine,
  set: FeatureSet,
  path: string,
  options: MeasureOptions,
): Promise<Measured & { close(): Promise<void> }> {
  const { count, width, rows } = set;
  if (options.scorers?.length || options.logits) throw noLogits(path);
  const collector = await createCollector(engine, width, count, { ...options, features: options.features && !rows });
  try {
    let done = 0;
    for await (const features of set.pieces()) {
      options.signal?.throwIfAborted();
      checkFinite(features, width, done, path);
      await collector.add({ features }, features.length / width, path);
      done += features.length / width;
      options.onRows?.(done, count);
    }
    const result = collector.result();
    return { ...result, features: result.features ?? (options.features ? rows : undefined) };
  } catch (error) {
    await collector.close();
    throw error;
  }
}

async function createCollector(engine: Engine, width: number, total: number, options: MeasureOptions) {
  const { temporary } = options;
  const moments = createMoments(engine, width);
  const features = options.features ? await createSpill(temporary, width) : undefined;
  const scorers = (options.scorers ?? []).map((open) => open(total));
  let logits: Spill | undefined;
  const close = async () => {
    await features?.close();
    await logits?.close();
  };
  return {
    close,
    async add(extracted: Extracted, count: number, name: string): Promise<void> {
      moments.add(extracted.features, count);
      await features?.add(extracted.features);
      if (scorers.length === 0 && !options.logits) return;
      // The bias is left out where that can be told, as the score's authors did.
      const scores = extracted.unbiasedLogits ?? extracted.logits;
      if (!scores) throw noLogits(name);
      for (const scorer of scorers) scorer.add(scores, count);
      if (options.logits) await (logits ??= await createSpill(temporary, scores.length / count)).add(scores);
    },
    result: () => ({
      sums: moments.sums(),
      features: features?.rows(),
      logits: logits?.rows(),
      scored: Object.assign({}, ...scorers.map((scorer) => scorer.result())),
      close,
    }),
  };
}

function noLogits(name: string): UserError {
  const hint = 'it needs images and a network with a classifier, such as --extractor inception';
  return expected('class scores for the Inception Score', '--metrics is', `none from ${name}`, hint);
}

function checkFinite(rows: Float32Array, width: number, first: number, what: string): void {
  const bad = rows.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw expected('finite features', `row ${first + Math.floor(bad / width)} of ${what}`, `${rows[bad]}`);
}
