/** The output of a TensorFlow SavedModel as features. */
import type { Engine } from '../../../backend/engine.js';
import { loadSavedModel } from '../../../backend/saved-model.js';
import { expected } from '../../../errors.js';
import { savedModelDigest } from '../../../formats/tensorflow/saved-model.js';
import type { Extractor } from '../../../metrics/extractor.js';
import { callsFor, rowsOf } from '../../../model/calls.js';

export interface SavedModelChoice {
  dir: string;
  /** Name of the output, as loadSavedModel takes it; may be left out when there is one. */
  output?: string;
  /** What the pixel values 0 and 255 become for a model with a float input. */
  range: readonly [number, number];
}

/** An output [n, height, width, channels] is averaged over height and width. */
export async function savedModelExtractor(
  engine: Engine,
  { dir, output, range }: SavedModelChoice,
  batchSize: number,
): Promise<Extractor> {
  const model = await loadSavedModel(engine, dir, output);
  const { name, shape: outputShape } = model.output;
  const width = outputShape.at(-1) ?? -1;
  if ((outputShape.length !== 2 && outputShape.length !== 4) || width < 1) {
    throw expected(
      'an output of shape [n, width] or [n, height, width, channels]',
      `${name} of ${dir}`,
      `[${outputShape}]`,
    );
  }
  const [, height, imageWidth, channels] = model.input.shape.map((size) => (size < 0 ? undefined : size));
  const [low, high] = range;
  const isFloat = model.input.dtype === 'float32';
  return {
    name: 'saved-model',
    label: `saved-model ${name}${isFloat ? ` (pixels ${low} to ${high})` : ''}`,
    digest: await savedModelDigest(dir),
    width,
    image: { height, width: imageWidth, channels },
    extract(images, [count, ...imageShape]) {
      const step = (high - low) / 255;
      const values = isFloat ? Float32Array.from(images, (value) => low + value * step) : images;
      const length = values.length / count;
      const features = new Float32Array(count * width);
      for (const call of callsFor(count, batchSize)) {
        const result = model.run(rowsOf(values, call, length), [call.size, ...imageShape]);
        const rows = result.shape.length === 4 ? average(result.values, result.shape) : result.values;
        features.set(rows.subarray(0, call.count * width), call.first * width);
      }
      return { features };
    },
    close: model.close,
  };
}

/** [n, height, width, channels] → [n, channels] */
function average(values: Float32Array, [n, height, width, channels]: readonly number[]): Float32Array {
  const result = new Float32Array(n * channels);
  const places = height * width;
  for (let image = 0; image < n; image++) {
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (let place = 0; place < places; place++) sum += values[(image * places + place) * channels + channel];
      result[image * channels + channel] = sum / places;
    }
  }
  return result;
}
