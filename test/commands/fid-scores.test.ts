/** Scores beside the distance, single rows, shards, and the forms in which sets come. */

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { sha256File } from '../../src/core/formats/digest.js';
import { readNpy, writeNpy } from '../../src/core/formats/npy/npy.js';
import { readNpz, writeNpz } from '../../src/core/formats/zip/npz.js';
import { formulaRows } from '../core/metrics/formula.js';
import { bigbigan, fixture, root, run } from '../paths.js';
import { close, distance, fake, golden, model, network, type Result, real } from './fid-run.js';

t.test(
  'KID, precision and recall of features, as scikit-learn and SciPy have them; single rows come from any form',
  async (t) => {
    const dir = t.testdir();
    const scores = JSON.parse(readFileSync(fixture('metrics/scores.json'), 'utf8')) as {
      kid: Array<{ n: number; width: number; mmd: number }>;
      precision_recall: Array<{ n: [number, number]; width: number; precision: number; recall: number }>;
    };
    const file = (name: string) => join(dir, name);
    const { n, width, mmd } = scores.kid[2];
    const [real, fake] = [formulaRows(1, n, width), formulaRows(2, n, width)];
    await writeNpy(file('real.npy'), [n, width], real);
    await writeNpy(file('fake.npy'), [n, width], fake);
    await writeNpz(file('real.npz'), { feats: { shape: [n, width], data: real } });
    const kid = ['--metrics', 'kid', '--kid-subset-size', String(n), '--kid-subsets', '2'];
    const result = await distance(t, [file('real.npy'), file('fake.npy'), ...kid]);
    t.match(result, { protocol: { kid: { subsets: 2, subset_size: n, seed: 0 } } });
    close(t, result.kid as number, mmd, 1e-6, 'KID');
    t.ok((result.kid_std as number) < 1e-9);
    t.notOk('precision' in result || 'inception_score' in result || 'fid' in result);
    const others = await distance(t, [file('real.npz'), '-', ...kid], await readFile(file('fake.npy')));
    close(t, others.kid as number, mmd, 1e-6, "clean-fid's feats against a stream");
    close(t, others.frechet_distance, result.frechet_distance, 1e-12, 'distance');

    const [pr] = scores.precision_recall;
    await writeNpy(file('a.npy'), [pr.n[0], pr.width], formulaRows(1, pr.n[0], pr.width));
    await writeNpy(file('b.npy'), [pr.n[1], pr.width], formulaRows(2, pr.n[1], pr.width));
    t.match(await distance(t, [file('a.npy'), file('b.npy'), '--metrics', 'fid,pr']), {
      precision: pr.precision,
      recall: pr.recall,
    });

    // Statistics that keep the rows.
    const kept = await distance(t, [file('real.npy'), file('fake.npy'), ...kid, '--stats-out', file('kept.npz')]);
    t.equal((await distance(t, [file('kept.npz'), file('fake.npy'), ...kid])).kid, kept.kid);
    const { stdout } = await bigbigan(['fid', file('kept.npz'), file('fake.npy'), ...kid, '-q']);
    t.match(stdout, /^Fréchet distance .*\nKID 0\.0566\d+ ± \d/);
  },
);

