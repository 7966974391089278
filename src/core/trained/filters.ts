/** The filters of E's first layer as pictures, which show what it has learned to look for (paper, section 4.1). */
import { type Sheet, sheet } from '../data/sheet.js';
import { UserError } from '../errors.js';
import { AVERAGE } from '../layers/scope.js';
import { modelVariables } from '../model/bigbigan.js';
import { imageResolution } from '../model/config.js';
import { readCheckpoint } from '../run/checkpoint.js';
import type { CheckpointSource } from './model.js';
import { describeCheckpoint } from './open-checkpoint.js';

export interface Filters {
  /** float32 [height, width, channels] each, on averaged weights. */
  filters: Float32Array[];
  height: number;
  width: number;
  channels: number;
  checkpoint: string;
  step: number;
}

/** Kernels of the first convolution; of a dense E, the weights of each unit of the first layer, as an image. */
export async function firstFilters(source: CheckpointSource): Promise<Filters> {
  const { checkpoint, config, step } = await describeCheckpoint(source);
  const { model } = config;
  if (model.encoder.kind === 'none')
    throw new UserError(`the model of ${checkpoint} has no encoder, and so no filters`);
  const name = `${AVERAGE}encoder/${model.encoder.kind === 'dense' ? 'linear0' : 'trunk/stem'}/kernel`;
  const spec = modelVariables(model).find((variable) => variable.name === name)!;
  const data = (await readCheckpoint(checkpoint, [spec])).values.get(name)!.data as Float32Array;
  const side = model.encoder.kind === 'dense' ? imageResolution(model) : spec.shape[0];
  const count = spec.shape.at(-1)!;
  // The last axis is that of filters, also of a matrix [height · width · channels, units].
  const filters = Array.from({ length: count }, (_, i) =>
    Float32Array.from({ length: data.length / count }, (_, at) => data[at * count + i]),
  );
  return { filters, height: side, width: side, channels: model.channels, checkpoint, step };
}

/**
 * Each filter scaled by its own largest absolute weight: 0 is grey, the largest black or white; each weight a square of
 * pixels.
 */
export function filterSheet({ filters, height, width, channels }: Omit<Filters, 'checkpoint' | 'step'>): Sheet {
  const zoom = Math.max(1, Math.round(48 / width));
  const images = filters.map((filter) => {
    const largest = filter.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) || 1;
    const image = new Uint8Array(height * zoom * width * zoom * channels);
    for (let i = 0; i < image.length; i++) {
      const [channel, pixel] = [i % channels, Math.floor(i / channels)];
      const [x, y] = [Math.floor((pixel % (width * zoom)) / zoom), Math.floor(pixel / (width * zoom) / zoom)];
      image[i] = Math.round(127.5 + 127.5 * (filter[(y * width + x) * channels + channel] / largest));
    }
    return image;
  });
  return sheet(images, { height: height * zoom, width: width * zoom, channels, gap: 4 });
}
