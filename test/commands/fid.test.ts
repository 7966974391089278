import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { encodePng } from '../../src/core/data/codec.js';
import { sha256File } from '../../src/core/formats/digest.js';
import { readNpy, writeNpy } from '../../src/core/formats/npy/npy.js';
import { readNpz, writeNpz } from '../../src/core/formats/zip/npz.js';
import { bigbigan, fixture } from '../paths.js';
import { close, distance, fake, golden, network, real } from './fid-run.js';

const realFeatures = fixture('metrics/fid/real-features.npy');
const fakeFeatures = fixture('metrics/fid/fake-features.npy');

t.test("images through a SavedModel give SciPy's distances", async (t) => {
  for (const [rest, key] of [
    [':features', 'features'],
    [':mean', 'mean'],
    [':map', 'map'],
    [':mean@0,255', 'mean-0-255'],
  ]) {
    const result = await distance(t, [real, fake, ...network(rest)]);
    close(t, result.frechet_distance, golden[key], 1e-5, rest);
  }
});

t.test('the result says what it was made of, and is never called fid', async (t) => {
  const result = await distance(t, [real, fake, ...network(':mean')]);
  t.match(result, {
    real: { path: real, kind: 'images', n: 120, digest: await sha256File(real) },
    fake: { path: fake, kind: 'images', n: 90 },
    extractor: { label: 'saved-model mean (pixels -1 to 1)', digest: /^[0-9a-f]{64}$/, width: 3 },
    seconds: Number,
    versions: { tensorflow: /^2\./ },
  });
  t.notOk('fid' in result);
});

t.test('the size of the batches does not matter', async (t) => {
  const one = await distance(t, [real, fake, ...network(':features'), '--batch-size', '120']);
  const other = await distance(t, [real, fake, ...network(':features'), '--batch-size', '7']);
  close(t, other.frechet_distance, one.frechet_distance, 1e-6, 'batches of 7');
});

t.test('features and statistics need no network', async (t) => {
  const rows = await distance(t, [realFeatures, fakeFeatures]);
  close(t, rows.frechet_distance, golden.features, 1e-5, 'rows');
  const statistics = await distance(t, [fixture('metrics/fid/real.npz'), fakeFeatures]);
  close(t, statistics.frechet_distance, golden.features, 1e-5, "another tool's statistics");
  t.match(statistics, { real: { kind: 'statistics', n: null }, extractor: { label: null, digest: null } });
});

