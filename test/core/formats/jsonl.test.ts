import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { appendJsonl, readJsonl, truncateJsonl } from '../../../src/core/formats/jsonl.js';

t.test('appends, reads, truncates', async (t) => {
  const path = join(t.testdir(), 'log.jsonl');
  t.same(await readJsonl(path), []);
  await truncateJsonl(path, 3);
  for (let step = 0; step < 5; step++) await appendJsonl(path, { step, text: 'a\nb' });
  t.same(
    (await readJsonl(path)).map(({ step }) => step),
    [0, 1, 2, 3, 4],
  );
  await truncateJsonl(path, 3);
  t.same(
    (await readJsonl(path)).map(({ step }) => step),
    [0, 1, 2],
  );
  await truncateJsonl(path, 9);
  t.equal((await readJsonl(path)).length, 3);
  await truncateJsonl(path, 0);
  t.equal((await readFile(path)).length, 0);
});

t.test('a line that a crash cut short is dropped', async (t) => {
  const path = join(t.testdir(), 'log.jsonl');
  await appendJsonl(path, { step: 1 });
  await appendFile(path, '{"step": 2, "los');
  t.same(await readJsonl(path), [{ step: 1 }]);
  await appendJsonl(path, { step: 2 });
  t.same(await readJsonl(path), [{ step: 1 }, { step: 2 }]);
  await appendFile(path, '{"step"');
  await truncateJsonl(path, 9);
  t.equal(await readFile(path, 'utf8'), '{"step":1}\n{"step":2}\n');
});

t.test('a complete line that is no JSON is an error with its number', async (t) => {
  const path = join(t.testdir(), 'log.jsonl');
  await writeFile(path, '{"step":1}\nnonsense\n');
  await t.rejects(readJsonl(path), { name: 'UserError', message: /line 2 of .*log.jsonl, got "nonsense"/ });
});

t.test('truncation finds its line in a long file', async (t) => {
  const path = join(t.testdir(), 'log.jsonl');
  const line = (step: number) => `${JSON.stringify({ step, pad: 'x'.repeat(997) })}\n`;
  await writeFile(path, Array.from({ length: 300 }, (_, step) => line(step)).join(''));
  await truncateJsonl(path, 200);
  t.equal(await readFile(path, 'utf8'), Array.from({ length: 200 }, (_, step) => line(step)).join(''));
});
