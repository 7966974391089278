/** Pictures of a run's progress, on averaged weights. */
import { dirname } from 'node:path';
import type { Engine } from '../backend/engine.js';
import type { Config } from '../config/config.js';
import type { TrainingBatch } from '../data/loading/loader.js';
import { imagesOf } from '../data/sheet.js';
import { shrink } from '../data/shrink.js';
import { writeAtomic } from '../formats/atomic.js';
import { makeFolder } from '../formats/make-folder.js';
import { hasEncoder } from '../model/config.js';
import type { InferenceModel } from '../model/inference.js';
import { labelsOf, latentsOf } from '../model/latents.js';
import type { RunFolder } from '../run/run-folder.js';
import { besideReconstructions, sheetPng } from '../trained/sheets.js';

/** Images on a sheet, and its columns. */
export const SHEET = { images: 64, columns: 8 };

export interface WrittenSheet {
  /** `samples` or `reconstructions`. */
  name: string;
  path: string;
  png: Buffer;
}

/** Writes samples of the latents of seeds 0, 1, … and, where there is an E, reconstructions of the given images. */
export async function writeSheets(
  engine: Engine,
  model: InferenceModel,
  { config, folder, step, originals }: { config: Config; folder: RunFolder; step: number; originals: TrainingBatch },
): Promise<WrittenSheet[]> {
  const seeds = Array.from({ length: SHEET.images }, (_, i) => i);
  const { height, width, channels } = model.output;
  const pixels = height * width * channels;
  const samples = model.generate(latentsOf(engine, seeds, config.model), seeds.length, labelsOf(seeds, config.model));
  const sheets = [{ name: 'samples', path: folder.samples(step, 0), images: imagesOf(samples, pixels) }];
  if (hasEncoder(config.model)) {
    const seen = shrink(originals.images, model.input, model.input.height / height);
    const count = seen.length / pixels;
    const remade = model.generate(model.encode(originals.images, count).z_mean, count, originals.labels);
    sheets.push({
      name: 'reconstructions',
      path: folder.reconstructions(step),
      images: besideReconstructions(seen, remade, pixels, SHEET.columns),
    });
  }
  const written: WrittenSheet[] = [];
  for (const { name, path, images } of sheets) {
    const png = await sheetPng(images, model, SHEET.columns);
    await makeFolder(dirname(path));
    await writeAtomic(path, async (handle) => {
      await handle.writeFile(png);
    });
    written.push({ name, path, png });
  }
  return written;
}
