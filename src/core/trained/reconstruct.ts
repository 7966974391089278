/** G(E(x)) beside x, and how much of x is in it. */

import { checkWhole } from '../checks.js';
import { openImages } from '../data/images/images.js';
import type { Channels } from '../data/pixels.js';
import { usage } from '../errors.js';
import { checkOutputFile } from '../formats/output-file.js';
import { reconstructionError } from '../metrics/reconstruction.js';
import { packageVersion } from '../version.js';
import type { EngineWorkOptions } from '../work.js';
import { RECONSTRUCT_DEFAULTS } from './defaults.js';
import { describeModel } from './load-model.js';
import type { ModelProvenance } from './provenance.js';
import { reconstructImages, saveReconstructions } from './reconstruct-images.js';
import { checkModelSettings, type ModelSettings, startModel } from './start-model.js';

export interface ReconstructSettings extends ModelSettings {
  /** Images: a dataset, a folder or an archive of images, an array of uint8 images, or `-` for an .npy stream. */
  data: string;
  /** A `.png` for a sheet with each row of originals above its reconstructions, or an `.npy` of all reconstructions. */
  out?: string;
  /** Images to take, from the first on; default 10,000. They are held in memory. */
  limit?: number;
  /** Images on the sheet, default 64, and its columns, default 16. */
  count?: number;
  columns?: number;
  /** Sample z from N(μ, σ); default: z = μ. */
  sample?: boolean;
  /** Seed of z, and of the pairing with other images; default 0. */
  seed?: number;
  /** Replace what exists. */
  force?: boolean;
  /** Where `-` reads from, default standard input. */
  stdin?: AsyncIterable<Uint8Array>;
}

export interface ReconstructResult extends ModelProvenance {
  /** Mean |x − G(E(x))|, and mean |x′ − G(E(x))| with another image x′ of the set; pixels 0 to 1. */
  l1_matched: number;
  l1_mismatched: number;
  /** The first over the second: 1 where E knows nothing of the image. */
  l1_ratio: number;
  /** The same of the Euclidean norm over an image. */
  l2_matched: number;
  l2_mismatched: number;
  l2_ratio: number;
  count: number;
  out: string | null;
  data: string;
  data_digest: string | null;
  latent: 'sample' | 'mean';
  seed: number;
  version: string;
  seconds: number;
}

/**
 * Reconstructs images and measures the relative pixel-wise error (paper, appendix on reconstructions; L2 as in BiGAN).
 * Where E takes larger images than G gives, x is compared at G's size: each pixel is the mean of those it covers.
 *
 * Events: progress of the task `reconstruct` in images. With `signal` it throws the signal's reason.
 * @throws UserError for images or models that cannot be read or do not fit, and for an `out` that may not be replaced
 */
export async function reconstruct(
  settings: ReconstructSettings,
  options: EngineWorkOptions = {},
): Promise<ReconstructResult> {
  const { data, out, force, sample, seed = RECONSTRUCT_DEFAULTS.seed } = settings;
  const { limit = RECONSTRUCT_DEFAULTS.limit } = settings;
  const { count = RECONSTRUCT_DEFAULTS.count, columns = RECONSTRUCT_DEFAULTS.columns } = settings;
  if (out !== undefined && !/\.(png|npy)$/i.test(out)) {
    throw usage(`expected a .png or .npy file for --out, got ${out}`);
  }
  checkModelSettings(settings);
  checkWhole('--seed', seed);
  for (const [name, value] of Object.entries({ limit, count, columns })) checkWhole(`--${name}`, value, { least: 1 });
  const started = Date.now();
  const { input } = await describeModel(settings);
  if (out !== undefined) await checkOutputFile(out, force);
  const shape = { resolution: input.height, channels: input.channels as Channels };
  await using images = await openImages(data, { ...shape, stdin: settings.stdin });
  using trained = await startModel(settings, options);
  const { engine, model, batchSize } = trained;
  const total = Math.min(images.count, limit);
  const pair = await reconstructImages(engine, model, images, {
    batchSize,
    limit,
    sample,
    seed,
    signal: options.signal,
    onRows: (done) => options.on?.({ kind: 'progress', task: 'reconstruct', done, total }),
  });
  const { l1, l2 } = reconstructionError(pair, seed);
  if (out !== undefined) await saveReconstructions(out, pair, { count, columns, force });
  return {
    l1_matched: l1.matched,
    l1_mismatched: l1.mismatched,
    l1_ratio: l1.ratio,
    l2_matched: l2.matched,
    l2_mismatched: l2.mismatched,
    l2_ratio: l2.ratio,
    count: pair.count,
    out: out ?? null,
    data,
    data_digest: images.digest ?? null,
    ...model.provenance,
    latent: sample ? 'sample' : 'mean',
    seed,
    version: packageVersion,
    seconds: (Date.now() - started) / 1000,
  };
}
