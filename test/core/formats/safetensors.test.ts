import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { DamagedFile } from '../../../src/core/errors.js';
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../../../src/core/formats/safetensors.js';
import { fixture, root, run } from '../../paths.js';

const file = (name: string) => fixture(`formats/${name}.safetensors`);

t.test('reads what the reference library wrote', async (t) => {
  const { tensors, metadata } = await readSafetensors(file('reference'));
  t.same(metadata, { step: '12', note: 'grün' });
  t.match(tensors.get('encoder/conv1/kernel'), {
    dtype: 'float32',
    shape: [3, 4],
    data: Float32Array.from({ length: 12 }, (_, i) => i / 8),
  });
  t.match(tensors.get('odd'), { dtype: 'uint8', data: new Uint8Array([1, 2, 3]) });
  t.match(tensors.get('wide'), { dtype: 'float64', shape: [1, 2], data: new Float64Array([1e300, -1e-300]) });
  t.match(tensors.get('int'), { data: new Int32Array([-(2 ** 31), 2 ** 31 - 1]) });
  t.match(tensors.get('long'), { data: new BigInt64Array([-(2n ** 63n), 2n ** 63n - 1n]) });
  t.match(tensors.get('scalar'), { shape: [], data: new Float32Array([0.5]) });
  t.match(tensors.get('none'), { shape: [0, 3] });
  const some = await readSafetensors(file('reference'), (name) => name.startsWith('encoder/'));
  t.same([...some.tensors.keys()], ['encoder/conv1/kernel']);
  t.equal((await readSafetensorsHeader(file('reference'))).tensors.size, 7);
});

t.test('round trip, aligned', async (t) => {
  const reference = await readSafetensors(file('reference'));
  const path = join(t.testdir(), 'x.safetensors');
  // Three bytes first, if the writer did not put wider types before them.
  const narrowFirst = new Map(
    [...reference.tensors].sort(([, a], [, b]) => a.data.BYTES_PER_ELEMENT - b.data.BYTES_PER_ELEMENT),
  );
  await writeSafetensors(path, narrowFirst, reference.metadata);
  const back = await readSafetensors(path);
  t.same(back.metadata, reference.metadata);
  for (const [name, tensor] of reference.tensors) t.same(back.tensors.get(name), tensor, name);
  const header = await readSafetensorsHeader(path);
  const bytes = { uint8: 1, int32: 4, int64: 8, float32: 4, float64: 8 };
  for (const [name, { dtype, offset }] of header.tensors) t.equal(offset % bytes[dtype], 0, name);
  const written = await readFile(path);
  t.equal(written.readBigUInt64LE() % 8n, 0n);
});

t.test('refuses damaged files by name', async (t) => {
  const cases: [string, RegExp][] = [
    ['truncated', /expected \d+ bytes as its header says for .*truncated/],
    ['trailing', /expected \d+ bytes as its header says for .*trailing/],
    ['huge-header', /a safetensors file .*, got one whose header would have 1099511627776 bytes/],
    ['bad-json', /a JSON object as header/],
    ['hole', /expected byte 0 for the start of a in .*got 1/],
    ['overlap', /expected byte 2 for the start of b in .*got 1/],
    ['wrong-size', /expected 8 bytes \(F32 \[2\]\) for a in .*got 4/],
    ['float16', /one of F32, F64, I32, I64, U8 for the type of half in .*got F16/],
    ['missing', /a safetensors file .*got no such file/],
  ];
  for (const [name, message] of cases) {
    await t.rejects(readSafetensors(file(name)), { name: 'UserError', message }, name);
    await t.rejects(readSafetensorsHeader(file(name)), { name: 'UserError', message }, `${name}, header`);
  }
  const npy = fixture('formats/float32.npy');
  await t.rejects(readSafetensors(npy), { message: /a safetensors file for .*float32\.npy, got one whose header/ });
});

t.test('any changed byte of a header is an error or a readable header', async (t) => {
  const path = join(t.testdir(), 'changed.safetensors');
  const whole = await readFile(file('reference'));
  const end = 8 + Number(whole.readBigUInt64LE());
  for (let at = 0; at < end; at++) {
    const changed = Buffer.from(whole);
    changed[at] ^= 1 << (at % 8);
    await writeFile(path, changed);
    await readSafetensors(path).catch((error: Error) => {
      if (error.name !== 'UserError') t.fail(`byte ${at}: ${error.message}`);
    });
  }
  t.pass('all bytes tried');
});

t.test('a failed write leaves the old file', async (t) => {
  const dir = t.testdir();
  const path = join(dir, 'x.safetensors');
  await writeSafetensors(path, new Map([['a', { shape: [1], data: new Float32Array([1]) }]]));
  await t.rejects(writeSafetensors(path, new Map([['a', { shape: [2], data: new Float32Array([1]) }]])), RangeError);
  t.same([...(await readSafetensors(path)).tensors.get('a')!.data], [1]);
});

t.test(
  'the digest is that of the file with zeros in its place, and is checked by every reading of tensors',
  async (t) => {
    const path = join(t.testdir(), 'x.safetensors');
    const quoted = { note: `"file_sha256":"${'0'.repeat(64)}"`, last: 'x' };
    await writeSafetensors(
      path,
      new Map([
        ['file_sha256', { shape: [2], data: new Float32Array([1, 2]) }],
        ['b', { shape: [1], data: new Uint8Array([3]) }],
      ]),
      quoted,
    );
    const { digest, metadata } = await readSafetensors(path);
    t.same(metadata, quoted);
    const whole = await readFile(path);
    const zeros = whole.toString('latin1').replace(digest!, '0'.repeat(64));
    t.equal(createHash('sha256').update(zeros, 'latin1').digest('hex'), digest);
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] ^= 1 << (at % 8);
      await writeFile(path, changed);
      for (const name of ['file_sha256', 'b', 'none']) {
        const read = await readSafetensors(path, (other) => other === name).catch((error: unknown) => error);
        // Without its key there is no digest: who needs one has to ask for it.
        const keyless = !(read instanceof Error) && (read as { digest?: string }).digest === undefined;
        if (!(read instanceof DamagedFile || keyless)) t.fail(`byte ${at}, ${name}: ${String(read)}`);
      }
    }
  },
);

t.test('no room for a file: an error that says so, and nothing left behind', async (t) => {
  const dir = t.testdir({ 'x.safetensors': 'old' });
  const module = pathToFileURL(join(root, 'dist/src/core/formats/safetensors.js')).href;
  const script = `import { writeSafetensors } from ${JSON.stringify(module)};
    process.on('SIGXFSZ', () => {});
    const data = new Float32Array(1 << 20);
    await writeSafetensors(process.argv[1], new Map([['a', { shape: [data.length], data }]])).catch((error) => console.log(error.name, error.message));`;
  // The system refuses files beyond so many blocks; without a listener it would end the process.
  const limited = [
    '-c',
    'ulimit -f 100; exec "$@"',
    'sh',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
    join(dir, 'x.safetensors'),
  ];
  const { stdout } = await run('sh', limited);
  t.match(stdout, /^UserError .*x\.safetensors cannot be written: it would be larger than files may be here \(EFBIG\)/);
  t.same(await readdir(dir), ['x.safetensors']);
  t.equal(await readFile(join(dir, 'x.safetensors'), 'utf8'), 'old');
});
