import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import t, { type Test } from 'tap';
import { startEngine } from '../../../../src/core/backend/engine.js';
import { decodeAsIs, encodePng } from '../../../../src/core/data/codec.js';
import { openMerged } from '../../../../src/core/evaluation/fid/merged-side.js';
import { inceptionScore } from '../../../../src/core/evaluation/fid/scores/inception-score.js';
import { writeShard } from '../../../../src/core/evaluation/fid/shard.js';
import { type OpenSide, openSide, type Side, type SideOptions } from '../../../../src/core/evaluation/fid/side.js';
import { openSource } from '../../../../src/core/evaluation/fid/source.js';
import { createInceptionScore } from '../../../../src/core/metrics/inception-score.js';
import { bigbigan, fixture } from '../../../paths.js';
import { formulaRows } from '../../metrics/formula.js';
import { means } from '../means.js';

const stdin = (async function* () {})();
const scorers = [(total: number) => inceptionScore.scorer!(total, { splits: 5 })];
const OPTIONS: SideOptions = { features: true, scorers, logits: false, temporary: tmpdir(), batchSize: 8 };

async function measure(path: string, options: Partial<SideOptions> = {}, extractor = means()): Promise<Side> {
  const open = await openSide(await openSource(path, { rows: true, stdin }), extractor);
  opened.push(open);
  const side = await open.measure(await startEngine(), { ...OPTIONS, ...options });
  opened.push(side);
  return side;
}

const opened: Array<OpenSide | Side> = [];
t.afterEach(async () => {
  for (const side of opened.splice(0)) await side.close();
});

async function rowsOf({ features }: Side): Promise<number[]> {
  return Array.from(await features!.read(0, features!.rows));
}

/** 53 images of four sizes, some grey, in two folders. */
async function mixedFolder(t: Test): Promise<string> {
  const dir = t.testdir({ set: { a: {}, b: {} } });
  const sizes = [
    [5, 7],
    [5, 7],
    [4, 4],
    [9, 3],
  ];
  for (let i = 0; i < 53; i++) {
    const [height, width] = sizes[i % 4];
    const channels = i % 5 === 0 ? 1 : 3;
    const pixels = Uint8Array.from(formulaRows(i + 1, 1, height * width * channels), (value) => (value * 1000) % 256);
    const path = join(dir, 'set', i % 2 ? 'a' : 'b', `${String(i).padStart(2, '0')}.png`);
    await writeFile(path, await encodePng(pixels, height, width, channels));
  }
  return join(dir, 'set');
}

t.test('images of many sizes, each in its own, in the order of their paths, whatever the batches', async (t) => {
  const set = await mixedFolder(t);
  const paths = ['a', 'b'].map((name) => join(set, name));
  const expectedRows: number[] = [];
  for (const dir of paths) {
    for (const name of (await readdir(dir)).sort()) {
      const { data, height, width, channels } = await decodeAsIs(join(dir, name));
      expectedRows.push(...means().extract(data, [1, height, width, channels]).features);
    }
  }
  const side = await measure(set);
  t.same(await rowsOf(side), expectedRows);
  t.equal(side.statistics.n, 53);
  t.equal(side.lossy, undefined);
  const other = await measure(set, { batchSize: 1 });
  t.same(await rowsOf(other), expectedRows);
  t.same(other.statistics, side.statistics);
  t.same(other.scored, side.scored);
  const scorer = createInceptionScore(53, 5);
  scorer.add(
    Float32Array.from(expectedRows, (value) => value / 50),
    53,
  );
  const { mean, std } = scorer.result();
  t.same(side.scored, { inception_score: mean, inception_score_std: std });
});

