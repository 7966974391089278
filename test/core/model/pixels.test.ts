import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { constant } from '../../../src/core/backend/executor.js';
import { fromPixels, toPixels } from '../../../src/core/model/pixels.js';

const engine = await startEngine();

t.test('all 256 levels to [−1, 1] and back', async (t) => {
  const levels = Uint8Array.from({ length: 256 }, (_, i) => i);
  const values = engine.scope(() => engine.read(fromPixels(constant(levels.slice(), [256])))) as Float32Array;
  t.ok(values.every((value, i) => Math.abs(value - (i / 127.5 - 1)) < 1e-6));
  t.equal(values[0], -1);
  t.equal(values[255], 1);
  t.same(toPixels(values), levels);
});

t.test('to the nearest level, and within 0 and 255', async (t) => {
  t.same(
    Array.from(toPixels(Float32Array.of(-1.5, 1.5, 0, 10.4 / 127.5 - 1, 10.6 / 127.5 - 1))),
    [0, 255, 128, 10, 11],
  );
});
