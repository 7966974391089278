/** Small folders of features, as NumPy may have written them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeNpy } from '../../src/core/formats/npy/npy.js';

/** `avepool.npy` of whole numbers from 0 to 4, and `labels.npy` where there are labels, which need not be one a row. */
export async function features(dir: string, rows: number, width: number, labels?: number[]): Promise<string> {
  await mkdir(dir, { recursive: true });
  await writeNpy(
    join(dir, 'avepool.npy'),
    [rows, width],
    Float32Array.from({ length: rows * width }, (_, i) => (i * 7) % 5),
  );
  if (labels) await writeNpy(join(dir, 'labels.npy'), [labels.length], Int32Array.from(labels));
  return dir;
}
