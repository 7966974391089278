/** The encoder's features of a set of images, as a features folder. */
import { checkWhole } from '../checks.js';
import type { ImageOptions } from '../data/images/image-set.js';
import { openImages } from '../data/images/images.js';
import type { Channels } from '../data/pixels.js';
import { refuseFileName } from '../formats/output-file.js';
import { packageVersion } from '../version.js';
import type { EngineWorkOptions } from '../work.js';
import { checkOutputs, ENCODE_DEFAULTS, type EncodeOutput, MODEL_DEFAULTS } from './defaults.js';
import { encodeImages } from './encode-images.js';
import { describeModel } from './load-model.js';
import { type ModelProvenance, NO_MODEL } from './provenance.js';
import { checkModelSettings, type ModelSettings, startModel } from './start-model.js';

export interface EncodeSettings extends ModelSettings {
  /** Images: a dataset, a folder or an archive of images, an array of uint8 images, or `-` for an .npy stream. */
  data: string;
  /** Features folder to write. */
  out: string;
  /** Default: all but `pixels`. A model is needed for all but `pixels`. */
  outputs?: readonly EncodeOutput[];
  /** Seed of `z_sample`, default 0. */
  seed?: number;
  /** Replace an existing features folder. */
  force?: boolean;
  /** Where `-` reads from, default standard input. */
  stdin?: AsyncIterable<Uint8Array>;
}

export interface EncodeResult extends ModelProvenance {
  out: string;
  rows: number;
  outputs: readonly EncodeOutput[];
  data: string;
  /** SHA-256 of the images; null for a stream. */
  data_digest: string | null;
  seed: number;
  version: string;
  seconds: number;
}

/**
 * Runs E on images and writes a features folder: one `.npy` of float32 [images, width] for each output, `labels.npy`
 * int32 [images] and `ids.txt` where the images have them, and `features.json`. Row i is image i. Where the folder
 * holds the same features already, nothing is done.
 *
 * - `avepool`: global average of the trunk's last map, [images, features] (paper, section 3.2)
 * - `bn_crelu`: [ReLU(h), ReLU(−h)] of its batch norm h without scale and offset, [images, 2 · features]
 * - `z_mean`, `z_std`, `z_sample`: [images, latent]
 * - `pixels`: the images, 0 to 1, [images, height · width · channels]
 *
 * Events: progress of the task `encode` in images. With `signal` it throws the signal's reason and leaves no folder.
 * @throws UserError for images or models that cannot be read or do not fit, and for an `out` that may not be replaced
 */
export async function encode(settings: EncodeSettings, options: EngineWorkOptions = {}): Promise<EncodeResult> {
  const { data, out, outputs = ENCODE_DEFAULTS.outputs, seed = ENCODE_DEFAULTS.seed, force } = settings;
  checkOutputs(outputs);
  refuseFileName(out, 'a folder, which gets an .npy for each output,');
  checkWhole('--seed', seed);
  const needsModel = outputs.some((name) => name !== 'pixels');
  if (needsModel) checkModelSettings(settings);
  else checkWhole('--batch-size', settings.batchSize, { least: 1 });
  const started = Date.now();
  await using images = await openImages(data, {
    ...(needsModel ? await encoderInput(settings) : {}),
    stdin: settings.stdin,
  });
  using trained = needsModel ? await startModel(settings, options) : undefined;
  const { rows, repeated } = await encodeImages({
    model: trained?.model,
    engine: trained?.engine,
    images,
    out,
    outputs,
    batchSize: trained?.batchSize ?? settings.batchSize ?? MODEL_DEFAULTS.batchSize,
    seed,
    force,
    version: packageVersion,
    signal: options.signal,
    onRows: (done) => options.on?.({ kind: 'progress', task: 'encode', done, total: images.count }),
  });
  if (repeated) options.on?.({ kind: 'note', message: `${out} holds these features already` });
  return {
    out,
    rows,
    outputs,
    data,
    data_digest: images.digest ?? null,
    ...(trained?.model.provenance ?? NO_MODEL),
    seed,
    version: packageVersion,
    seconds: (Date.now() - started) / 1000,
  };
}

/** Known without the engine, so that what is wrong with model or images is said at once. */
async function encoderInput(settings: ModelSettings): Promise<ImageOptions> {
  const { height, channels } = (await describeModel(settings)).input;
  return { resolution: height, channels: channels as Channels };
}
