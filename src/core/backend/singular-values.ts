/** Singular values in double precision: arrays in, arrays out. */
import type { EagerExecutor } from './eager.js';
import { bool, type } from './executor.js';

/** Singular values of a matrix [m, n], largest first. */
export function singularValues(engine: EagerExecutor, matrix: Float64Array, m: number, n: number): Float64Array {
  return engine.scope(() => {
    const [values] = engine.execute(
      'Svd',
      { T: type('float64'), compute_uv: bool(false), full_matrices: bool(false) },
      [engine.constant(matrix, [m, n], 'float64')],
      // Without vectors the two other outputs are empty.
      [
        { shape: [Math.min(m, n)], dtype: 'float64' },
        { shape: [-1], dtype: 'float64' },
        { shape: [-1], dtype: 'float64' },
      ],
    );
    return engine.read(values) as Float64Array;
  });
}
