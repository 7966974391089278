import { join } from 'node:path';
import t from 'tap';
import { readClassifier, writeClassifier } from '../../../../src/core/evaluation/probe/classifier-file.js';
import { writeSafetensors } from '../../../../src/core/formats/safetensors.js';

const vector = (n: number) => ({ shape: [n], data: new Float32Array(n) });

t.test('what is written is read', async (t) => {
  const path = join(t.testdir(), 'probe.safetensors');
  const classifier = {
    weight: Float32Array.of(1, 2, 3, 4, 5, 6),
    bias: Float32Array.of(7, 8, 9),
    classes: Int32Array.of(0, 2, 5),
  };
  const bn = { mean: Float64Array.of(0.5), factor: Float64Array.of(2) };
  await writeClassifier(path, {
    classifier,
    bn,
    result: { top1: 0.5 },
    classNames: ['ant', 'bee', 'c', 'd', 'e', 'fly'],
  });
  t.same(await readClassifier(path), {
    classifier,
    bn,
    result: { top1: 0.5 },
    classNames: ['ant', 'bee', 'c', 'd', 'e', 'fly'],
  });
});

t.test('another file is told by what it is, in a few words', async (t) => {
  const path = join(t.testdir(), 'x.safetensors');
  const many = new Map(Array.from({ length: 300 }, (_, i) => [`generator/block${i}/kernel`, vector(2)]));
  const cases: Array<[Map<string, ReturnType<typeof vector>>, Record<string, string>, RegExp]> = [
    [
      many,
      { format: 'bigbigan-checkpoint-3', step: '2000', config: '{}' },
      /^expected a classifier that linear-probe --out saved for .*, got the checkpoint of a run at step 2000$/,
    ],
    [many, { format: 'bigbigan linear probe state 1' }, /got the state of a training that --state keeps$/],
    [many, {}, /got tensors generator\/block0\/kernel float32 \[2\], .*block3\/kernel float32 \[2\] and 296 more$/],
    [new Map(), {}, /got no tensors$/],
    [
      new Map([
        ['weight', vector(2)],
        ['bias', vector(2)],
        ['classes', vector(2)],
      ]),
      {},
      /got tensors weight float32 \[2\], bias float32 \[2\], classes float32 \[2\]$/,
    ],
  ];
  for (const [tensors, metadata, message] of cases) {
    await writeSafetensors(path, tensors, metadata);
    await t.rejects(readClassifier(path), { name: 'UserError', message });
  }
});
