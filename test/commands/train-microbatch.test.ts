/** `train --microbatch` through the command. */

import { join } from 'node:path';
import t from 'tap';
import { sha256File } from '../../src/core/formats/digest.js';
import { readJsonl } from '../../src/core/formats/jsonl.js';
import { readNpy } from '../../src/core/formats/npy/npy.js';
import { readSafetensors } from '../../src/core/formats/safetensors.js';
import { bigbigan } from '../paths.js';
import { digits, SETTINGS, succeed } from './run.js';

const dir = t.testdir();
const data = await digits(join(dir, 'data'));
const run = (name: string) => join(dir, name);
const train = (name: string, ...more: string[]) =>
  succeed(['train', '--data', data, '--run', run(name), ...SETTINGS, '--log-every', '1', ...more]);
const checkpoint = (name: string) => join(run(name), 'checkpoints', '00000004.safetensors');

await train('whole', '--steps', '4');

t.test('a microbatch of the batch size is no microbatch', async (t) => {
  await train('same', '--steps', '4', '--microbatch', '8');
  t.equal(await sha256File(checkpoint('same')), await sha256File(checkpoint('whole')));
});

t.test(
  'a run in microbatches: other numbers, the same state, and it continues as if there had been no break',
  async (t) => {
    await train('split', '--steps', '4', '--microbatch', '4');
    const [split, whole] = await Promise.all(['split', 'whole'].map((name) => readSafetensors(checkpoint(name))));
    t.same([...split.tensors.keys()].sort(), [...whole.tensors.keys()].sort(), 'no sums of gradients');
    t.match(JSON.parse(split.metadata.config), { train: { batchSize: 8, microbatch: 4 } });
    t.notSame(split.tensors.get('encoder/output/kernel'), whole.tensors.get('encoder/output/kernel'));
    const [line] = await readJsonl<Record<string, number>>(join(run('split'), 'log.jsonl'));
    const [other] = await readJsonl<Record<string, number>>(join(run('whole'), 'log.jsonl'));
    t.same(Object.keys(line), Object.keys(other));
    t.ok(
      Math.abs(line.loss_d / other.loss_d - 1) < 0.2,
      `${line.loss_d}, ${other.loss_d}: the same images, labels and noise`,
    );

    await train('broken', '--steps', '2', '--microbatch', '4');
    await train('broken', '--steps', '4', '--microbatch', '4');
    t.equal(await sha256File(checkpoint('broken')), await sha256File(checkpoint('split')));
    const other4 = await bigbigan([
      'train',
      '--data',
      data,
      '--run',
      run('split'),
      ...SETTINGS,
      '--steps',
      '6',
      '--microbatch',
      '2',
    ]);
    t.equal(other4.code, 2);
    t.match(other4.stderr, /was begun with train\.microbatch = 4, not 2/);
    const image = join(dir, 'sheet.png');
    await succeed(['generate', '--run', run('split'), '--count', '4', '--out', image]);
  },
);

t.test("standing statistics are taken over whole batches, as the checkpoint's are", async (t) => {
  const images = async (name: string, ...more: string[]) => {
    await succeed([
      'generate',
      '--run',
      run('split'),
      '--count',
      '4',
      '--precision',
      'float32',
      '--out',
      join(dir, name),
      ...more,
    ]);
    return (await readNpy(join(dir, name))).data as Uint8Array;
  };
  // The preset takes them over 2 batches.
  const [own, anew] = [await images('own.npy'), await images('anew.npy', '--standing-statistics', '2')];
  t.ok(own.every((value, i) => Math.abs(value - anew[i]) <= 1));
});

t.test('--dry-run', async (t) => {
  const estimate = async (...more: string[]) => {
    const { stdout } = await succeed([
      'train',
      '--preset',
      'cifar10',
      '--batch-size',
      '256',
      '--dry-run',
      '--json',
      ...more,
    ]);
    return JSON.parse(stdout) as {
      activation_bytes: number;
      gradient_bytes: number;
      train: { microbatch: number | null };
    };
  };
  const [whole, split] = [await estimate(), await estimate('--microbatch', '32')];
  t.same([whole.train.microbatch, split.train.microbatch], [null, 32]);
  t.ok(
    split.activation_bytes < 0.25 * whole.activation_bytes,
    `${split.activation_bytes} of ${whole.activation_bytes}`,
  );
  t.equal(whole.gradient_bytes, 0);
  const { stdout } = await succeed(['train', '--preset', 'tiny', '--microbatch', '4', '--dry-run']);
  t.match(stdout, /^gradients +[\d.]+ GB: sums over the microbatches$/m);
});

t.test('sizes that cannot be', async (t) => {
  const wrong = await bigbigan(['train', '--preset', 'tiny', '--dry-run', '--microbatch', '3']);
  t.equal(wrong.code, 2);
  t.match(wrong.stderr, /train\.microbatch is 3, which does not divide train\.batchSize, 8/);
});
