import { createReadStream } from 'node:fs';
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import {
  createNpyWriter,
  npyHeader,
  openNpyRows,
  readNpy,
  readNpyStream,
  writeNpy,
} from '../../../../src/core/formats/npy/npy.js';
import { fixture } from '../../../paths.js';

const file = (name: string) => fixture(`formats/${name}`);
const ramp = Array.from({ length: 24 }, (_, i) => i);

t.test('reads what NumPy wrote, in every type', async (t) => {
  for (const dtype of ['uint8', 'int32', 'int64', 'float32', 'float64'] as const) {
    const array = await readNpy(file(`${dtype}.npy`));
    t.equal(array.dtype, dtype);
    t.same(array.shape, [2, 3, 4]);
    // astype truncates toward zero.
    const wanted = ramp.map((i) =>
      dtype === 'uint8' ? i * 10 : dtype.startsWith('int') ? Math.trunc(i * -1.5) : i * -1.5,
    );
    t.same(
      Array.from(array.data as Float64Array, (value) => Number(value) + 0),
      wanted.map((value) => value + 0),
      dtype,
    );
  }
});

t.test('version 2, Fortran order, scalars, vectors and empty arrays', async (t) => {
  t.same(Array.from((await readNpy(file('version2.npy'))).data as Int32Array), ramp);
  const fortran = await readNpy(file('fortran.npy'));
  t.same(fortran.shape, [2, 3, 4]);
  t.same(Array.from(fortran.data as Float32Array), ramp);
  t.match(await readNpy(file('scalar.npy')), { shape: [], data: new Float64Array([2.5]) });
  t.match(await readNpy(file('vector.npy')), { shape: [5], data: new BigInt64Array([0n, 1n, 2n, 3n, 4n]) });
  t.match(await readNpy(file('empty.npy')), { shape: [0, 5], dtype: 'float32' });
});

t.test('float16 is read as float32: whole, by rows, from a stream, in either order', async (t) => {
  const [patterns, widened] = ['float16-patterns.npy', 'float16-widened.npy'].map(file);
  const wanted = (await readNpy(widened)).data as Float32Array;
  const same = (data: unknown, values: ArrayLike<number>, what: string) => {
    t.ok(data instanceof Float32Array && data.length === values.length, what);
    t.ok(
      Array.from(data as Float32Array).every((value, i) => Object.is(value, values[i])),
      what,
    );
  };
  const { dtype, shape, data } = await readNpy(patterns);
  t.same([dtype, shape], ['float32', [wanted.length]]);
  same(data, wanted, 'whole');
  t.ok(wanted.some(Number.isNaN) && wanted.includes(Infinity) && wanted.includes(65504) && wanted.includes(2 ** -24));
  const rows = await openNpyRows(patterns);
  same(await rows.rows(300, 100), wanted.slice(300, 400), 'rows');
  await rows.close();
  const stream = await readNpyStream(createReadStream(patterns, { highWaterMark: 33 }));
  let first = 0;
  for await (const piece of stream.rows(250)) {
    same(piece, wanted.slice(first, first + 250), `from ${first} on`);
    first += 250;
  }
  const matrix = await openNpyRows(file('float16-fortran.npy'));
  same(await matrix.rows(1, 2), ramp.slice(4, 12), 'Fortran order');
  await matrix.close();
  await t.rejects(
    readNpyStream(createReadStream(patterns, { end: 1000 })).then(({ rows }) => rows(wanted.length).next()),
    { message: /an end after/ },
  );
});

t.test('narrow integers are read as wider ones, to the ends of their ranges', async (t) => {
  for (const [name, dtype] of [
    ['int8', 'int32'],
    ['int16', 'int32'],
    ['uint16', 'int32'],
    ['uint32', 'int64'],
  ] as const) {
    const [narrow, wide] = [await readNpy(file(`${name}.npy`)), await readNpy(file(`${name}-widened.npy`))];
    t.same([narrow.dtype, narrow.shape], [dtype, [3, 2]]);
    t.same(Array.from(narrow.data as Int32Array, BigInt), Array.from(wide.data as BigInt64Array), name);
    const rows = await openNpyRows(file(`${name}.npy`));
    t.same(
      Array.from((await rows.rows(1, 2)) as Int32Array, BigInt),
      Array.from(wide.data.slice(2) as BigInt64Array),
      `${name} by rows`,
    );
    await rows.close();
  }
});

t.test('writes the very bytes that NumPy writes', async (t) => {
  const dir = t.testdir();
  for (const dtype of ['uint8', 'int32', 'int64', 'float32', 'float64'] as const) {
    const { shape, data } = await readNpy(file(`${dtype}.npy`));
    await writeNpy(join(dir, 'x.npy'), shape, data);
    t.ok((await readFile(join(dir, 'x.npy'))).equals(await readFile(file(`${dtype}.npy`))), dtype);
  }
  t.same(await readdir(dir), ['x.npy'], 'no temporary file stays');
});

t.test('refuses what it cannot read, by name', async (t) => {
  const cases: [string, RegExp][] = [
    ['big-endian.npy', /big-endian.npy, got the big-endian type '>f4'/],
    ['uint64.npy', /an integer type up to int64.*got the type '<u8'/],
    ['object.npy', /got an object array/],
    ['structured.npy', /got a structured type/],
    ['complex.npy', /got the type '<c8'/],
    ['truncated.npy', /expected 224 bytes .*truncated.npy, got 217 bytes/],
    ['trailing.npy', /expected 224 bytes .*got 227 bytes/],
    ['zero-bytes.npy', /got an empty file/],
    ['huge-header.npy', /header of at most 1048576 bytes.*got 4294967280/],
    ['huge-shape.npy', /expected 32000000000128 bytes .*got 192 bytes/],
    ['stored.npz', /magic.*got the bytes 504b/],
    ['missing.npy', /an .npy file for .*missing.npy, got no such file/],
  ];
  for (const [name, message] of cases) {
    await t.rejects(readNpy(file(name)), { name: 'UserError', message }, name);
    await t.rejects(openNpyRows(file(name)), { name: 'UserError', message }, `${name} by rows`);
  }
  await t.rejects(readNpy(fixture('formats')), { message: /got a folder/ });
  await t.rejects(openNpyRows(file('scalar.npy')), { message: /got a single number/ });
});