t.test('shards of a set, made in any way, give the number of the whole: make and the shell', async (t) => {
  const dir = t.testdir();
  const whole = await distance(t, [
    real,
    fake,
    ...network(':features'),
    '--metrics',
    'fid,kid,pr',
    '--kid-subset-size',
    '40',
    '--stats-out',
    join(dir, 'real.npz'),
  ]);
  const program = `${process.execPath} ${join(root, 'bin', 'bigbigan.js')}`;
  const variables = [
    `BIGBIGAN=${program}`,
    `REAL=${real}`,
    `FAKE=${fake}`,
    `EXTRACTOR=saved-model:${model}:features`,
    `OUT=${dir}`,
  ];
  const made = await run('make', [
    '-j',
    '2',
    '-f',
    join(root, 'examples/shards/Makefile'),
    'SHARDS=3',
    'METRICS=fid,kid,pr',
    'FIDFLAGS=--kid-subset-size 40',
    ...variables,
  ]);
  t.equal(made.code, 0, made.stderr);
  const again = await distance(t, [join(dir, 'real.npz'), fake, ...network(':features'), '--metrics', 'pr']);
  t.match(again, {
    real: { kind: 'features', digest: await sha256File(real) },
    precision: whole.precision,
    recall: whole.recall,
  });
  const others = await bigbigan(['fid', join(dir, 'real.npz'), fake, ...network(':features@0,1'), '--metrics', 'pr']);
  t.match(others.stderr, /expected features of saved-model features \(pixels -1 to 1\).*real\.npz/);
  const merged = JSON.parse(await readFile(join(dir, 'fid.json'), 'utf8')) as Result;
  close(t, merged.frechet_distance, whole.frechet_distance, 1e-9, 'three shards');
  t.match(merged, {
    kid: whole.kid,
    precision: whole.precision,
    recall: whole.recall,
    fake: { kind: 'parts', n: 90, digest: await sha256File(fake) },
  });

  const script = `for i in 1 2; do ${program} fid ${fake} --extractor saved-model:${model}:features --shard $i/2 --out ${dir}/part$i.npz || exit 1; done
    ${program} fid ${dir}/real.npz --merge ${dir}/part*.npz --json --stats-out ${dir}/copy.npz && ${program} fid --merge ${dir}/part*.npz --stats-out ${dir}/fake.npz`;
  const shell = await run('sh', ['-c', script]);
  t.equal(shell.code, 0, shell.stderr);
  close(
    t,
    (JSON.parse(shell.stdout.split('\n')[2]) as Result).frechet_distance,
    whole.frechet_distance,
    1e-9,
    'two shards',
  );
  const saved = await distance(t, [join(dir, 'real.npz'), join(dir, 'fake.npz')]);
  close(t, saved.frechet_distance, whole.frechet_distance, 1e-9, 'saved statistics of both');
  t.match(saved, {
    extractor: { name: 'saved-model', label: 'saved-model features (pixels -1 to 1)' },
    fake: { n: 90 },
  });

  const lone = await bigbigan(['fid', join(dir, 'real.npz'), join(dir, 'part1.npz')]);
  t.match(lone.stderr, /a whole set for .*part1\.npz/);
  const kid = await bigbigan([
    'fid',
    real,
    '--merge',
    join(dir, 'part1.npz'),
    join(dir, 'part2.npz'),
    '--metrics',
    'kid',
    '--kid-subset-size',
    '40',
    ...network(':features'),
  ]);
  t.equal(kid.code, 1);
  t.match(kid.stderr, /part1\.npz holds no feats, which --metrics kid needs/);
});

t.test('images of an .npz, as ADM has them, and statistics of one set alone', async (t) => {
  const dir = t.testdir();
  const { data, shape } = await readNpy(fake);
  const samples = join(dir, 'samples.npz');
  await writeNpz(samples, { arr_0: { shape, data } });
  const result = await distance(t, [real, samples, ...network(':features')]);
  close(t, result.frechet_distance, golden.features, 1e-5, 'arr_0');
  const file = join(dir, 'fake.npz');
  const alone = await bigbigan(['fid', samples, ...network(':features'), '--stats-out', file, '--json', '-q']);
  t.equal(alone.code, 0, alone.stderr);
  t.match(JSON.parse(alone.stdout), { set: { path: samples, n: 90 }, stats_out: file });
  close(
    t,
    (await distance(t, [real, file, ...network(':features')])).frechet_distance,
    golden.features,
    1e-5,
    'its statistics',
  );
  // A reference batch has both: its statistics serve for the distance, its images for the rest.
  const { mu, sigma } = await readNpz(file);
  await writeNpz(samples, { arr_0: { shape, data }, mu, sigma });
  t.match(await distance(t, [real, samples, ...network(':features')]), { fake: { kind: 'statistics' } });
  const rows = await distance(t, [real, samples, ...network(':features'), '--metrics', 'pr']);
  t.match(rows, { fake: { kind: 'images', n: 90 }, precision: Number, recall: Number });
});

t.test('equal sets are at 0, never below', async (t) => {
  const same = await distance(t, [real, real, ...network(':features'), '--metrics', 'fid,pr']);
  t.match(same, { precision: 1, recall: 1 });
  t.ok(same.frechet_distance >= 0 && same.frechet_distance < 1e-9);
  t.ok(Math.abs(same.frechet_distance_raw as number) < 1e-9);
});

t.test('a stream that breaks off is no set', async (t) => {
  const bytes = await readFile(fake);
  const { code, stdout, stderr } = await bigbigan(['fid', real, '-', ...network(':features')], {
    input: bytes.subarray(0, bytes.length - 50),
  });
  t.equal(code, 1);
  t.match(stderr, /expected 90 rows as its header says for standard input, got an end after 88\n.*sender/);
  t.equal(stdout, '');
});
