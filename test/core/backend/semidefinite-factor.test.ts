import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { semidefiniteFactor } from '../../../src/core/backend/semidefinite-factor.js';

/** XᵀX of a matrix [rows, width] of fixed numbers without a pattern. */
function gram(rows: number, width: number): Float64Array {
  const x = Float64Array.from({ length: rows * width }, (_, i) => {
    const h = Math.imul(i ^ (i >>> 16) ^ 0x5bd1, 0x7feb352d);
    return Math.imul(h ^ (h >>> 15), 0x846ca68b) / 2 ** 31;
  });
  return Float64Array.from({ length: width * width }, (_, at) => {
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += x[r * width + Math.floor(at / width)] * x[r * width + (at % width)];
    return sum;
  });
}

function largestError(matrix: Float64Array, factor: Float64Array, rank: number, n: number): number {
  let error = 0;
  for (let at = 0; at < n * n; at++) {
    let value = 0;
    for (let k = 0; k < rank; k++) value += factor[k * n + Math.floor(at / n)] * factor[k * n + (at % n)];
    error = Math.max(error, Math.abs(value - matrix[at]));
  }
  return error;
}

t.test('FᵀF is the matrix again, for full and for missing rank, within a block and across', async (t) => {
  const engine = await startEngine();
  for (const [rows, width, rank] of [
    [400, 300, 300],
    [200, 300, 200],
    [50, 300, 50],
    [3, 2, 2],
    [1, 4, 1],
  ]) {
    const matrix = gram(rows, width);
    const factor = semidefiniteFactor(engine, matrix, width);
    t.equal(factor.rank, rank, `${rows} rows of ${width}`);
    t.ok(largestError(matrix, factor.rows, factor.rank, width) < 1e-11 * rows, `${rows} rows of ${width}`);
  }
});

t.test('a matrix of zeros has no rank, and rows shrink from first to last', async (t) => {
  const engine = await startEngine();
  t.equal(semidefiniteFactor(engine, new Float64Array(9), 3).rank, 0);
  const diagonal = Float64Array.of(1, 0, 0, 0, 9, 0, 0, 0, 4);
  t.same(semidefiniteFactor(engine, diagonal, 3), { rank: 3, rows: Float64Array.of(0, 3, 0, 0, 0, 2, 1, 0, 0) });
});

t.test('nothing stays behind in the engine', async (t) => {
  const engine = await startEngine();
  const before = engine.alive();
  semidefiniteFactor(engine, gram(300, 300), 300);
  t.equal(engine.alive(), before);
});
