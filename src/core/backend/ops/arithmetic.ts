/** Elementwise arithmetic with NumPy's broadcasting, and sums. */

import { bool, execute1, ints, scalar, type } from '../executor.js';
import { differentiable } from '../gradient.js';
import { sameShape, type Tensor } from '../tensor.js';
import { reshape } from './shape.js';

export function add(a: Tensor, b: Tensor): Tensor {
  return differentiable(binary('AddV2', a, b), [a, b], (dy) => [() => sumTo(dy, a.shape), () => sumTo(dy, b.shape)]);
}

export function sub(a: Tensor, b: Tensor): Tensor {
  return differentiable(binary('Sub', a, b), [a, b], (dy) => [() => sumTo(dy, a.shape), () => sumTo(neg(dy), b.shape)]);
}

export function mul(a: Tensor, b: Tensor): Tensor {
  return differentiable(binary('Mul', a, b), [a, b], (dy) => [
    () => sumTo(mul(dy, b), a.shape),
    () => sumTo(mul(dy, a), b.shape),
  ]);
}

/** a / b; only `a` gets a gradient. */
export function div(a: Tensor, b: Tensor): Tensor {
  return differentiable(binary('RealDiv', a, b), [a], (dy) => [() => sumTo(div(dy, b), a.shape)]);
}

/** The larger of the two; no gradient. */
export function maximum(a: Tensor, b: Tensor): Tensor {
  return binary('Maximum', a, b);
}

export function neg(x: Tensor): Tensor {
  return differentiable(unary('Neg', x), [x], (dy) => [() => neg(dy)]);
}

/** x · factor, for a number fixed when the function is written. */
export function scale(x: Tensor, factor: number): Tensor {
  return mul(x, scalar(factor));
}

export function addScalar(x: Tensor, value: number): Tensor {
  return add(x, scalar(value));
}

/** 1/√x; no gradient. */
export function rsqrt(x: Tensor): Tensor {
  return unary('Rsqrt', x);
}

export function sqrt(x: Tensor): Tensor {
  return unary('Sqrt', x);
}

export function abs(x: Tensor): Tensor {
  return unary('Abs', x);
}

/** 0 everywhere in the shape of `x`; no gradient. */
export function zerosLike(x: Tensor): Tensor {
  return unary('ZerosLike', x);
}

/** Sum over `axes` (all when absent), which are kept as 1 with `keep`. */
export function sum(x: Tensor, axes?: readonly number[], keep = false): Tensor {
  return reduce('Sum', x, axes, keep, (dy) => dy);
}

export function mean(x: Tensor, axes?: readonly number[], keep = false): Tensor {
  const over = axes ?? x.shape.map((_, i) => i);
  const count = over.reduce((product, axis) => product * x.shape[axis], 1);
  return reduce('Mean', x, axes, keep, (dy) => scale(dy, 1 / count));
}

function reduce(
  op: string,
  x: Tensor,
  axes: readonly number[] | undefined,
  keep: boolean,
  back: (dy: Tensor) => Tensor,
) {
  const over = axes ?? x.shape.map((_, i) => i);
  const kept = x.shape.map((n, i) => (over.includes(i) ? 1 : n));
  const shape = keep ? kept : x.shape.filter((_, i) => !over.includes(i));
  const attributes = { T: type(x.dtype), Tidx: type('int32'), keep_dims: bool(keep) };
  const y = execute1(op, attributes, [x, ints(over)], { shape, dtype: x.dtype });
  return differentiable(y, [x], (dy) => [() => broadcastTo(reshape(back(dy), kept), x.shape)]);
}

export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const attributes = { T: type(x.dtype), Tidx: type('int32') };
  return differentiable(execute1('BroadcastTo', attributes, [x, ints(shape)], { shape, dtype: x.dtype }), [x], (dy) => [
    () => sumTo(dy, x.shape),
  ]);
}

/** Undoes broadcasting: sums over the axes along which `shape` was spread to x's shape. */
function sumTo(x: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.shape.length - shape.length;
  const axes = x.shape.map((_, i) => i).filter((i) => i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1));
  return reshape(sum(x, axes), shape);
}

function unary(op: string, x: Tensor): Tensor {
  return execute1(op, { T: type(x.dtype) }, [x], { shape: x.shape, dtype: x.dtype });
}

function binary(op: string, a: Tensor, b: Tensor): Tensor {
  return execute1(op, { T: type(a.dtype) }, [a, b], { shape: broadcastShape(op, a.shape, b.shape), dtype: a.dtype });
}

function broadcastShape(op: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const m = a[i - rank + a.length] ?? 1;
    const n = b[i - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) throw new Error(`${op}: the shapes [${a}] and [${b}] do not fit together`);
    return Math.max(m, n);
  });
}

/** [m,k]·[k,n] with either side read transposed; also for float64, then without gradient needs. */
export function matMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  const [m, k] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
  const [k2, n] = transposeB ? [b.shape[1], b.shape[0]] : b.shape;
  if (k !== k2) throw new Error(`matMul: inner sizes ${k} and ${k2} differ`);
  const attributes = { T: type(a.dtype), transpose_a: bool(transposeA), transpose_b: bool(transposeB) };
  const y = execute1('MatMul', attributes, [a, b], { shape: [m, n], dtype: a.dtype });
  return differentiable(y, [a, b], (dy) => [
    () => (transposeA ? matMul(b, dy, transposeB, true) : matMul(dy, b, false, !transposeB)),
    () => (transposeB ? matMul(dy, a, true, transposeA) : matMul(a, dy, !transposeA, false)),
  ]);
}

/** [n,m,k]·[n,k,p] matrix by matrix, with either side read transposed. */
export function batchMatMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  const [n, m, k] = transposeA ? [a.shape[0], a.shape[2], a.shape[1]] : a.shape;
  const [n2, k2, p] = transposeB ? [b.shape[0], b.shape[2], b.shape[1]] : b.shape;
  if (n !== n2 || k !== k2)
    throw new Error(`batchMatMul: the shapes [${a.shape}] and [${b.shape}] do not fit together`);
  const attributes = { T: type(a.dtype), adj_x: bool(transposeA), adj_y: bool(transposeB) };
  const y = execute1('BatchMatMulV2', attributes, [a, b], { shape: [n, m, p], dtype: a.dtype });
  return differentiable(y, [a, b], (dy) => [
    () => (transposeA ? batchMatMul(b, dy, transposeB, true) : batchMatMul(dy, b, false, !transposeB)),
    () => (transposeB ? batchMatMul(dy, a, true, transposeA) : batchMatMul(a, dy, !transposeA, false)),
  ]);
}

/** a < b, bool; no gradient. */
export function less(a: Tensor, b: Tensor): Tensor {
  const shape = broadcastShape('Less', a.shape, b.shape);
  return execute1('Less', { T: type(a.dtype) }, [a, b], { shape, dtype: 'bool' });
}

export function cast(x: Tensor, dtype: Tensor['dtype']): Tensor {
  if (x.dtype === dtype) return x;
  const y = execute1('Cast', { SrcT: type(x.dtype), DstT: type(dtype) }, [x], { shape: x.shape, dtype });
  return differentiable(y, [x], (dy) => [() => cast(dy, x.dtype)]);
}
