/**
 * Images a second that the loader decodes and crops: 32 x 32 PNG at 32 pixels, and JPEG of 400 x 350 at 128 and 256.
 * The images are made up: coarse noise, enlarged, as of a photograph's shapes, with fine noise on it.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { openDataset } from '../src/core/data/dataset/dataset.js';
import { prepareDataset } from '../src/core/data/dataset/prepare.js';
import { CROPS, type Crop } from '../src/core/data/loading/crop.js';
import { createLoader } from '../src/core/data/loading/loader.js';
import { integerRandom } from '../src/core/data/random.js';
import { align } from './table.js';

/** Three batches of images. */
const EPOCH = 3;
const SOURCES = [
  { format: 'png', width: 32, height: 32, resolutions: [32] },
  { format: 'jpeg', width: 400, height: 350, resolutions: [128, 256] },
] as const;

export interface DecodingRate {
  source: string;
  mean_bytes: number;
  resolution: number;
  crop: Crop;
  workers: number;
  images_per_second: number;
  /** Processor time of all threads, which other programs on the machine hardly change. */
  cpu_ms_per_image: number;
}

/**
 * Rates over so many batches of 64 (8 where `small`), with one thread and, where there are more, with one a processor.
 */
export async function decodingRates(folder: string, batches: number, small: boolean): Promise<DecodingRate[]> {
  const rates: DecodingRate[] = [];
  const batchSize = small ? 8 : 64;
  const count = EPOCH * batchSize;
  for (const { format, width, height, resolutions } of SOURCES) {
    const images = join(folder, format);
    const mean = await makeImages(images, count, format, width, height);
    const out = `${images}-data`;
    await prepareDataset({ sources: [images], out, holdoutOut: '', seed: 0, shardSize: count, version: 'bench' });
    for (const resolution of resolutions) {
      for (const crop of CROPS) {
        for (const workers of new Set([1, availableParallelism()])) {
          const measured = await measure(out, resolution, crop, workers, { batches, batchSize });
          rates.push({
            source: `${format} ${width}x${height}`,
            mean_bytes: mean,
            resolution,
            crop,
            workers,
            ...measured,
          });
        }
      }
    }
  }
  return rates;
}

export function dataTable(rates: readonly DecodingRate[]): string {
  const rows = rates.map(({ source, mean_bytes, resolution, crop, workers, images_per_second, cpu_ms_per_image }) => [
    `${source}, ${(mean_bytes / 1000).toFixed(1)} kB`,
    String(resolution),
    crop,
    String(workers),
    images_per_second.toFixed(0),
    cpu_ms_per_image.toFixed(2),
  ]);
  return align([['images', 'pixels', 'crop', 'threads', 'images/s', 'CPU ms/image'], ...rows]);
}

async function measure(
  dir: string,
  resolution: number,
  crop: Crop,
  workers: number,
  { batches, batchSize }: { batches: number; batchSize: number },
) {
  const dataset = await openDataset(dir, { resolution });
  const loader = createLoader(dataset, { batchSize, seed: 0, crop, workers });
  // From then on two batches are always ahead, and one is made for each that is taken.
  for (let step = 0; step < 3; step++) await loader.batch(step);
  const [begun, used] = [performance.now(), process.cpuUsage()];
  for (let step = 3; step < 3 + batches; step++) await loader.batch(step);
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(used);
  await loader.close();
  await dataset.close();
  const images = batches * batchSize;
  return { images_per_second: images / seconds, cpu_ms_per_image: (user + system) / 1000 / images };
}

/** Their mean length in bytes. */
async function makeImages(
  dir: string,
  count: number,
  format: 'png' | 'jpeg',
  width: number,
  height: number,
): Promise<number> {
  await mkdir(dir);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const random = integerRandom(0, i);
    const [w, h] = [Math.ceil(width / 8), Math.ceil(height / 8)];
    const coarse = Uint8Array.from({ length: w * h * 3 }, () => random.below(256));
    const shapes = await sharp(coarse, { raw: { width: w, height: h, channels: 3 } })
      .resize(width, height, { fit: 'fill' })
      .raw()
      .toBuffer();
    const pixels = Uint8ClampedArray.from(shapes, (value) => value + random.below(17) - 8);
    const bytes = await sharp(pixels, { raw: { width, height, channels: 3 } })
      .toFormat(format, { quality: 90 })
      .toBuffer();
    await writeFile(join(dir, `${i}.${format}`), bytes);
    total += bytes.length;
  }
  return total / count;
}
