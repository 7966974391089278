/**
 * Writes a features folder of any size from a known model, for trying out `knn` and `linear-probe` at scale:
 *   node scripts/make-features.mjs /tmp/features --rows 1281167 --width 2048 --classes 1000 --seed 0
 * The class c of a row is drawn evenly; the row is max(0, centre[c] + noise), centres and noise being normal. Another
 * --seed gives other rows of the same classes. ImageNet's size is 10.5 GB and takes about a minute.
 */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { integerRandom } from '../dist/src/core/data/random.js';
import { npyHeader, writeNpy } from '../dist/src/core/formats/npy/npy.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '1281167' },
    width: { type: 'string', default: '2048' },
    classes: { type: 'string', default: '1000' },
    separation: { type: 'string', default: '0.15' },
    seed: { type: 'string', default: '0' },
  },
});
const [rows, width, classes, separation] = ['rows', 'width', 'classes', 'separation'].map((name) =>
  Number(values[name]),
);
const [dir] = positionals;

/** Normal numbers by Box and Muller. */
function normals(length, seed) {
  const random = integerRandom(seed, 7);
  const uniform = () => (random.next() + 0.5) / 2 ** 32;
  return Float32Array.from({ length }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

const centres = normals(classes * width, 1234567).map((value) => value * separation);
/** Every row takes its noise from random places of this table, 64 numbers at a time. */
const table = normals(1 << 20, Number(values.seed) + 1);
const random = integerRandom(Number(values.seed), 8);
const labels = Int32Array.from({ length: rows }, () => random.below(classes));

await mkdir(dir, { recursive: true });
const file = createWriteStream(join(dir, 'avepool.npy'));
file.write(npyHeader('float32', [rows, width]));
const CHUNK = 2048;
for (let first = 0; first < rows; first += CHUNK) {
  const count = Math.min(CHUNK, rows - first);
  const data = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    const centre = labels[first + row] * width;
    let from = 0;
    for (let j = 0; j < width; j++) {
      if (j % 64 === 0) from = random.below(table.length - 64) - j;
      const value = centres[centre + j] + table[from + j];
      data[row * width + j] = Math.max(value, 0);
    }
  }
  if (!file.write(new Uint8Array(data.buffer))) await once(file, 'drain');
}
file.end();
await once(file, 'close');
await writeNpy(join(dir, 'labels.npy'), [rows], labels);