t.test('a set against itself is at 0', async (t) => {
  const { stdout } = await bigbigan(['fid', realFeatures, realFeatures, '-q']);
  t.match(stdout, /^Fréchet distance 0\.0000 \(120 real, 120 fake/);
});

t.test('a stream and a folder of images are images too', async (t) => {
  const stream = await distance(t, [real, '-', ...network(':features')], await readFile(fake));
  close(t, stream.frechet_distance, golden.features, 1e-5, 'stream');
  t.match(stream, { fake: { path: '-', n: 90, digest: null } });
  const dir = t.testdir();
  const { data, shape } = await readNpy(fake);
  const size = 4 * 4 * 3;
  for (let i = 0; i < shape[0]; i++) {
    const pixels = (data as Uint8Array).slice(i * size, (i + 1) * size);
    await writeFile(join(dir, `${String(i).padStart(3, '0')}.png`), await encodePng(pixels, 4, 4, 3));
  }
  const folder = await distance(t, [real, dir, ...network(':features')]);
  close(t, folder.frechet_distance, golden.features, 1e-5, 'folder');
});

t.test('--stats-out saves the reference for next time', async (t) => {
  const file = join(t.testdir(), 'real.npz');
  const first = await bigbigan(['fid', real, fake, ...network(':features'), '--stats-out', file, '-q']);
  t.equal(first.stdout.split('\n')[1], file);
  const { mu, sigma, n } = await readNpz(file);
  t.match([mu.shape, sigma.shape, Number(n.data[0])], [[5], [5, 5], 120]);
  t.equal(mu.dtype, 'float64');
  const again = await distance(t, [file, fake, ...network(':features')]);
  close(t, again.frechet_distance, golden.features, 1e-5, 'from the file');
  t.match(again, { real: { kind: 'statistics', n: 120 } });

  const twice = await bigbigan(['fid', real, fake, ...network(':features'), '--stats-out', file]);
  t.equal(twice.code, 1);
  t.match(twice.stderr, /exists already.*\n.*--force/);
  const forced = await bigbigan(['fid', real, fake, ...network(':features'), '--stats-out', file, '--force']);
  t.equal(forced.code, 0);
});

t.test('statistics of another network or of other weights are refused', async (t) => {
  const dir = t.testdir();
  const file = join(dir, 'real.npz');
  await bigbigan(['fid', real, fake, ...network(':mean'), '--stats-out', file]);
  const range = await bigbigan(['fid', file, fake, ...network(':mean@0,1')]);
  t.equal(range.code, 1);
  t.match(range.stderr, /pixels -1 to 1.*pixels 0 to 1.*\n.*networks/);
  const arrays = await readNpz(file);
  await writeNpz(join(dir, 'other.npz'), { ...arrays, digest: { shape: [4], data: new TextEncoder().encode('abcd') } });
  const weights = await bigbigan(['fid', fake, join(dir, 'other.npz'), ...network(':mean')]);
  t.equal(weights.code, 1);
  t.match(weights.stderr, /with weights abcd/);
  const unknown = await bigbigan(['fid', fixture('metrics/fid/real.npz'), fake, ...network(':features')]);
  t.equal(unknown.code, 0);
  t.match(unknown.stderr, /warning: .*real\.npz does not say which network/);
});

t.test('too few rows for the features are told, and a set against itself', async (t) => {
  const few = join(t.testdir(), 'few.npy');
  await writeNpy(
    few,
    [5, 5],
    Float32Array.from({ length: 25 }, (_, i) => (i * i) % 7),
  );
  const { stderr } = await bigbigan(['fid', realFeatures, few]);
  t.match(stderr, /warning: .*few\.npy has 5 rows; below 6, one more than features/);
  t.notMatch(stderr, /real-features\.npy has 120/);
  const same = await bigbigan(['fid', few, few]);
  t.match(same.stderr, /warning: .*few\.npy and .*few\.npy are of the same data \(SHA-256 [0-9a-f]{12}\)/);
  const quiet = await bigbigan(['fid', few, few, '-q']);
  t.notMatch(quiet.stderr, /warning: /);
});

t.test('statistics of REAL stay when FAKE fails', async (t) => {
  const file = join(t.testdir(), 'real.npz');
  const bytes = await readFile(fake);
  const { code, stdout, stderr } = await bigbigan(['fid', real, '-', ...network(':features'), '--stats-out', file], {
    input: bytes.subarray(0, -50),
  });
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(
    stderr,
    /the statistics of .*real\.npy are in .*real\.npz\n[\s\S]*expected 90 rows as its header says for standard input, got an end after 88/,
  );
  close(
    t,
    (await distance(t, [file, fake, ...network(':features')])).frechet_distance,
    golden.features,
    1e-5,
    'from the file',
  );
});

t.test('what cannot be answered is explained', async (t) => {
  const dir = t.testdir();
  const file = (name: string) => join(dir, name);
  await writeNpy(file('one.npy'), [1, 5], new Float32Array(5));
  await writeNpy(
    file('holed.npy'),
    [2, 5],
    Float32Array.from({ length: 10 }, (_, i) => (i === 7 ? NaN : i)),
  );
  await writeNpy(file('large.npy'), [3, 8, 8, 3], new Uint8Array(3 * 8 * 8 * 3));
  await writeNpy(file('cube.npy'), [3, 2, 2], new Float32Array(12));
  await writeNpz(file('nothing.npz'), { x: { shape: [1], data: new Float64Array(1) } });
  await writeNpz(file('crooked.npz'), {
    mu: { shape: [2], data: new Float64Array(2) },
    sigma: { shape: [2, 2], data: Float64Array.of(1, 0, 1, 1) },
  });
  await writeNpz(file('steep.npz'), {
    mu: { shape: [2], data: new Float64Array(2) },
    sigma: { shape: [2, 2], data: Float64Array.of(1, 2, 2, 1) },
  });
  await writeFile(file('broken.npz'), 'not a zip');
  await writeFile(file('note.txt'), 'images are elsewhere');
  await mkdir(file('empty'));
  await mkdir(file('folder.npz'));
  const cases: Array<[string[], number, RegExp]> = [
    [[real, fake], 2, /real\.npy holds images: --extractor must name the network/],
    [[real, fake, '--extractor', 'inception'], 2, /2015/],
    [[real, fake, '--extractor', 'vgg'], 2, /encoder:RUN or saved-model:DIR.* got "vgg"/],
    [[real, fake, '--extractor', `encoder:${file('empty')}`], 1, /empty/],
    [[real, fake, '--extractor', `saved-model:${file('empty')}`], 1, /SavedModel for .*empty/],
    [[real, fake, ...network('')], 1, /one of the float outputs features, map, mean/],
    [[real, fake, ...network(':pool')], 1, /got pool/],
    [[real, file('large.npy'), ...network(':mean')], 1, /images of 4 x 4.*large\.npy.*8 x 8/],
    [[real, realFeatures, ...network(':mean')], 1, /width 5|width 3/],
    [[real, file('empty'), ...network(':mean')], 1, /empty/],
    [[real, file('none.npy'), ...network(':mean')], 1, /none\.npy, got no such file/],
    [[real, fake, ...network(':mean'), '--stats-out', file('no/such.npz')], 1, /such\.npz, got no folder/],
    [['-', '-', ...network(':mean')], 2, /only one of REAL and FAKE can be -/],
    [[realFeatures, file('one.npy')], 1, /2 rows or more for .*one\.npy, got 1/],
    [[file('holed.npy'), realFeatures], 1, /finite features for row 1 of .*holed\.npy, got NaN/],
    [[realFeatures, file('cube.npy')], 1, /\[n, width\] for .*cube\.npy/],
    [[realFeatures, file('nothing.npz')], 1, /the arrays mu and sigma, feats, or arr_0 for .*nothing\.npz, got x/],
    [[realFeatures, file('crooked.npz')], 1, /symmetric matrix for sigma in .*crooked\.npz/],
    [
      [realFeatures, file('steep.npz')],
      1,
      /at most 1, as the variances demand, for row 1, column 0 of sigma in .*steep\.npz, got 2/,
    ],
    [[realFeatures, file('broken.npz')], 1, /broken\.npz/],
    [[realFeatures], 2, /missing required argument 'fake'/],
    [[], 2, /missing required argument 'real'/],
    [[real, fake, '--metrics', 'fid,ppl'], 2, /expected some of fid, is, kid, pr, got ppl/],
    [[fixture('metrics/fid/real.npz'), fakeFeatures, '--metrics', 'kid'], 2, /real\.npz has their statistics only/],
    [
      [realFeatures, fakeFeatures, '--metrics', 'kid'],
      1,
      /1000 rows or more.* for KID of .*real-features\.npy, got 120/,
    ],
    [
      [realFeatures, fakeFeatures, '--metrics', 'is'],
      2,
      /needs the images of FAKE, and .*features\.npy has features only/,
    ],
    [
      [real, fake, ...network(':mean'), '--metrics', 'is'],
      2,
      /needs class scores, which --extractor saved-model does not give/,
    ],
    [
      [real, fixture('metrics/fid/real.npz'), '--metrics', 'is', ...network(':mean')],
      2,
      /needs the images of FAKE, and .*real\.npz has their statistics only/,
    ],
    [
      [real, fake, ...network(':mean'), '--stats-out', file('real.txt')],
      2,
      /--stats-out writes an \.npz, got .*real\.txt\n/,
    ],
    [[real, '--shard', '1/2', '--out', file('part'), ...network(':mean')], 2, /--out writes an \.npz, got .*part\n/],
    [
      [file('nothing.npz'), fake, ...network(':mean'), '--stats-out', file('nothing.npz'), '--force'],
      2,
      /nothing\.npz is read, and cannot be written too/,
    ],
    [
      [real, fake, ...network(':mean'), '--stats-out', file('folder.npz'), '--force'],
      1,
      /the name of a file for .*folder\.npz, got a folder/,
    ],
    [
      [realFeatures, fakeFeatures, '--mode', 'clean'],
      2,
      /--mode clean says how images are resized, and there are none; the features are of unknown origin/,
    ],
    [
      [realFeatures, fakeFeatures, '--kid-subset-size', '9'],
      2,
      /--kid-subset-size has no effect without --metrics kid/,
    ],
    [[realFeatures, fakeFeatures, '--feature', 'z_mean'], 2, /--feature is for features folders/],
    [
      [real, file('note.txt'), ...network(':mean')],
      1,
      /folder, zip or tar of images, \.npy, .* for .*note\.txt, got another file/,
    ],
    [[real, '--shard', '1/2', ...network(':mean')], 2, /--out is missing/],
    [[real, fake, '--shard', '1/2', '--out', file('p.npz'), ...network(':mean')], 2, /--shard takes one set/],
    [[real, '--shard', '0/2', '--out', file('p.npz'), ...network(':mean')], 2, /expected I\/N/],
    [[realFeatures, '--shard', '1/2', '--out', file('p.npz')], 2, /--shard is for images/],
    [[real, fake, '--merge', file('p.npz')], 2, /--merge stands for FAKE/],
    [[real, fake, ...network(':mean'), '--mode', 'clean'], 2, /--mode belongs to --extractor inception/],
  ];
  for (const [words, wantedCode, message] of cases) {
    const { code, stdout, stderr } = await bigbigan(['fid', ...words]);
    t.equal(code, wantedCode, `${words.join(' ')}: ${stderr}`);
    t.match(stderr, message);
    t.notMatch(stderr, /\n +at /, 'no stack');
    t.equal(stdout, '');
    t.notMatch(stderr, /120\/120/, 'nothing was measured yet');
  }
});
