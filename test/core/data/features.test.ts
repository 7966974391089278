import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createFeatures, openFeatures } from '../../../src/core/data/features.js';
import { readNpy, writeNpy } from '../../../src/core/formats/npy/npy.js';
import { fixture } from '../../paths.js';

t.test('written in pieces, read in pieces', async (t) => {
  const dir = join(t.testdir(), 'features');
  const writer = await createFeatures(dir, { outputs: { avepool: 2, z_mean: 1 }, provenance: { seed: 3 } });
  await writer.append({
    outputs: { avepool: new Float32Array([1, 2]), z_mean: new Float32Array([9]) },
    labels: new Int32Array([5]),
    ids: ['a'],
  });
  await writer.append({
    outputs: { avepool: new Float32Array([3, 4, 5, 6]), z_mean: new Float32Array([8, 7]) },
    labels: new Int32Array([6, 7]),
    ids: ['b\nb', 'c'],
  });
  await t.rejects(readdir(dir), 'nothing there before the end');
  await writer.close();
  t.same((await readdir(dir)).sort(), ['avepool.npy', 'features.json', 'ids.txt', 'labels.npy', 'z_mean.npy']);
  t.equal(await readFile(join(dir, 'ids.txt'), 'utf8'), 'a\nb b\nc\n');
  const features = await openFeatures(dir, 'avepool');
  t.match(features, {
    name: 'avepool',
    path: dir,
    rows: 3,
    width: 2,
    labels: new Int32Array([5, 6, 7]),
    provenance: { seed: 3, rows: 3 },
  });
  t.same([...(await features.read(1, 2))], [3, 4, 5, 6]);
  await features.close();

  await t.rejects(createFeatures(dir, { outputs: { x: 1 }, provenance: {} }), { message: /exists already/ });
  await t.rejects(openFeatures(dir, 'bn_crelu'), { message: /expected bn_crelu.npy .*got avepool, z_mean/ });
  const bytes = await readFile(join(dir, 'avepool.npy'));
  bytes[bytes.length - 1] ^= 1;
  await writeFile(join(dir, 'avepool.npy'), bytes);
  await t.rejects(openFeatures(dir, 'avepool'), { message: /SHA-256 .*as features.json says/ });
});

t.test('a folder by NumPy is enough', async (t) => {
  const dir = t.testdir();
  await writeNpy(join(dir, 'avepool.npy'), [3, 2], new Float64Array([1, 2, 3, 4, 5, 6]));
  const bare = await openFeatures(dir, 'avepool');
  t.match(bare, { rows: 3, width: 2, labels: undefined, provenance: undefined, digest: /^[0-9a-f]{64}$/ });
  t.same(await bare.read(0, 3), new Float32Array([1, 2, 3, 4, 5, 6]));
  await bare.close();
  for (const labels of [new Uint8Array([0, 255, 1]), new Int32Array([0, 255, 1]), new BigInt64Array([0n, 255n, 1n])]) {
    await writeNpy(join(dir, 'labels.npy'), [3], labels);
    const features = await openFeatures(dir, 'avepool');
    t.same(features.labels, new Int32Array([0, 255, 1]));
    await features.close();
  }
});

t.test('half precision is read as float32, and what it cannot hold is named', async (t) => {
  const folder = fixture('metrics/half/test');
  const half = await openFeatures(folder, 'avepool');
  t.match(half, { rows: 90, width: 12, labels: Int32Array });
  const wanted = (await readNpy(join(folder, 'rounded.npy'))).data as Float32Array;
  t.same(await half.read(0, 90), wanted);
  t.same(await half.read(31, 7), wanted.slice(31 * 12, 38 * 12));
  await half.close();
  const dir = t.testdir();
  const bytes = await readFile(join(folder, 'avepool.npy'));
  // Of row 2, on the header's 128 bytes: infinity.
  bytes.writeUInt16LE(0x7c00, 128 + 2 * 2 * 12);
  await writeFile(join(dir, 'avepool.npy'), bytes);
  const broken = await openFeatures(dir, 'avepool');
  await t.rejects(broken.read(0, 5), { message: /finite numbers for row 2 of .*got Infinity/ });
  await broken.close();
  await writeFile(join(dir, 'avepool.npy'), bytes.subarray(0, 500));
  await t.rejects(openFeatures(dir, 'avepool'), { message: /2288 bytes \(float16 \[90,12\] .*got 500 bytes/ });
});

t.test('what is wrong is named by file and row', async (t) => {
  const dir = t.testdir();
  const [features, labels] = ['avepool.npy', 'labels.npy'].map((name) => join(dir, name));
  const rejects = async (message: RegExp) => t.rejects(openFeatures(dir, 'avepool'), { name: 'UserError', message });
  await rejects(/got no .npy file/);
  await t.rejects(openFeatures(join(dir, 'nowhere'), 'avepool'), { message: /got no such folder/ });
  await writeNpy(features, [2, 2], new Float32Array([1, 2, NaN, 4]));
  const open = await openFeatures(dir, 'avepool');
  t.equal((await open.read(0, 1)).length, 2);
  await t.rejects(open.read(0, 2), { message: /finite numbers for row 1 of .*avepool.npy, got NaN/ });
  await open.close();
  await writeNpy(features, [1, 2], new Float64Array([1, 1e300]));
  const wide = await openFeatures(dir, 'avepool');
  await t.rejects(wide.read(0, 1), { message: /row 0/ }, 'too large for float32');
  await wide.close();
  await writeNpy(labels, [3], new Int32Array(3));
  await rejects(/expected 1 class numbers, one for each row, .*labels.npy, got 3/);
  await writeNpy(labels, [1], new Int32Array([-1]));
  await rejects(/row 0 of .*labels.npy, got -1/);
  await writeNpy(labels, [1], new BigInt64Array([2n ** 40n]));
  await rejects(/row 0 of .*labels.npy, got 1099511627776/);
  await writeNpy(labels, [1], new Float32Array([1]));
  await rejects(/an integer type .*got float32/);
  await writeNpy(labels, [1, 1], new Int32Array([1]));
  await rejects(/shape \[n\] .*got shape \[1,1\]/);
  await writeNpy(labels, [1], new Int32Array([1]));
  await writeNpy(features, [0, 2], new Float32Array(0));
  await rejects(/at least one row/);
  await writeNpy(features, [4], new Float32Array(4));
  await rejects(/shape \[rows, width\] .*got shape \[4\]/);
  await writeNpy(features, [2, 2], new Uint8Array(4));
  await rejects(/float32 or float64 .*got uint8/);
  await writeFile(features, '');
  await rejects(/got an empty file/);
  await appendFile(features, 'not npy at all');
  await rejects(/magic/);
});
