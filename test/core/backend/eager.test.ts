import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { constant, type Values } from '../../../src/core/backend/executor.js';
import { matMul64 } from '../../../src/core/backend/float64.js';
import { add, cast, scale } from '../../../src/core/backend/ops.js';
import { singularValues } from '../../../src/core/backend/singular-values.js';

const engine = await startEngine();
const vector = (...values: number[]) => constant(Float32Array.from(values), [values.length]);

t.test('a scope frees what it does not return, at any depth', async (t) => {
  const before = engine.alive();
  const kept = engine.scope(() => {
    const a = vector(1, 2);
    const inner = engine.scope(() => ({ deep: [new Map([['sum', add(a, vector(3, 4))]])], dropped: 1 }));
    scale(a, 5);
    return inner;
  });
  t.equal(engine.alive(), before + 1);
  const sum = kept.deep[0].get('sum')!;
  t.same(Array.from(engine.read(sum)), [4, 6]);
  engine.dispose(sum);
  t.equal(engine.alive(), before);
});

t.test('a scope that throws frees everything', async (t) => {
  const before = engine.alive();
  t.throws(
    () =>
      engine.scope(() => {
        add(vector(1), vector(2));
        throw new Error('stop');
      }),
    /stop/,
  );
  t.equal(engine.alive(), before);
});

t.test('what goes in comes out, of every type', async (t) => {
  const cases: Values[] = [
    Float32Array.of(1.5, -0, 3e38),
    Float64Array.of(1 / 3, Number.MAX_VALUE, 5e-324),
    Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1),
    Uint8Array.of(0, 127, 255),
  ];
  const before = engine.alive();
  for (const values of cases) {
    t.same(
      engine.scope(() => engine.read(constant(values, [3]))),
      values,
      values.constructor.name,
    );
  }
  t.equal(engine.alive(), before);
});

t.test('what was read stays when its tensor is gone', async (t) => {
  const read = engine.scope(() => engine.read(vector(1, 2, 3)));
  for (let i = 0; i < 50; i++) engine.scope(() => scale(vector(9, 9, 9), 2));
  t.same(Array.from(read), [1, 2, 3]);
});

t.test('pixels become floats', async (t) => {
  t.same(
    Array.from(engine.scope(() => engine.read(cast(constant(Uint8Array.of(0, 200, 255), [3]), 'float32')))),
    [0, 200, 255],
  );
});

t.test('values that do not fill a shape are refused', async (t) => {
  t.throws(() => constant(new Float32Array(5), [2, 3]), /5 values do not fill the shape \[2,3\]/);
});

t.test('products and singular values in double precision', async (t) => {
  // 1e16 + 1 − 1e16 is 2 in doubles where it is 0 in floats.
  t.same(Array.from(matMul64(engine, Float64Array.of(1e8, 1, 1e8), Float64Array.of(1e8, 2, -1e8), [1, 3, 1])), [2]);
  const [a, b, c, d, e, f] = [1, 2, 3, 4, 5, 6];
  const tall = Float64Array.of(a, b, c, d, e, f);
  // AᵀA with A given as its transpose.
  t.same(Array.from(matMul64(engine, tall, tall, [2, 3, 2], { transposeA: true })), [35, 44, 44, 56]);
  t.same(
    Array.from(matMul64(engine, tall, tall, [3, 2, 3], { transposeB: true })),
    [5, 11, 17, 11, 25, 39, 17, 39, 61],
  );
  // NumPy: svd([[1, 2], [3, 4], [5, 6]])
  const found = singularValues(engine, tall, 3, 2);
  [9.525518091565104, 0.5143005806586441].forEach((value, i) => t.ok(Math.abs(found[i] - value) < 1e-12));
});
