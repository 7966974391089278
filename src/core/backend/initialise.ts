/** Initial values of variables, from a seed and the variable's name: independent of order and of other variables. */
import { bool, constant, execute, fill, ints, type } from './executor.js';
import { matMul, mul } from './ops/arithmetic.js';
import { randomNormal } from './ops/random.js';
import { reshape } from './ops/shape.js';
import { size, type Tensor } from './tensor.js';

export type Initialiser =
  | { kind: 'constant'; value: number }
  | { kind: 'normal'; std: number }
  /** Orthogonal matrix (Saxe et al. 2014) of the kernel read as [everything else, outputs]. */
  | { kind: 'orthogonal' };

export const zeros: Initialiser = { kind: 'constant', value: 0 };
export const ones: Initialiser = { kind: 'constant', value: 1 };
export const orthogonal: Initialiser = { kind: 'orthogonal' };
export const normal = (std: number): Initialiser => ({ kind: 'normal', std });

export function initialValue(
  spec: { name: string; shape: readonly number[]; initialiser: Initialiser },
  seed: number,
): Tensor {
  const { shape, initialiser } = spec;
  switch (initialiser.kind) {
    case 'constant':
      return fill(initialiser.value, shape);
    case 'normal':
      return mul(randomNormal(shape, nameSeed(spec.name, seed)), constant(Float32Array.of(initialiser.std), []));
    case 'orthogonal':
      return orthogonalMatrix(shape, nameSeed(spec.name, seed));
  }
}

/** Columns (or rows, when there are fewer of them) are orthonormal and uniformly distributed. */
function orthogonalMatrix(shape: readonly number[], seed: Tensor): Tensor {
  const columns = shape[shape.length - 1];
  const rows = size(shape) / columns;
  const [m, n] = rows >= columns ? [rows, columns] : [columns, rows];
  const normals = randomNormal([m, n], seed);
  const [q, r] = execute(
    'Qr',
    { T: type('float32'), full_matrices: bool(false) },
    [normals],
    [
      { shape: [m, n], dtype: 'float32' },
      { shape: [n, n], dtype: 'float32' },
    ],
  );
  // The sign of R's diagonal makes the distribution uniform (Mezzadri 2007).
  const [diagonal] = execute('MatrixDiagPart', { T: type('float32') }, [r], [{ shape: [n], dtype: 'float32' }]);
  const [sign] = execute('Sign', { T: type('float32') }, [diagonal], [{ shape: [n], dtype: 'float32' }]);
  const uniform = mul(q, sign);
  return reshape(rows >= columns ? uniform : transpose(uniform), shape);
}

function transpose(matrix: Tensor): Tensor {
  const n = matrix.shape[1];
  const identity = new Float32Array(n * n);
  for (let i = 0; i < n; i++) identity[i * n + i] = 1;
  return matMul(constant(identity, [n, n]), matrix, false, true);
}

function nameSeed(name: string, seed: number): Tensor {
  return ints([seed | 0, hash(name)]);
}

/** FNV-1a, 32 bits. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h | 0;
}
