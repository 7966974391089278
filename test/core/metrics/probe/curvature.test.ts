import t from 'tap';
import { startEngine } from '../../../../src/core/backend/engine.js';
import { curvature } from '../../../../src/core/metrics/probe/curvature.js';
import { rowTensors } from '../../../../src/core/metrics/probe/row-tensors.js';
import { columnMoments, rowsOf, standardisation } from '../../../../src/core/metrics/rows.js';

const [count, width] = [4000, 16];

/** Random signs, which need no standardising, but a first column that is other than 0 in eight rows of 4000. */
const values = Float32Array.from({ length: count * width }, (_, i) => {
  const [row, column] = [Math.floor(i / width), i % width];
  return column === 0 ? Number(row % 500 === 123) : Math.sin(1e4 * Math.sin(i + 1)) < 0 ? -1 : 1;
});

t.test('the sample knows columns that are rarely other than 0', async (t) => {
  const engine = await startEngine();
  const before = engine.alive();
  const source = rowsOf(values, width);
  const rows = rowTensors(engine, source, { scaling: standardisation(await columnMoments(source)), classes: 2 });
  const { apply, dispose } = (await curvature(engine, rows, 2))!(0.01);
  // Columns are independent: each has 1 / (0.7 / 2 + 0.3 / 2 + 0.01) = 1.96, but 1 / 0.16 = 6.25 where the sample has
  // only zeros.
  for (const column of [0, 1, 9]) {
    const gradient = new Float64Array((width + 1) * 2);
    gradient[2 * column] = 1;
    const own = apply(gradient)[2 * column];
    t.ok(own > 1.4 && own < 2.8, `column ${column}: ${own}`);
  }
  const bias = new Float64Array((width + 1) * 2);
  bias[2 * width] = 1;
  t.equal(apply(bias)[2 * width], 2);
  dispose();
  rows.dispose();
  t.equal(engine.alive(), before);
});
