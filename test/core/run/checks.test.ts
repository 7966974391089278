import t from 'tap';
import type { Config } from '../../../src/core/config/config.js';
import { preset } from '../../../src/core/config/presets.js';
import { checkSameRun } from '../../../src/core/run/checks.js';

const changed = (change: (config: Config) => void): Config => {
  const config = preset('tiny');
  change(config);
  return config;
};

t.test('the total of steps and the order of scores may change, nothing else', async (t) => {
  const now = preset('tiny');
  checkSameRun(
    'run',
    changed(({ train }) => (train.steps = 7)),
    now,
  );
  checkSameRun(
    'run',
    changed(({ model }) => (model.discriminator.scores = ['z', 'x', 'xz'])),
    now,
  );
  const refused = { exitCode: 2, message: /^run was begun with / };
  t.throws(
    () =>
      checkSameRun(
        'run',
        changed(({ model }) => (model.discriminator.scores = ['xz', 'x'])),
        now,
      ),
    refused,
  );
  t.throws(
    () =>
      checkSameRun(
        'run',
        changed(({ model }) => (model.latent = 4)),
        now,
      ),
    { message: 'run was begun with model.latent = 4, not 8' },
  );
  t.throws(
    () => checkSameRun('run', { model: { discriminator: { scores: 'xz' } } } as unknown as Config, now),
    refused,
    'a damaged file',
  );
});
