/** What training leaves in the engine: nothing. */
import t from 'tap';
import { config, engine } from '../model/tiny.js';
import { images, start } from './runs.js';

for (const execution of ['eager', 'traced'] as const) {
  t.test(
    `${execution}: steps, statistics and inference leave no tensors behind, a trainer that is disposed of nothing`,
    async (t) => {
      const empty = engine.alive();
      const trainer = start(config('train.flip=true'), execution);
      const data = images(8);
      trainer.step(0, data);
      const before = engine.alive();
      for (let i = 1; i <= 10; i++) {
        trainer.step(i, data);
        t.equal(engine.alive(), before, `step ${i}`);
      }
      await trainer.takeStatistics(() => [{ images: data }, { images: data }]);
      trainer.values();
      trainer.model.encode(data.subarray(0, 1024), 1);
      t.equal(engine.alive(), before);
      trainer.dispose();
      t.equal(engine.alive(), empty);
    },
  );
}
