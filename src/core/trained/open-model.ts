/** A trained model for use from a program: arrays in, arrays out. */
import type { EncodedBatch, ModelShapes } from '../model/inference.js';
import { labelsOf, latentsOf } from '../model/latents.js';
import type { EngineWorkOptions } from '../work.js';
import type { ModelProvenance } from './provenance.js';
import { checkSeeds, checkTruncation } from './seeds.js';
import { type ModelSettings, startModel } from './start-model.js';

export interface TrainedModel extends ModelShapes, AsyncDisposable {
  /** Where it comes from, as results state it. */
  provenance: ModelProvenance;
  /** Width of each output of `encode`. */
  widths: Record<keyof EncodedBatch, number>;
  /**
   * Encodes uint8 images [count, height, width, channels], of the shape `input`. Rows do not depend on the number of
   * images beside them.
   */
  encode(images: Uint8Array, count: number): EncodedBatch;
  /**
   * Generates uint8 images [count, height, width, channels], of the shape `output`, from latents float32 [count,
   * latent] and, where there are several classes, labels int32 [count].
   */
  generate(latents: Float32Array, count: number, labels?: Int32Array): Uint8Array;
  /** The latents that `generate` of the library draws for these seeds, float32 [seeds, latent]. */
  latents(seeds: readonly number[], truncation?: number): Float32Array;
  /** The labels that it draws for them, int32 [seeds]; all 0 where there is a single class. */
  labels(seeds: readonly number[]): Int32Array;
}

/**
 * Opens the newest checkpoint of a run, a checkpoint file, or a SavedModel, and starts the engine. Dispose of it
 * (`await using`) to free its memory.
 * @throws UserError when there is no such model, or it is damaged
 */
export async function openModel(settings: ModelSettings, options: EngineWorkOptions = {}): Promise<TrainedModel> {
  const { engine, model, batchSize } = await startModel(settings, options);
  /** Calls of the networks take a batch at most. */
  const parts = (count: number) =>
    Array.from({ length: Math.ceil(count / batchSize) }, (_, i) => {
      const first = i * batchSize;
      return { first, count: Math.min(batchSize, count - first) };
    });
  const pixelsOf = ({ height, width, channels }: ModelShapes['input']) => height * width * channels;
  const { provenance, widths, input, output, latent, prior, classes } = model;
  return {
    provenance,
    widths,
    input,
    output,
    latent,
    prior,
    classes,
    encode(images, count) {
      checkLength('images', images.length, count * pixelsOf(input));
      const names = Object.keys(widths) as (keyof EncodedBatch)[];
      const all = Object.fromEntries(
        names.map((name) => [name, new Float32Array(count * widths[name])]),
      ) as unknown as EncodedBatch;
      for (const part of parts(count)) {
        const size = pixelsOf(input);
        const rows = model.encode(images.slice(part.first * size, (part.first + part.count) * size), part.count);
        for (const name of names) all[name].set(rows[name], part.first * widths[name]);
      }
      return all;
    },
    generate(latents, count, labels) {
      checkLength('latents', latents.length, count * latent);
      if (labels) checkLength('labels', labels.length, count);
      const images = new Uint8Array(count * pixelsOf(output));
      for (const { first, count: some } of parts(count)) {
        const z = latents.slice(first * latent, (first + some) * latent);
        images.set(model.generate(z, some, labels?.slice(first, first + some)), first * pixelsOf(output));
      }
      return images;
    },
    latents(seeds, truncation) {
      checkSeeds(seeds);
      checkTruncation(truncation);
      return latentsOf(engine, seeds, model, truncation);
    },
    labels(seeds) {
      checkSeeds(seeds);
      return labelsOf(seeds, model);
    },
    async [Symbol.asyncDispose]() {
      model.dispose();
    },
  };
}

function checkLength(what: string, found: number, wanted: number): void {
  if (found !== wanted) throw new RangeError(`expected ${wanted} numbers for ${what}, got ${found}`);
}
