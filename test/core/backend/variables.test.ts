import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { constant } from '../../../src/core/backend/executor.js';
import { initialValue, ones } from '../../../src/core/backend/initialise.js';
import { add } from '../../../src/core/backend/ops.js';
import { allocate, declareOnly, type VariableSpec } from '../../../src/core/backend/variables.js';

const engine = await startEngine();
const spec = (name: string, shape: number[]): VariableSpec => ({
  name,
  shape,
  dtype: 'float32',
  initialiser: ones,
  trainable: true,
});
const start = (specs: VariableSpec[]) => allocate(engine, specs, (s) => initialValue(s, 0));
const read = (store: ReturnType<typeof start>, name: string) => Array.from(store.values().get(name)!.data);

t.test('read, assign, set, and two stores that do not meet', async (t) => {
  const before = engine.alive();
  const [one, two] = [start([spec('a', [2])]), start([spec('a', [2])])];
  engine.scope(() => one.assign('a', add(one.read('a'), constant(Float32Array.of(1, 2), [2]))));
  t.same(read(one, 'a'), [2, 3]);
  t.same(read(two, 'a'), [1, 1]);
  two.set('a', Float32Array.of(7, 8));
  t.same(read(two, 'a'), [7, 8]);
  t.throws(() => two.set('a', new Float32Array(3)), /takes 2 values, got 3/);
  one.dispose();
  two.dispose();
  t.equal(engine.alive(), before);
});

t.test('a value that was read does not follow later changes', async (t) => {
  const store = start([spec('a', [2])]);
  engine.scope(() => {
    const earlier = store.read('a');
    store.assign('a', constant(Float32Array.of(5, 5), [2]));
    t.same(Array.from(engine.read(earlier)), [1, 1]);
  });
  const values = store.values();
  store.set('a', Float32Array.of(6, 6));
  t.same(Array.from(values.get('a')!.data), [5, 5]);
  store.dispose();
});

t.test('a variable keeps its value when the array it was set from changes or goes', async (t) => {
  const source = Float32Array.of(1, 2);
  const store = allocate(engine, [spec('a', [2])], () =>
    constant(
      Float32Array.from({ length: 2 }, (_, i) => i + 1),
      [2],
    ),
  );
  store.set('a', source);
  source.fill(9);
  for (let i = 0; i < 100; i++) new Float32Array(1e5).fill(i);
  t.same(read(store, 'a'), [1, 2]);
  store.dispose();
});

t.test('unknown names and other shapes are errors', async (t) => {
  const store = start([spec('a', [2])]);
  t.throws(() => store.read('b'));
  t.throws(() => store.declare(spec('b', [2])), /b is not part of the model/);
  t.throws(() => store.declare(spec('a', [3])), /a has the shape \[2\], not \[3\]/);
  store.dispose();
  const declared = declareOnly();
  declared.declare(spec('a', [2]));
  declared.declare(spec('a', [2]));
  t.throws(() => declared.declare(spec('a', [3])), /a is declared as \[2\] and as \[3\]/);
  t.same([...declared.specs.keys()], ['a']);
});
