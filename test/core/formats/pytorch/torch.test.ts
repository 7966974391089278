import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { UserError } from '../../../../src/core/errors.js';
import { withInput } from '../../../../src/core/formats/input.js';
import { readPickle } from '../../../../src/core/formats/pytorch/pickle.js';
import { readTorch } from '../../../../src/core/formats/pytorch/torch.js';
import { readTensorFile } from '../../../../src/core/formats/tensor-file.js';
import { readFrozenGraph } from '../../../../src/core/formats/tensorflow/frozen-graph.js';
import { fixture } from '../../../paths.js';
import { array } from '../../inception/synthetic.js';
import { contiguous, type PickledTensor, torchFile } from './torch-file.js';

const file = (name: string) => fixture(`inception/${name}`);

for (const layout of ['legacy', 'zip']) {
  t.test(`reads what torch.save wrote, ${layout}`, async (t) => {
    const { format, tensors } = await readTensorFile(file(`${layout}.pth`));
    t.equal(format, 'torch');
    const kernel = array('kernel', [2, 3, 1, 5]);
    t.same(
      [...tensors].map(([name, { dtype, shape, data }]) => [name, dtype, shape, data]),
      [
        ['kernel', 'float32', [2, 3, 1, 5], kernel],
        ['wide', 'float64', [1, 2], new Float64Array([1e300, -1e-300])],
        ['number', 'int64', [], new BigInt64Array([12n])],
        ['bytes', 'uint8', [3], new Uint8Array([0, 255, 7])],
        ['int', 'int32', [2], new Int32Array([-(2 ** 31), 2 ** 31 - 1])],
        ['none', 'float32', [0, 4], new Float32Array(0)],
        ['shared', 'float32', [2, 3], kernel.slice(4, 10)],
      ],
    );
    const turned = (await readTensorFile(file(`strided-${layout}.pth`))).tensors.get('turned');
    t.match(turned, { shape: [3, 2], data: new Float32Array([0, 3, 1, 4, 2, 5]) });
  });
}

t.test('what is no tensor is refused by name, and nothing is run', async (t) => {
  const cases: [string, RegExp][] = [
    ['hostile.pth', /expected a pickled state dict of tensors for .*hostile\.pth, got the name posix\.system/],
    ['hostile-legacy.pth', /the name posix\.system/],
    ['half.pth', /the name torch\.HalfStorage/],
    ['script.pt', /the name __torch__\.torch\.nn\.modules\.linear\.Linear/],
  ];
  for (const [name, message] of cases) {
    await t.rejects(
      readTensorFile(file(name)),
      { name: 'UserError', message, hint: /torch\.save\(model\.state_dict\(\)/ },
      name,
    );
  }
});

/** A tensor w, with a storage of 4 numbers. */
function pickled(parts: Partial<PickledTensor>): Uint8Array {
  const whole = contiguous([4], Float32Array.of(1, 2, 3, 4));
  return torchFile(new Map([['w', { ...whole, ...parts }]]), 'legacy');
}

/** Reads a file of these bytes, which is x in errors. */
async function readBytes(bytes: Uint8Array, folder: string) {
  const path = join(folder, 'x');
  await writeFile(path, bytes);
  return withInput(path, 'a file of torch.save', (file) => readTorch(file, 'x'));
}

t.test('sizes are checked before anything is allocated', async (t) => {
  const folder = t.testdir();
  t.same((await readBytes(pickled({}), folder)).get('w')!.data, Float32Array.of(1, 2, 3, 4));
  t.same(
    (await readBytes(pickled({ offset: 1, shape: [2], strides: [2] }), folder)).get('w')!.data,
    Float32Array.of(2, 4),
  );
  const cases: [Partial<PickledTensor>, RegExp][] = [
    [{ count: 0x7fffffff }, /expected 2147483647 elements for storage 0 of x, got 4/],
    [{ count: -1 }, /no storage/],
    [{ offset: 1 }, /a view of its 4 stored elements for w in x, got \[4\] from 1 on/],
    [{ strides: [2] }, /a view of its 4/],
    [{ shape: [0x7fffffff], strides: [0] }, /a view of its 4/],
    [{ shape: [0x7fffffff, 0x7fffffff, 0x7fffffff], strides: [0, 0, 0] }, /a view of its 4/],
    [{ shape: [-4] }, /without storage, offset, size and strides/],
    [{ shape: [2, 2] }, /without storage, offset, size and strides/],
  ];
  for (const [parts, message] of cases) {
    await t.rejects(readBytes(pickled(parts), folder), { name: 'UserError', message }, JSON.stringify(parts));
  }
});

t.test('a damaged file is an error of the user, wherever it breaks', async (t) => {
  const folder = t.testdir();
  for (const name of ['legacy.pth', 'zip.pth', 'strided-legacy.pth', 'graph.pb']) {
    const whole = new Uint8Array(await readFile(file(name)));
    const read = async (bytes: Uint8Array) =>
      name === 'graph.pb' ? readFrozenGraph(bytes, 'x') : readBytes(bytes, folder);
    const attempt = async (bytes: Uint8Array, what: string) => {
      try {
        await read(bytes);
      } catch (error) {
        if (!(error instanceof UserError)) t.fail(`${name}, ${what}: ${String((error as Error).stack)}`);
      }
    };
    for (let length = 0; length < whole.length; length++) await attempt(whole.slice(0, length), `${length} bytes`);
    for (let at = 0; at < whole.length; at++) {
      const changed = whole.slice();
      changed[at] ^= 1 << (at % 8);
      await attempt(changed, `byte ${at} changed`);
    }
    if (name !== 'graph.pb') await t.rejects(read(whole.slice(0, -1)), { name: 'UserError' });
  }
  t.pass();
});

t.test('a pickle can name only what is listed, and cannot run its stack empty', async (t) => {
  const read = (text: string) => () => readPickle(Buffer.from(text, 'latin1'), 0, { path: 'x', globals: new Map() });
  t.same(
    read('\x80\x02}q\x00(X\x01\x00\x00\x00aK\x01X\x01\x00\x00\x00b\x8a\x01\xffu.')().value,
    new Map([
      ['a', 1],
      ['b', -1],
    ]),
  );
  t.throws(read('cos\nsystem\n.'), { message: /the name os\.system/ });
  t.throws(read('\x80\x02\x93.'), { message: /the instruction 0x93/ });
  t.throws(read('}b.'), { message: /stack|attributes/ });
  t.throws(read('K\x01K\x01R.'), { message: /a call of what is no function/ });
  t.throws(read('h\x05.'), { message: /a value 5 that was not kept/ });
  t.throws(read('X\xff\xff\xff\xffa.'), { message: /an end in the middle/ });
});
