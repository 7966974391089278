/** The images and the model that a features folder of `encode` comes from, and opening them again. */
import type { Engine } from '../../backend/engine.js';
import { type Dataset, openDataset } from '../../data/dataset/dataset.js';
import type { Features } from '../../data/features.js';
import { expected } from '../../errors.js';
import { exists } from '../../formats/exists.js';
import type { ImageShape } from '../../model/inference.js';
import { loadModel } from '../../trained/load-model.js';
import type { CheckpointSettings, LoadedModel, ModelSource } from '../../trained/model.js';
import type { ModelProvenance } from '../../trained/provenance.js';

/** `source` of features.json, of features that a model made of images that are on disk. */
export interface Origin extends ModelProvenance {
  data: string;
  data_digest: string;
}

/** @throws UserError where features.json is missing or does not name the images and the model */
export function originOf({ path, provenance }: Features): Origin {
  const origin = provenance?.source as Partial<Origin> | undefined;
  const unknown = (found: string) =>
    expected(
      'a features.json that says of which dataset and model they are',
      `the features in ${path}`,
      found,
      'write them with bigbigan encode, from a dataset of bigbigan prep-data',
    );
  if (!origin) throw unknown(provenance ? 'one of something else' : 'none');
  if (!origin.data || !origin.data_digest) throw unknown('features of a stream of images');
  if (!origin.checkpoint_digest && !origin.model_digest) throw unknown('features of no model');
  return origin as Origin;
}

/** Where the model is: as the options say, or where it was. */
export async function originalModel(
  asked: ModelSource,
  { checkpoint, model }: Origin,
  path: string,
): Promise<ModelSource> {
  const { run, checkpoint: file, model: dir } = asked;
  if (run !== undefined || file !== undefined || dir !== undefined) return { run, checkpoint: file, model: dir };
  const [option, place] = checkpoint === null ? ['--model', model!] : ['--checkpoint', checkpoint];
  await requirePresent(place, 'the model', option, path);
  return checkpoint === null ? { model } : { checkpoint };
}

/** The images at `asked`, or where they were; encoded ones are decoded to the shape that E takes. */
export async function openOriginalImages(
  asked: string | undefined,
  origin: Origin,
  { path, rows }: Features,
  { height, channels }: ImageShape,
): Promise<Dataset> {
  if (asked === undefined) await requirePresent(origin.data, 'the images', '--data', path);
  const dataset = await openDataset(asked ?? origin.data, { resolution: height, channels: channels as 1 | 3 });
  const problem = mismatch(dataset, origin, path, rows);
  if (!problem) return dataset;
  await dataset.close();
  throw problem;
}

function mismatch({ digest, count, ...dataset }: Dataset, origin: Origin, path: string, rows: number) {
  if (digest !== origin.data_digest) return otherwise('images', path, dataset.path, origin.data_digest, digest);
  if (count === rows) return undefined;
  return expected(`${rows} images, one for each row of ${path},`, dataset.path, `${count}`, 'encode it again');
}

/** The model with the weights and in the arithmetic that the features were computed with. */
export async function openOriginalModel(
  engine: Engine,
  source: ModelSource,
  origin: Origin,
  path: string,
  batchSize: number,
): Promise<LoadedModel> {
  const { weights, precision } = origin;
  const model = await loadModel(engine, source, { batchSize, weights, precision } as CheckpointSettings);
  const digest = (origin.checkpoint_digest ?? origin.model_digest)!;
  if (model.digest === digest) return model;
  model.dispose();
  const { checkpoint, model: dir } = model.provenance;
  throw otherwise('model', path, checkpoint ?? dir!, digest, model.digest);
}

async function requirePresent(place: string, what: string, option: string, path: string): Promise<void> {
  if (await exists(place)) return;
  throw expected(
    `${what} that ${path} was encoded from`,
    place,
    'no such file or folder',
    `say where with ${option}, or encode again`,
  );
}

function otherwise(what: string, path: string, place: string, wanted: string, found: string) {
  const short = (digest: string) => digest.slice(0, 12);
  return expected(
    `the ${what} that ${path} was encoded from (digest ${short(wanted)})`,
    place,
    `digest ${short(found)}`,
    `name the right one, or encode again`,
  );
}