t.test('a zip, and a dataset of encoded images, give what their folder gives', async (t) => {
  const set = await mixedFolder(t);
  const folder = await measure(set);
  const dir = join(set, '..');
  const archive = join(dir, 'set.zip');
  const names = (await readdir(set, { recursive: true })).filter((name) => name.endsWith('.png'));
  const members = await Promise.all(
    names.map(async (name) => [`set/${name}`, new Uint8Array(await readFile(join(set, name)))] as const),
  );
  await writeFile(archive, zipSync(Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)))));
  const zip = await measure(archive);
  t.same(await rowsOf(zip), await rowsOf(folder));
  // Classes do not matter here: some images may lie in folders and others beside them.
  const [first] = names.sort();
  await rename(join(set, first), join(set, '0.png'));
  const [[, top], ...others] = members;
  await writeFile(archive, zipSync({ '0.png': top, ...Object.fromEntries(others) }));
  t.same(await rowsOf(await measure(archive)), await rowsOf(await measure(set)));
  await rename(join(set, '0.png'), join(set, first));
  const dataset = join(dir, 'dataset');
  t.equal((await bigbigan(['prep-data', set, '--out', dataset, '--store', 'encoded', '--quiet'])).code, 0);
  const encoded = await measure(dataset);
  t.same(await rowsOf(encoded), await rowsOf(folder));
  t.match(encoded.sourceDigest, /^[0-9a-f]{64}$/);
  // A network with a size of its own gets the central square.
  const square = means({ height: 4, width: 4, channels: 3 });
  const [a, b] = [await measure(archive, {}, square), await measure(dataset, {}, square)];
  t.same(await rowsOf(a), await rowsOf(b));
  t.match(a.resize, /center-crop to 4 .* on reading/);
});

t.test('grey, transparent and lossy images are taken, and the last are told; a broken one is named', async (t) => {
  const dir = t.testdir({ set: {} });
  const set = join(dir, 'set');
  const mixed = fixture('images/mixed');
  for (const name of [
    'birds/colour.png',
    'birds/sixteen-grey.png',
    'birds/deep/er/grey.PNG',
    'cats/alpha.png',
    'cats/palette.gif',
  ]) {
    await copyFile(join(mixed, name), join(set, name.replaceAll('/', '-')));
  }
  t.equal((await measure(set)).lossy, undefined);
  await copyFile(join(mixed, 'cats/UPPER.JPEG'), join(set, 'UPPER.JPEG'));
  t.match((await measure(set)).lossy, /UPPER\.JPEG/);
  await copyFile(join(mixed, 'cats/broken.png'), join(set, 'broken.png'));
  await t.rejects(measure(set), { name: 'UserError', message: /an image for .*broken\.png/ });
  await rm(join(set, 'broken.png'));
  await mkdir(join(dir, 'empty'));
  await t.rejects(measure(join(dir, 'empty')), /expected images .* got none/);
});

t.test('shards of any number add up to the whole: sums to 1e-12, rows and the Inception Score exactly', async (t) => {
  const engine = await startEngine();
  const set = await mixedFolder(t);
  const whole = await measure(set);
  const dir = join(set, '..');
  for (const shards of [1, 2, 7, 60]) {
    const paths: string[] = [];
    for (let shard = 1; shard <= shards; shard++) {
      const path = join(dir, `${shard}-of-${shards}.npz`);
      const source = await openSource(set, { rows: true, stdin });
      const part = await writeShard(engine, source, means(), path, {
        ...OPTIONS,
        logits: true,
        scorers: [],
        shard,
        shards,
      });
      t.equal(part.setCount, 53);
      paths.push(path);
    }
    const merged = await (await openMerged(paths.reverse(), { features: 'kid', logits: 'is' })).measure(
      engine,
      OPTIONS,
    );
    t.same(await rowsOf(merged), await rowsOf(whole), `${shards} shards`);
    t.same(merged.scored, whole.scored);
    t.equal(merged.sourceDigest, whole.sourceDigest);
    t.same(merged.network, whole.network);
    const far = (a: Float64Array, b: Float64Array) =>
      a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
    t.ok(far(merged.statistics.mean, whole.statistics.mean) < 1e-12 * 255);
    t.ok(far(merged.statistics.covariance, whole.statistics.covariance) < 1e-12 * 255 ** 2);
    await merged.close();
  }
  const part = (name: string) => join(dir, `${name}.npz`);
  await t.rejects(
    openMerged([part('1-of-7'), part('3-of-7')], {}),
    /all 7 shards for --merge, got all but 2, 4, 5, 6, 7/,
  );
  await t.rejects(openMerged([part('1-of-2'), part('1-of-2')], {}), /are the same shard, 1 of 2/);
  await t.rejects(openMerged([part('1-of-2'), part('2-of-7')], {}), /the number of shards 2 as in .*, got 7/);
  await t.rejects(measure(part('1-of-2')), /a whole set for .*1-of-2\.npz, got a part of one/);
});
