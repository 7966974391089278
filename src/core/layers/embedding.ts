import { orthogonal } from '../backend/initialise.js';
import { oneHot } from '../backend/ops/search.js';
import { matMul } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import { parameter, type Scope } from './scope.js';
import { spectrallyNormalised } from './spectral-norm.js';

/** Rows of a learned table [classes, width] for labels int32 [n] → [n, width]. */
export function embedding(
  scope: Scope,
  labels: Tensor,
  classes: number,
  width: number,
  { spectralNorm = false }: { spectralNorm?: boolean } = {},
): Tensor {
  const table = parameter(scope, 'kernel', [classes, width], orthogonal);
  return matMul(oneHot(labels, classes), spectralNorm ? spectrallyNormalised(scope, table) : table);
}
