/** Distances in the features of a trained encoder: computed from images, or written by `encode`. */

import { readdirSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readNpy, writeNpy } from '../../src/core/formats/npy/npy.js';
import { readNpz } from '../../src/core/formats/zip/npz.js';
import { bigbigan } from '../paths.js';
import { distance } from './fid-run.js';
import { digits, fails, SETTINGS, succeed, trained } from './run.js';

const dir = t.testdir();
const path = (...names: string[]) => join(dir, ...names);
const [images, run, file, features] = ['images', 'run', 'real.npz', 'features'].map((name) => path(name));
const encoder = ['--extractor', `encoder:${run}`];

t.before(async () => {
  await trained(run, await digits(images));
  await succeed(['encode', '--run', run, '--data', images, '--out', features, '--precision', 'float32', '--quiet']);
});

/** The same features, said to come from elsewhere. */
async function pretending(name: string, source: object): Promise<string> {
  await cp(features, path(name), { recursive: true });
  const manifest = join(path(name), 'features.json');
  const said = JSON.parse(await readFile(manifest, 'utf8')) as { source: object };
  await writeFile(manifest, JSON.stringify({ ...said, source: { ...said.source, ...source } }));
  return path(name);
}

t.test('images through the encoder, and what encode wrote of them, are the same side', async (t) => {
  const own = await distance(t, [images, images, ...encoder, '--stats-out', file, '--batch-size', '7']);
  t.ok(Math.abs(own.frechet_distance) < 1e-9);
  const extractor = {
    name: 'encoder',
    label: 'encoder avepool (average weights)',
    digest: /^[0-9a-f]{64}$/,
    precision: 'float32',
    width: 16,
  };
  t.match(own, { real: { kind: 'images', n: 40 }, extractor });
  const encoded = await distance(t, [file, features]);
  t.ok(Math.abs(encoded.frechet_distance) < 1e-6, `${encoded.frechet_distance}`);
  t.match(encoded, {
    fake: { path: join(features, 'avepool.npy'), kind: 'features', n: 40, network: /encoder avepool .*, float32/ },
    extractor,
  });
  const means = await distance(t, [features, features, '--feature', 'z_mean']);
  t.match(means, {
    real: { path: join(features, 'z_mean.npy') },
    extractor: { label: 'encoder z_mean (average weights)', width: 8 },
  });
});

t.test(
  'features of another arithmetic, network or output are refused; those without features.json are taken at their word',
  async (t) => {
    const rounded = await pretending('rounded', { precision: 'bf16' });
    await fails(
      t,
      1,
      ['fid', images, rounded, ...encoder],
      /expected features in float32 as in .*images for .*rounded.avepool\.npy, got bf16\n.*--precision/,
    );
    const both = await distance(t, [rounded, join(rounded, 'avepool.npy'), '--stats-out', path('rounded.npz')]);
    t.match(both, { extractor: { precision: 'bf16' } });
    await fails(
      t,
      1,
      ['fid', path('rounded.npz'), features],
      /expected features in bf16 as in .*rounded\.npz for .*, got float32/,
    );
    const other = await pretending('other', { checkpoint_digest: '2'.repeat(64) });
    await fails(
      t,
      1,
      ['fid', features, other],
      /expected features of encoder avepool .* for .*other.avepool\.npy, got .* with weights 222222222222/,
    );
    await fails(
      t,
      1,
      ['fid', join(features, 'z_mean.npy'), join(features, 'z_std.npy')],
      /features of encoder z_mean .*, got encoder z_std/,
    );
    await fails(
      t,
      1,
      ['fid', features, features, '--feature', 'pool'],
      /pool\.npy for --feature pool in .*features, got avepool, bn_crelu/,
    );

    const changed = join(other, 'avepool.npy');
    const { shape, data } = await readNpy(changed);
    await writeNpy(
      changed,
      shape,
      Float32Array.from(data as Float32Array, (value) => value + 1),
    );
    await fails(t, 1, ['fid', features, other], /expected SHA-256 .* as features\.json says for .*other.avepool\.npy/);
    await rm(join(other, 'features.json'));
    const unknown = await bigbigan(['fid', features, other, '--json']);
    t.match(unknown.stderr, /warning: .*other.avepool\.npy does not say which network/);
    t.match(JSON.parse(unknown.stdout), { real: { network: /float32/ }, fake: { network: null } });
    // 16 features, each of which moved by 1.
    t.ok(Math.abs((JSON.parse(unknown.stdout) as { frechet_distance: number }).frechet_distance - 16) < 1e-4);
  },
);

t.test('an exported encoder gives its features by signature and output', async (t) => {
  const [exported, statistics] = [path('exported'), path('exported.npz')];
  await succeed(['export', '--run', run, '--out', exported, '--quiet']);
  const network = (output: string) => ['--extractor', `saved-model:${exported}${output}`];
  await succeed(['fid', images, ...network(':encode/avepool_feat'), '--stats-out', statistics, '--quiet']);
  const [own, others] = [await readNpz(file), await readNpz(statistics)];
  for (const name of ['mu', 'sigma']) {
    const [a, b] = [own, others].map((arrays) => arrays[name].data as Float64Array);
    t.ok(
      a.every((value, i) => Math.abs(value - b[i]) < 1e-5),
      name,
    );
  }
  await fails(
    t,
    1,
    ['fid', images, images, ...network(':avepool')],
    /expected one of the float outputs .*encode\/avepool_feat, .* for .*exported, got avepool\n/,
  );
});

t.test('a later checkpoint is another network', async (t) => {
  await succeed(['train', '--data', images, '--run', run, ...SETTINGS, '--steps', '3', '--quiet']);
  await fails(t, 1, ['fid', file, images, ...encoder], /expected features of encoder avepool .* with weights/);
  const [first] = readdirSync(join(run, 'checkpoints')).sort();
  const earlier = await distance(t, [file, images, '--extractor', `encoder:${join(run, 'checkpoints', first)}`]);
  t.ok(Math.abs(earlier.frechet_distance) < 1e-6);
});