t.test('rows from anywhere, also of a Fortran-order file', async (t) => {
  for (const name of ['float32.npy', 'fortran.npy']) {
    const rows = await openNpyRows(file(name));
    t.same(rows.shape, [2, 3, 4]);
    t.equal(rows.rowLength, 12);
    const scale = name === 'fortran.npy' ? 1 : -1.5;
    t.same(
      Array.from((await rows.rows(1, 1)) as Float32Array),
      ramp.slice(12).map((i) => i * scale),
    );
    t.equal((await rows.rows(2, 0)).length, 0);
    await t.rejects(rows.rows(1, 2), RangeError);
    await rows.close();
  }
});

t.test('a writer counts its rows into the header', async (t) => {
  const dir = t.testdir();
  const path = join(dir, 'rows.npy');
  const writer = await createNpyWriter(path, 'float32', [2, 2]);
  await writer.append(new Float32Array([1, 2, 3, 4]));
  await writer.append(new Float32Array([5, 6, 7, 8, 9, 10, 11, 12]));
  t.notOk((await readdir(dir)).includes('rows.npy'), 'nothing under the name before the end');
  await t.rejects(writer.append(new Float32Array(3)), RangeError);
  await t.rejects(writer.append(new Uint8Array(4)), RangeError);
  await writer.close();
  t.match(await readNpy(path), { shape: [3, 2, 2], data: new Float32Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) });

  const promised = await createNpyWriter(path, 'float32', [2, 2], 2);
  await promised.append(new Float32Array(4));
  await t.rejects(promised.close(), RangeError);
  t.same((await readNpy(path)).shape, [3, 2, 2], 'the old file stays');
  await (await createNpyWriter(path, 'uint8', [1])).abort();
  t.same(await readdir(dir), ['rows.npy']);
  await t.rejects(createNpyWriter(join(dir, 'no', 'rows.npy'), 'uint8', [1]), { message: /an existing folder/ });
});

t.test('a stream of rows, whatever the pieces it comes in', async (t) => {
  for (const highWaterMark of [1, 7, 64, 4096]) {
    const stream = await readNpyStream(
      createReadStream(file('int32.npy'), { highWaterMark }) as AsyncIterable<Uint8Array>,
    );
    t.same(stream.header.shape, [2, 3, 4]);
    const seen: number[][] = [];
    for await (const rows of stream.rows(1)) seen.push(Array.from(rows as Int32Array));
    t.same(
      seen,
      [ramp.slice(0, 12), ramp.slice(12)].map((row) => row.map((i) => Math.trunc(i * -1.5) + 0)),
    );
  }
});

t.test('a stream that ends early or late is an error', async (t) => {
  const drain = async (name: string) => {
    const stream = await readNpyStream(createReadStream(file(name)) as AsyncIterable<Uint8Array>, '-');
    for await (const rows of stream.rows(1)) t.ok(rows);
  };
  await t.rejects(drain('truncated.npy'), { message: /expected 2 rows .* got an end after 1/ });
  await t.rejects(drain('trailing.npy'), { message: /got more bytes/ });
  await t.rejects(drain('fortran.npy'), { message: /C order/ });
  await t.rejects(drain('zero-bytes.npy'), { message: /an .npy file/ });
});

t.test('headers are aligned and may be padded', async (t) => {
  t.equal(npyHeader('uint8', [3]).length % 64, 0);
  t.equal(npyHeader('uint8', [3], 256).length, 256);
  const path = join(t.testdir(), 'padded.npy');
  await writeFile(path, Buffer.concat([npyHeader('uint8', [3], 256), Buffer.from([1, 2, 3])]));
  t.match(await readNpy(path), { shape: [3], data: new Uint8Array([1, 2, 3]) });
});

t.test('rows beyond 4 GiB', async (t) => {
  const path = join(t.testdir(), 'large.npy');
  const header = npyHeader('uint8', [5 * 2 ** 20, 1024]);
  // A sparse file: 5 GiB long, a few kilobytes on disk.
  const handle = await open(path, 'w');
  await handle.write(header, 0, header.length, 0);
  await handle.write(Buffer.from([1, 2, 3]), 0, 3, header.length + 5 * 2 ** 30 - 1024);
  await handle.truncate(header.length + 5 * 2 ** 30);
  await handle.close();
  const rows = await openNpyRows(path);
  t.same([...(await rows.rows(5 * 2 ** 20 - 1, 1)).subarray(0, 4)], [1, 2, 3, 0]);
  await rows.close();
});

t.test('any changed byte of a header is an error or a readable header', async (t) => {
  const path = join(t.testdir(), 'changed.npy');
  const whole = await readFile(file('int32.npy'));
  for (let at = 0; at < 80; at++) {
    for (const value of [0x00, 0xff, whole[at] ^ 0x01]) {
      const changed = Buffer.from(whole);
      changed[at] = value;
      await writeFile(path, changed);
      await readNpy(path).catch((error: Error) => {
        if (error.name !== 'UserError') t.fail(`byte ${at}: ${error.message}`);
      });
    }
  }
  t.pass('all bytes tried');
});
