/** Linear algebra in double precision on the engine, for statistics: arrays in, arrays out. */
import type { EagerExecutor } from './eager.js';
import { bool, type } from './executor.js';
import { matMul } from './ops/arithmetic.js';

/** C = op(A)·op(B), row-major. A is [m,k] ([k,m] when transposed), B [k,n] ([n,k] when transposed). */
export function matMul64(
  engine: EagerExecutor,
  a: Float64Array,
  b: Float64Array,
  [m, k, n]: [number, number, number],
  { transposeA = false, transposeB = false } = {},
): Float64Array {
  return engine.scope(() => {
    const left = engine.constant(a, transposeA ? [k, m] : [m, k], 'float64');
    const right = engine.constant(b, transposeB ? [n, k] : [k, n], 'float64');
    return engine.read(matMul(left, right, transposeA, transposeB)) as Float64Array;
  });
}

/** The inverse of a matrix [n,n]. */
export function inverse64(engine: EagerExecutor, matrix: Float64Array, n: number): Float64Array {
  return engine.scope(() => {
    const attributes = { T: type('float64'), adjoint: bool(false) };
    const input = engine.constant(matrix, [n, n], 'float64');
    const [result] = engine.execute('MatrixInverse', attributes, [input], [{ shape: [n, n], dtype: 'float64' }]);
    return engine.read(result) as Float64Array;
  });
}

/** Eigenvalues, smallest first, and on demand eigenvectors (columns) of a symmetric matrix [n,n]. */
export function symmetricEigen(
  engine: EagerExecutor,
  matrix: Float64Array,
  n: number,
  vectors: boolean,
): { values: Float64Array; vectors: Float64Array } {
  return engine.scope(() => {
    const [values, columns] = engine.execute(
      'SelfAdjointEigV2',
      { T: type('float64'), compute_v: bool(vectors) },
      [engine.constant(matrix, [n, n], 'float64')],
      [
        { shape: [n], dtype: 'float64' },
        { shape: vectors ? [n, n] : [-1], dtype: 'float64' },
      ],
    );
    return {
      values: engine.read(values) as Float64Array,
      vectors: vectors ? (engine.read(columns) as Float64Array) : new Float64Array(0),
    };
  });
}
