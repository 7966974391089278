/** Training features that are encoded anew from random parts of their images, for `linear-probe --augment`. */
import type { Engine } from '../../backend/engine.js';
import type { Features } from '../../data/features.js';
import { orClose } from '../../data/or-close.js';
import { usage } from '../../errors.js';
import type { OrderSettings, ProbeBatch } from '../../metrics/probe/shuffled.js';
import { crelu, type Standardisation, scaled } from '../../metrics/rows.js';
import { describeModel } from '../../trained/load-model.js';
import type { ModelSource } from '../../trained/model.js';
import { describeCheckpoint } from '../../trained/open-checkpoint.js';
import { openOriginalImages, openOriginalModel, originalModel, originOf } from '../features/feature-origin.js';
import type { AugmentationQuestion } from './augmentation-question.js';
import { augmentedBatches, type EncodedFeature, partSize } from './augmented-batches.js';

export interface Augmentation extends AsyncDisposable {
  /** Features of freshly cropped images of random rows. */
  batches(order: OrderSettings): AsyncGenerator<ProbeBatch>;
  /** Images a second since the first batch, with all that was done with them. */
  speed(): number;
  /** What a result says of it. */
  describe(): Record<string, unknown>;
}

const ENCODINGS: readonly string[] = ['avepool', 'bn_crelu', 'z_mean', 'z_std'] satisfies EncodedFeature[];

export interface AugmentationSettings {
  batchSize: number;
  /** Where the features are BN+CReLU of the encoding: how it is computed. */
  bn?: Standardisation;
  /** Threads that decode; results do not depend on it. */
  workers?: number;
}

/** @throws UserError where images or model are not those of the features, or unknown */
export async function openAugmentation(
  start: () => Promise<Engine>,
  features: Features,
  { crop, flip: asked, data, ...models }: AugmentationQuestion,
  { batchSize, bn, workers }: AugmentationSettings,
): Promise<Augmentation> {
  const { name: encoding, path } = features;
  if (!isEncoding(encoding))
    throw usage(`--augment does not go with --feature ${encoding}`, `choose one of ${ENCODINGS.join(', ')}`);
  const origin = originOf(features);
  const source = await originalModel(models, origin, path);
  const flip = asked ?? (await trainedFlip(source));
  const dataset = await openOriginalImages(data, origin, features, (await describeModel(source)).input);
  const atOnce = partSize(batchSize);
  const model = await orClose(dataset, async () => openOriginalModel(await start(), source, origin, path, atOnce));

  let [images, begun, seconds] = [0, 0, 0];
  const speed = () => (seconds > 0 ? images / seconds : 0);
  return {
    async *batches(order) {
      begun ||= performance.now();
      for await (const { data, rows } of augmentedBatches(
        { dataset, model, encoding, crop, flip, atOnce, workers },
        order,
      )) {
        images += rows.length;
        seconds = (performance.now() - begun) / 1000;
        yield { data: bn ? crelu(scaled(data, bn), model.widths[encoding]) : data, rows };
      }
    },
    speed,
    describe: () => ({
      crop,
      flip,
      data: dataset.path,
      data_digest: dataset.digest,
      ...model.provenance,
      images,
      images_per_second: speed(),
    }),
    async [Symbol.asyncDispose]() {
      model.dispose();
      await dataset.close();
    },
  };
}

const isEncoding = (name: string): name is EncodedFeature => ENCODINGS.includes(name);

async function trainedFlip(source: ModelSource): Promise<boolean> {
  if (source.model === undefined) return (await describeCheckpoint(source)).config.train.flip;
  throw usage('--flip or --no-flip is missing: a SavedModel does not say whether it was trained on mirrored images');
}
