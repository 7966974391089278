/** G's images by seed, as files or as a stream. */
import { checkWhole } from '../checks.js';
import { checkImageSink, openImageSink } from '../data/images/image-sink.js';
import { expected, usage } from '../errors.js';
import { checkOutputFile, refuseFileName } from '../formats/output-file.js';
import { packageVersion } from '../version.js';
import type { EngineWorkOptions } from '../work.js';
import { GENERATE_DEFAULTS } from './defaults.js';
import { generateImages } from './generate-images.js';
import { describeModel } from './load-model.js';
import type { ModelProvenance } from './provenance.js';
import { checkSeeds, checkTruncation } from './seeds.js';
import { checkModelSettings, type ModelSettings, startModel } from './start-model.js';

export interface GenerateSettings extends ModelSettings {
  /** A folder, which gets seed0004.png and so on; a `.png` for one sheet; an `.npy`; or `-` for a stream of it. */
  out: string;
  /** One image for each of these seeds, 0 to 2³¹ − 1; default: `count` seeds from `seed` on. */
  seeds?: readonly number[];
  /** Default 64. */
  count?: number;
  /** First seed, default 0. */
  seed?: number;
  /** Class of all images, for a conditional model; default: drawn uniformly for each seed. */
  class?: number;
  /** Latent values are drawn again until they lie in [−truncation, truncation], from 0.01 on (Brock et al. 2019). */
  truncation?: number;
  /** Batches over which standing statistics are taken anew; default: the checkpoint's, or 16 with `truncation`. */
  standingStatistics?: number;
  /** Columns of a sheet; default: as square as possible. */
  columns?: number;
  /** Replace what exists. */
  force?: boolean;
  /** Takes the bytes of the stream where `out` is `-`. */
  stdout?: (bytes: Uint8Array) => Promise<void>;
}

export interface GenerateResult extends ModelProvenance {
  out: string;
  count: number;
  /** All seeds where they were listed, else the first and the last. */
  seeds: readonly number[];
  class: number | null;
  truncation: number | null;
  version: string;
  seconds: number;
}

/**
 * Generates images, uint8 [count, height, width, channels]. Each has a seed of its own: the same seed gives the same
 * image whatever the batch size or the other seeds.
 *
 * Events: progress of the task `generate` in images. With `signal` it throws the signal's reason and leaves no output.
 * @throws UserError for a model that cannot be read, a class that it does not have, or an `out` that may not be
 * replaced
 */
export async function generate(settings: GenerateSettings, options: EngineWorkOptions = {}): Promise<GenerateResult> {
  const { out, seed = GENERATE_DEFAULTS.seed, count = GENERATE_DEFAULTS.count, truncation, columns, force } = settings;
  checkModelSettings(settings);
  checkTruncation(truncation);
  checkWhole('--seed', seed);
  checkWhole('--count', count, { least: 1 });
  checkWhole('--columns', columns, { least: 1 });
  checkWhole('--standing-statistics', settings.standingStatistics, { least: 1 });
  const isFile = /\.(png|npy)$/i.test(out);
  if (!isFile) refuseFileName(out, 'a folder, a .png, an .npy or -');
  const started = Date.now();
  const seeds = settings.seeds ?? Array.from({ length: count }, (_, i) => seed + i);
  checkSeeds(seeds);

  const { output, classes } = await describeModel(settings);
  checkClass(settings.class, classes);
  await (isFile ? checkOutputFile : checkImageSink)(out, force);
  using trained = await startModel(settings, options);
  const { engine, model, batchSize } = trained;
  if (settings.standingStatistics !== undefined && !model.takeGeneratorStatistics) {
    throw usage("--standing-statistics does not go with an autoencoder, whose statistics are of E's latents");
  }
  const sink = await openImageSink(out, {
    count: seeds.length,
    ...output,
    columns,
    force,
    name: (i) => `seed${String(seeds[i]).padStart(4, '0')}.png`,
    stdout: settings.stdout ?? refuseStream,
  });
  let done = 0;
  try {
    const request = { seeds, batchSize, label: settings.class, truncation };
    const { standingStatistics } = settings;
    for await (const images of generateImages(engine, model, { ...request, standingStatistics })) {
      options.signal?.throwIfAborted();
      await sink.append(images);
      done += Math.min(batchSize, seeds.length - done);
      options.on?.({ kind: 'progress', task: 'generate', done, total: seeds.length });
    }
    await sink.close();
  } catch (error) {
    await sink.abort();
    throw error;
  }
  return {
    out,
    count: seeds.length,
    seeds: settings.seeds ?? [seed, seed + count - 1],
    class: settings.class ?? null,
    truncation: truncation ?? null,
    ...model.provenance,
    version: packageVersion,
    seconds: (Date.now() - started) / 1000,
  };
}

function checkClass(wanted: number | undefined, classes: number): void {
  if (wanted === undefined || (classes > 1 && wanted < classes)) return;
  const valid = classes > 1 ? `classes 0 to ${classes - 1}` : 'no classes to choose from';
  throw usage(`expected another --class, got ${wanted}`, `the model has ${valid}`);
}

async function refuseStream(): Promise<never> {
  throw expected('a function `stdout` that takes the bytes', 'out "-"', 'none');
}
