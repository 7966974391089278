/** Features of a set of images, on disk. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EagerExecutor } from '../backend/eager.js';
import { createFeatures } from '../data/features.js';
import type { ImageSet } from '../data/images/image-set.js';
import { encoderNoise } from '../model/latents.js';
import type { LoadedModel } from './model.js';
import { NO_MODEL } from './provenance.js';

export interface EncodeRequest {
  /** Absent when only the pixels are wanted. */
  model?: LoadedModel;
  engine?: EagerExecutor;
  images: ImageSet;
  out: string;
  outputs: readonly string[];
  batchSize: number;
  /** Of z_sample. */
  seed: number;
  force?: boolean;
  version: string;
  signal?: AbortSignal;
  onRows?: (done: number) => void;
}

/** @returns the number of rows, and whether the folder held exactly these features already */
export async function encodeImages(request: EncodeRequest): Promise<{ rows: number; repeated: boolean }> {
  const { model, images, outputs } = request;
  const widths: Record<string, number> = {
    ...model?.widths,
    z_sample: model?.latent ?? 0,
    pixels: images.height * images.width * images.channels,
  };
  const source = {
    data: images.path,
    data_digest: images.digest ?? null,
    ...(model?.provenance ?? NO_MODEL),
    outputs,
    seed: request.seed,
    classes: images.classes ?? null,
    version: request.version,
  };
  if (images.digest && !request.force) {
    const earlier = await readSource(request.out);
    if (earlier && JSON.stringify(earlier.source) === JSON.stringify(source))
      return { rows: earlier.rows, repeated: true };
  }
  const writer = await createFeatures(request.out, {
    outputs: Object.fromEntries(outputs.map((name) => [name, widths[name]])),
    provenance: { source },
    force: request.force,
    inputs: images.path === '-' ? [] : [images.path],
  });
  let rows = 0;
  try {
    for await (const batch of images.batches(request.batchSize)) {
      request.signal?.throwIfAborted();
      const all = encodeBatch(request, batch.data, batch.count, rows);
      await writer.append({
        outputs: Object.fromEntries(outputs.map((name) => [name, all[name]])),
        labels: batch.labels,
        ids: batch.ids,
      });
      rows += batch.count;
      request.onRows?.(rows);
    }
    await writer.close();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return { rows, repeated: false };
}

function encodeBatch(
  { model, engine, outputs, seed }: EncodeRequest,
  data: Uint8Array,
  count: number,
  first: number,
): Record<string, Float32Array> {
  const all: Record<string, Float32Array> = {};
  if (outputs.includes('pixels')) all.pixels = Float32Array.from(data, (value) => value / 255);
  if (!model || !engine) return all;
  Object.assign(all, model.encode(data, count));
  if (outputs.includes('z_sample')) {
    const noise = encoderNoise(engine, seed, first, count, model.latent);
    all.z_sample = noise.map((value, i) => all.z_mean[i] + value * all.z_std[i]);
  }
  return all;
}

/** What an earlier features folder says of its origin; undefined when there is none. */
async function readSource(dir: string): Promise<{ source: unknown; rows: number } | undefined> {
  try {
    return JSON.parse(await readFile(join(dir, 'features.json'), 'utf8')) as { source: unknown; rows: number };
  } catch {
    return undefined;
  }
}
