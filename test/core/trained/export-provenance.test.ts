import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { exportedDistributions, PROVENANCE } from '../../../src/core/trained/export-provenance.js';

const dir = t.testdir();

t.test('a folder without the file is a published module', async (t) => {
  t.same(await exportedDistributions(dir), { prior: 'normal', classes: 1 });
});

t.test('what the exported model was', async (t) => {
  await writeFile(
    join(dir, PROVENANCE),
    JSON.stringify({ config: { model: { prior: 'uniform', classes: 10, latent: 8 } } }),
  );
  t.same(await exportedDistributions(dir), { prior: 'uniform', classes: 10 });
});

t.test('a file that does not tell is refused', async (t) => {
  const models = [
    {},
    { prior: 'normal' },
    { prior: 'cauchy', classes: 1 },
    { prior: 'normal', classes: 0 },
    { prior: 'normal', classes: '2' },
  ];
  const texts = [
    '',
    'no JSON',
    'null',
    '{}',
    '{"config":{}}',
    ...models.map((model) => JSON.stringify({ config: { model } })),
  ];
  for (const text of texts) {
    await writeFile(join(dir, PROVENANCE), text);
    await t.rejects(
      exportedDistributions(dir),
      { name: 'UserError', message: /expected config\.model with its prior and classes/ },
      text,
    );
  }
});
