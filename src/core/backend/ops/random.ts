/** Random numbers that depend on a seed alone: the same in any order of execution, eager or traced. */
import { execute1, int, ints, type } from '../executor.js';
import type { Tensor } from '../tensor.js';

/** N(0, 1), float32. `seed` is an int32 tensor [2]. */
export function randomNormal(shape: readonly number[], seed: Tensor): Tensor {
  return draw('StatelessRandomNormal', shape, seed);
}

/** U[0, 1), float32. `seed` is an int32 tensor [2]. */
export function randomUniform(shape: readonly number[], seed: Tensor): Tensor {
  return draw('StatelessRandomUniform', shape, seed);
}

function draw(op: string, shape: readonly number[], seed: Tensor): Tensor {
  const attributes = { dtype: type('float32'), T: type('int32'), Tseed: type('int32') };
  return execute1(op, attributes, [ints(shape), seed], { shape, dtype: 'float32' });
}

/** N(0, 1) of the shape of `x`, float32, other numbers at every call: for graphs that others run, without a seed. */
export function freshNormal(x: Tensor): Tensor {
  const shape = execute1('Shape', { T: type(x.dtype), out_type: type('int32') }, [x], {
    shape: [x.shape.length],
    dtype: 'int32',
  });
  const attributes = { dtype: type('float32'), T: type('int32'), seed: int(0), seed2: int(0) };
  return execute1('RandomStandardNormal', attributes, [shape], { shape: x.shape, dtype: 'float32' });
}
