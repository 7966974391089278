import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readTensorFile } from '../../../../src/core/formats/tensor-file.js';
import { readFrozenGraph } from '../../../../src/core/formats/tensorflow/frozen-graph.js';
import {
  bytesField,
  floatField,
  message,
  stringField,
  varintField,
} from '../../../../src/core/formats/tensorflow/protobuf.js';
import { fixture } from '../../../paths.js';
import { array } from '../../inception/synthetic.js';

t.test('reads constants however they are written', async (t) => {
  const { format, tensors } = await readTensorFile(fixture('inception/graph.pb'));
  t.equal(format, 'tensorflow graph');
  const floats = new Float32Array([1.5, -2, 3]);
  t.same(
    [...tensors].map(([name, { dtype, shape, data }]) => [name, dtype, shape, data]),
    [
      ['conv/conv2d_params', 'float32', [2, 3, 1, 5], array('kernel', [2, 3, 1, 5])],
      ['packed', 'float32', [3], floats],
      ['single', 'float32', [3], floats],
      ['same', 'float32', [2, 2], new Float32Array(4).fill(0.25)],
      ['scalar', 'float32', [], new Float32Array([128])],
      ['shape', 'int32', [2], new Int32Array([1, 2048])],
      ['scaled/gamma', 'float32', [2], floats.slice(0, 2)],
      // The graph says that this one is not used.
      ['unscaled/gamma', 'float32', [2], new Float32Array([1, 1])],
    ],
  );
});

t.test('shapes must fit what is stored', async (t) => {
  const graph = (sizes: (number | bigint)[], ...values: Uint8Array[]) => {
    const shape = message(sizes.map((size) => bytesField(2, message([varintField(1, size)]))));
    const tensor = message([varintField(1, 1), bytesField(2, shape), ...values]);
    const value = bytesField(5, message([stringField(1, 'value'), bytesField(2, message([bytesField(8, tensor)]))]));
    return message([bytesField(1, message([stringField(1, 'w'), stringField(2, 'Const'), value]))]);
  };
  t.same(readFrozenGraph(graph([2], floatField(5, 3)), 'x').get('w')!.data, new Float32Array([3, 3]));
  const cases: [Uint8Array, RegExp][] = [
    [graph([1 << 20, 1 << 20], floatField(5, 3)), /expected 1099511627776 numbers for w in x, got 1/],
    [graph([3], bytesField(4, new Uint8Array(8))), /expected 12 bytes for \[3\] for w in x, got 8/],
    [graph([1], floatField(5, 3), floatField(5, 3)), /expected 1 numbers for w in x, got 2/],
    [graph([2]), /expected 2 numbers for w in x, got 0/],
    [graph([-1], floatField(5, 3)), /a known shape for w in x, got -1/],
    [graph([1], bytesField(5, new Uint8Array(3))), /whole float32 numbers/],
  ];
  for (const [bytes, wanted] of cases)
    t.throws(() => readFrozenGraph(bytes, 'x'), { name: 'UserError', message: wanted });
});

t.test('a file of another format is named', async (t) => {
  const dir = t.testdir();
  for (const [content, found] of [
    ['', 'an empty file'],
    ['hello, this is text', 'the first bytes 68656c6c6f'],
  ]) {
    await writeFile(join(dir, 'x'), content);
    await t.rejects(readTensorFile(join(dir, 'x')), { message: new RegExp(`\\.pth state dict.* got ${found}`) });
  }
  await t.rejects(readTensorFile(join(dir, 'none')), { message: /got no such file/ });
});
