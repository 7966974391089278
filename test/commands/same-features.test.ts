/** Features of two networks, or with classes numbered differently, are not judged together. */

import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { bigbigan, fixture } from '../paths.js';
import { fails } from './run.js';

const dir = t.testdir();

/** The set of the fixtures, said to be encoded with a network from images of these classes. */
async function encoded(set: 'train' | 'test', name: string, source: object): Promise<string> {
  const path = join(dir, name);
  await cp(fixture(`metrics/knn/${set}`), path, { recursive: true });
  await writeFile(join(path, 'features.json'), JSON.stringify({ source }));
  return path;
}

const [one, other] = ['1'.repeat(64), '2'.repeat(64)];
const judges = (train: string, test: string) => {
  const sets = ['--train', train, '--test', test];
  return [
    ['knn', ...sets, '--k', '1'],
    ['linear-probe', ...sets, '--steps', '20'],
  ];
};

t.test('the network', async (t) => {
  const train = await encoded('train', 'train', { checkpoint_digest: one });
  const wrong = await encoded('test', 'wrong', { checkpoint_digest: other });
  for (const args of judges(train, wrong)) {
    await fails(
      t,
      1,
      args,
      /expected features of the network of .*train \(digest 111111111111\) for .*wrong, got digest 222222222222\n.*same network/,
    );
  }
  const right = await encoded('test', 'right', { checkpoint_digest: one });
  const exported = await encoded('test', 'exported', { checkpoint_digest: null, model_digest: other });
  const [knn, probe] = judges(train, right);
  t.equal((await bigbigan(knn)).code, 0);
  const classifier = join(dir, 'classifier.safetensors');
  t.equal((await bigbigan([...probe, '--out', classifier])).code, 0);
  t.equal((await bigbigan(['linear-probe', '--apply', classifier, '--test', right])).code, 0);
  t.equal(
    (await bigbigan(['linear-probe', '--apply', classifier, '--test', fixture('metrics/knn/test')])).code,
    0,
    'of unknown origin',
  );
  await fails(t, 1, ['linear-probe', '--apply', classifier, '--test', wrong], /digest 222222222222/);
  t.equal(
    (await bigbigan(['linear-probe', '--apply', classifier, '--test', exported])).code,
    0,
    'which may be of the same weights',
  );
});

t.test('the classes', async (t) => {
  const train = await encoded('train', 'cats', { classes: ['cat', 'dog', 'eel', 'fox'] });
  const shifted = await encoded('test', 'dogs', { classes: ['dog', 'eel', 'fox'] });
  for (const args of judges(train, shifted))
    await fails(t, 1, args, /expected class 0 to be "cat" as in .*cats, for .*dogs, got "dog"/);
  const fewer = await encoded('test', 'fewer', { classes: ['cat', 'dog'] });
  for (const args of judges(train, fewer)) t.equal((await bigbigan(args)).code, 0);
});

t.test('L-BFGS that is stopped early says so', async (t) => {
  const train = fixture('metrics/knn/train');
  const args = [
    'linear-probe',
    '--train',
    train,
    '--test',
    fixture('metrics/knn/test'),
    '--solver',
    'lbfgs',
    '--penalties',
    '0.01',
    '--json',
  ];
  const early = await bigbigan([...args, '--iterations', '1']);
  t.match(early.stderr, /stopped before the optimum, at --iterations 1/);
  t.match(JSON.parse(early.stdout), { converged: false, protocol: /stopped before the optimum/ });
  const done = await bigbigan(args);
  t.notMatch(done.stderr, /optimum/);
  t.match(JSON.parse(done.stdout), { converged: true, protocol: /to the optimum/ });
});
