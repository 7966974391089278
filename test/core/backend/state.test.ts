/** The state of a graph: set, read, and its own. */
import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { openSession } from '../../../src/core/backend/graph/session.js';
import { handleNode, readState, restoreState, stateNodes } from '../../../src/core/backend/graph/state.js';
import { zeros } from '../../../src/core/backend/initialise.js';

const engine = await startEngine({ threads: 2 });
const LENGTH = 16;
/** TensorFlow takes arrays over as they are where they begin at a multiple of this, and copies others. */
const ALIGNMENT = 64;

t.test('variables do not share memory with the arrays they are set from', (t) => {
  // One of each 16 arrays has the alignment, wherever the buffer begins.
  const names = Array.from({ length: ALIGNMENT / 4 }, (_, i) => `v${i}`);
  const specs = names.map((name) => ({
    name,
    shape: [LENGTH],
    dtype: 'float32' as const,
    initialiser: zeros,
    trainable: true,
  }));
  const handles = new Map(specs.map((spec) => [spec.name, handleNode(spec)]));
  const session = openSession(engine, [...handles.values(), ...stateNodes(specs, handles)]);
  const buffer = new Float32Array(specs.length * (LENGTH + 1));
  const values = new Map(
    specs.map(({ name, shape }, i) => {
      const first = i * (LENGTH + 1);
      return [name, { shape, data: buffer.subarray(first, first + LENGTH).fill(i + 1) }];
    }),
  );
  restoreState(session, specs, values);
  buffer.fill(-1);
  const found = readState(session, specs);
  t.same(
    names.map((name) => [...found.get(name)!.data]),
    names.map((_, i) => Array<number>(LENGTH).fill(i + 1)),
  );
  session.close();
  t.end();
});
