import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { writeNpz } from '../../../../src/core/formats/zip/npz.js';
import { npzNames, openNpzStream } from '../../../../src/core/formats/zip/npz-stream.js';
import { fixture } from '../../../paths.js';

const file = (name: string) => fixture(`formats/${name}`);

async function values(path: string, name: string, count: number): Promise<number[]> {
  const stream = await openNpzStream(path, name);
  const all: number[] = [];
  for await (const rows of stream.rows(count)) all.push(...Array.from(rows as Float64Array));
  stream.close();
  return all;
}

t.test('rows of stored, deflated and zip64 members as they come by', async (t) => {
  t.same(await npzNames(file('stored.npz')), ['mu', 'sigma', 'n']);
  for (const count of [1, 3, 100]) {
    t.same(await values(file('stored.npz'), 'mu', count), [0, 1 / 3, 2 / 3, 1]);
    t.same(await values(file('compressed.npz'), 'mu', count), [0, 1 / 3, 2 / 3, 1]);
    t.same(await values(file('large.npz'), 'mu', count), [0, 1 / 3, 2 / 3, 1]);
  }
  t.same(await npzNames(file('large.npz')), ['mu', 'arr_0']);
  const images = await openNpzStream(file('large.npz'), 'arr_0');
  t.match(images.header, { dtype: 'uint8', shape: [2, 2, 2, 3] });
  images.close();
});

t.test('a stream that is closed before its end leaves no file open', async (t) => {
  const path = join(t.testdir(), 'long.npz');
  await writeNpz(path, { mu: { shape: [1_000_000], data: new Float32Array(1_000_000) } });
  for (let i = 0; i < 5; i++) (await openNpzStream(path, 'mu')).close();
  const open = async () => {
    const links = await Promise.all(
      (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
    );
    return links.filter((link) => link === path).length;
  };
  for (let tries = 0; (await open()) > 0 && tries < 100; tries++) await new Promise((done) => setTimeout(done, 10));
  t.equal(await open(), 0);
});

t.test('the directory of a file beyond 4 GB is where the zip64 record says', async (t) => {
  const bytes = Buffer.from(await readFile(file('large.npz')));
  bytes.fill(0xff, bytes.length - 10, bytes.length - 2);
  const path = join(t.testdir(), 'far.npz');
  await writeFile(path, bytes);
  t.same(await values(path, 'mu', 4), [0, 1 / 3, 2 / 3, 1]);
});

t.test('what is damaged or missing is named', async (t) => {
  const dir = t.testdir();
  const changed = async (source: string, name: string, change: (bytes: Buffer) => Buffer | undefined) => {
    const bytes = Buffer.from(await readFile(file(source)));
    await writeFile(join(dir, name), change(bytes) ?? bytes);
    return join(dir, name);
  };
  await t.rejects(openNpzStream(file('stored.npz'), 'other'), /the array other for .*stored\.npz, got none/);
  await t.rejects(npzNames(file('truncated.npz')), { name: 'UserError', message: /truncated\.npz/ });
  await t.rejects(npzNames(file('float32.npy')), /expected an \.npz file .*got the bytes 934e554d/);
  await t.rejects(npzNames(file('zero-bytes.npy')), /got an empty file/);
  const element = (bytes: Buffer) => bytes.indexOf(Buffer.from(new Float64Array([1 / 3]).buffer));
  const flipped = await changed('stored.npz', 'flipped.npz', (bytes) => void (bytes[element(bytes)] ^= 1));
  await t.rejects(values(flipped, 'mu', 4), /the checksum .* for .*flipped\.npz \(mu\.npy\)/);
  const packed = await changed('compressed.npz', 'packed.npz', (bytes) => void bytes.fill(0xff, 80, 90));
  await t.rejects(values(packed, 'mu', 4), { name: 'UserError', message: /packed\.npz \(mu\.npy\)/ });
  const claim = (bytes: Buffer) =>
    void bytes.writeUInt32LE(0x7ffffff0, bytes.indexOf(Buffer.from('PK\x01\x02', 'latin1')) + 20);
  await t.rejects(
    values(await changed('stored.npz', 'claims.npz', claim), 'mu', 4),
    /claims\.npz, got .*size mismatch for stored file: 2147483632 != 160/,
  );
  const size = (bytes: Buffer) =>
    void bytes.writeUInt32LE(500, bytes.indexOf(Buffer.from('PK\x01\x02', 'latin1')) + 24);
  await t.rejects(values(await changed('stored.npz', 'size.npz', size), 'mu', 4), {
    name: 'UserError',
    message: /size\.npz/,
  });
});
