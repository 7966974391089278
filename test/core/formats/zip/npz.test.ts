import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readNpz, writeNpz } from '../../../../src/core/formats/zip/npz.js';
import { fixture } from '../../../paths.js';

const file = (name: string) => fixture(`formats/${name}`);

t.test('reads what NumPy wrote, stored and compressed', async (t) => {
  const { mu, sigma, n } = await readNpz(file('stored.npz'));
  t.match(mu, { dtype: 'float64', shape: [4], data: new Float64Array([0, 1 / 3, 2 / 3, 1]) });
  t.same(sigma.shape, [4, 4]);
  t.equal(sigma.data[15], 9 / 7);
  t.match(n, { dtype: 'int64', shape: [], data: new BigInt64Array([50000n]) });
  const compressed = await readNpz(file('compressed.npz'), ['mu', 'sigma', 'absent']);
  t.same(Object.keys(compressed).sort(), ['mu', 'sigma'], 'the strings in the file are passed over');
  t.same(compressed.sigma.shape, [64, 64]);
  await t.rejects(readNpz(file('compressed.npz')), { message: /compressed.npz \(words.npy\), got the type '<U2'/ });
});

t.test('round trip, the same bytes each time', async (t) => {
  const dir = t.testdir();
  const arrays = {
    mu: { shape: [2], data: new Float64Array([1e-300, -2]) },
    mode: { shape: [], data: new Int32Array([7]) },
  };
  await writeNpz(join(dir, 'a.npz'), arrays);
  await writeNpz(join(dir, 'b.npz'), arrays);
  t.ok((await readFile(join(dir, 'a.npz'))).equals(await readFile(join(dir, 'b.npz'))));
  const back = await readNpz(join(dir, 'a.npz'));
  t.match(back.mu, { dtype: 'float64', ...arrays.mu });
  t.match(back.mode, { dtype: 'int32', ...arrays.mode });
});

t.test('an array in pieces is the array, and must have the size announced', async (t) => {
  const dir = t.testdir();
  const pieces = async function* () {
    yield Float32Array.of(1, 2);
    yield Float32Array.of(3, 4, 5, 6);
  };
  const path = join(dir, 'pieces.npz');
  await writeNpz(path, {
    x: { shape: [3, 2], dtype: 'float32', pieces: pieces() },
    n: { shape: [], data: BigInt64Array.of(3n) },
  });
  t.match(await readNpz(path), {
    x: { dtype: 'float32', shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    n: { data: BigInt64Array.of(3n) },
  });
  const short = { shape: [4, 2], dtype: 'float32' as const, pieces: pieces() };
  await t.rejects(writeNpz(join(dir, 'short.npz'), { short }), /short\.npy: \d+ bytes were announced, \d+ came/);
  t.same(await readdir(dir), ['pieces.npz']);
});

t.test('refuses damaged files by name', async (t) => {
  await t.rejects(readNpz(file('truncated.npz')), { name: 'UserError', message: /truncated.npz/ });
  await t.rejects(readNpz(file('float32.npy')), {
    name: 'UserError',
    message: /expected an .npz file .*got the bytes 934e554d/,
  });
  await t.rejects(readNpz(file('zero-bytes.npy')), { name: 'UserError', message: /got an empty file/ });
  const bytes = Buffer.from(await readFile(file('compressed.npz')));
  // A directory entry that claims to unpack to 4 GB.
  bytes.writeUInt32LE(0xfffffff0, bytes.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1')) + 24);
  const path = join(t.testdir(), 'bomb.npz');
  await writeFile(path, bytes);
  await t.rejects(readNpz(path), { name: 'UserError', message: /sizes that fit the file.*4294967280 unpacked/ });
});

t.test('a flipped bit is noticed', async (t) => {
  const bytes = Buffer.from(await readFile(file('stored.npz')));
  bytes[bytes.indexOf(Buffer.from('mu.npy')) + 170] ^= 1;
  const path = join(t.testdir(), 'flipped.npz');
  await writeFile(path, bytes);
  await t.rejects(readNpz(path), { name: 'UserError', message: /checksum/ });
});
