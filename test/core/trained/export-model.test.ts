/** Exported models against the checkpoints that they come from. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { loadSession } from '../../../src/core/backend/graph/session.js';
import { createMachine } from '../../../src/core/backend/machine.js';
import { sha256File } from '../../../src/core/formats/digest.js';
import { readNpy, writeNpy } from '../../../src/core/formats/npy/npy.js';
import { modelPass, modelVariables } from '../../../src/core/model/bigbigan.js';
import { discriminate } from '../../../src/core/model/discriminator.js';
import { floatsFromPixels } from '../../../src/core/model/pixels.js';
import { readCheckpoint } from '../../../src/core/run/checkpoint.js';
import { type ExportSettings, exportModel } from '../../../src/core/trained/export-model.js';
import { loadModel } from '../../../src/core/trained/load-model.js';
import type { WorkEvent } from '../../../src/core/work.js';
import { dots, tinyCheckpoint } from '../../checkpoints.js';
import { run as runProgram } from '../../paths.js';

const engine = await startEngine();
const { path: checkpoint, config } = await tinyCheckpoint(engine);
const folder = mkdtempSync(join(tmpdir(), 'bigbigan-test-'));
const request = (name: string, changes: Partial<ExportSettings> = {}): ExportSettings => ({
  checkpoint,
  out: join(folder, name),
  weights: 'average',
  precision: 'float32',
  ...changes,
});
const latents = (n: number) =>
  Float32Array.from({ length: n * config.model.latent }, (_, i) => 1.5 * Math.sin(i * 1.7));

/** Keeps what is noted. */
function listener() {
  const notes: string[] = [];
  const on = (event: WorkEvent) => {
    if (event.kind === 'note') notes.push(event.message);
  };
  return { notes, on };
}

/** Largest difference, relative to the largest value. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  const scale = Math.max(...Array.from(b, Math.abs));
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]))) / scale;
}

/** Runs one signature as any program would that knows the file only: by the names of its tensors. */
function runner(dir: string) {
  const session = loadSession(engine, dir, ['serve']);
  return (name: string, n: number, inputs: { x?: Float32Array; z?: Float32Array }, outputs: string[]) => {
    const shapes = { x: [n, 32, 32, 1], z: [n, config.model.latent] };
    const feeds = (['x', 'z'] as const).flatMap((key) => {
      const values = inputs[key];
      return values ? [{ node: `${name}/inputs/${key}`, shape: shapes[key], dtype: 'float32' as const, values }] : [];
    });
    return session.run(
      feeds,
      outputs.map((key) => `${name}/outputs/${key}`),
    ) as Float32Array[];
  };
}

for (const weights of ['average', 'trained'] as const) {
  t.test(`${weights} weights give what the checkpoint gives, for any batch`, async (t) => {
    const { notes, ...listening } = listener();
    const { step, checkpoint_digest } = await exportModel(request(weights, { weights }), listening);
    t.same({ step, checkpoint_digest }, { step: 3, checkpoint_digest: await sha256File(checkpoint) });
    t.same(notes, [], 'it is written');
    const run = runner(join(folder, weights));
    const model = await loadModel(engine, { checkpoint }, { batchSize: 5, weights });
    const eager = await loadModel(engine, { checkpoint }, { batchSize: 5, weights, execution: 'eager' });
    for (const n of [1, 5]) {
      const images = dots(7, n);
      for (const { encode } of [model, eager]) {
        const expected = encode(images, n);
        const [mean, same, std, avepool, crelu] = run('encode', n, { x: floatsFromPixels(images) }, [
          'z_mean',
          'default',
          'z_stdev',
          'avepool_feat',
          'bn_crelu_feat',
        ]);
        t.ok(difference(mean, expected.z_mean) < 2e-6, `z_mean ${difference(mean, expected.z_mean)}`);
        t.same(same, mean);
        t.ok(difference(std, expected.z_std) < 2e-6, `z_stdev ${difference(std, expected.z_std)}`);
        t.ok(difference(avepool, expected.avepool) < 2e-6, `avepool_feat ${difference(avepool, expected.avepool)}`);
        t.ok(difference(crelu, expected.bn_crelu) < 2e-6, `bn_crelu_feat ${difference(crelu, expected.bn_crelu)}`);
      }
      const [generated] = run('generate', n, { z: latents(n) }, ['default']);
      const levels = model.generate(latents(n), n);
      t.ok(Array.from(generated).every((value, i) => Math.abs((value + 1) * 127.5 - levels[i]) < 0.501));
    }
    model.dispose();
    eager.dispose();
  });
}

t.test('scores are those of D, computed op by op', async (t) => {
  await exportModel(request('scores'));
  const specs = modelVariables(config.model).filter(({ name }) => name.startsWith('discriminator/'));
  const { values } = await readCheckpoint(checkpoint, specs);
  const [n, x, z] = [5, floatsFromPixels(dots(3, 5)), latents(5)];
  const machine = createMachine(engine, {
    execution: 'eager',
    precision: 'float32',
    specs,
    values,
    functions: {
      discriminate: {
        inputs: {
          x: { shape: [n, 32, 32, 1], dtype: 'float32' },
          z: { shape: [n, config.model.latent], dtype: 'float32' },
        },
        run: ({ x, z }, variables) => {
          const pass = modelPass(config.model, variables, { weights: 'trained' });
          return discriminate(pass, { images: [x], latents: z }, config.model) as Required<
            ReturnType<typeof discriminate>
          >;
        },
      },
    },
  });
  const expected = machine.call('discriminate', { x, z }) as Record<string, Float32Array>;
  const scores = runner(join(folder, 'scores'))('discriminate', n, { x, z }, ['score_xz', 'score_x', 'score_z']);
  ['xz', 'x', 'z'].forEach((term, i) => t.ok(difference(scores[i], expected[term]) < 2e-6, `score_${term}`));
  machine.dispose();
});

t.test('z_sample is fresh noise around z_mean', async (t) => {
  await exportModel(request('noise'));
  const run = runner(join(folder, 'noise'));
  const n = 200;
  const sample = () => run('encode', n, { x: floatsFromPixels(dots(7, n)) }, ['z_sample', 'z_mean', 'z_stdev']);
  const [first, mean, std] = sample();
  const noise = first.map((value, i) => (value - mean[i]) / std[i]);
  const average = noise.reduce((a, b) => a + b, 0) / noise.length;
  const variance = noise.reduce((a, b) => a + b * b, 0) / noise.length;
  t.ok(Math.abs(average) < 0.15 && Math.abs(variance - 1) < 0.15, `mean ${average}, variance ${variance}`);
  t.notSame(sample()[0], first);
});

t.test('bf16 gives what the same precision gives elsewhere, in float32 tensors', async (t) => {
  await exportModel(request('half', { precision: 'bf16' }));
  const model = await loadModel(engine, { checkpoint }, { batchSize: 64, precision: 'bf16' });
  const exported = await loadModel(engine, { model: join(folder, 'half') }, { batchSize: 64 });
  const exact = await loadModel(engine, { checkpoint }, { batchSize: 64 });
  const images = dots(7, 64);
  const [half, same, float32] = [model, exported, exact].map(({ encode }) => encode(images, 64).avepool);
  t.ok(difference(same, half) < 1e-5, `${difference(same, half)}`);
  t.ok(difference(same, float32) > 1e-4, 'it is not float32');
  for (const { dispose } of [model, exported, exact]) dispose();
});

t.test('an existing folder', async (t) => {
  const { out } = request('again');
  await exportModel(request('again'));
  const before = await sha256File(join(out, 'saved_model.pb'));
  const { notes, on } = listener();
  await exportModel(request('again'), { on });
  t.match(notes, [/again holds this model already/]);
  await t.rejects(exportModel(request('again', { weights: 'trained' })), { message: /exists already/ });
  t.equal(await sha256File(join(out, 'saved_model.pb')), before);
  await exportModel(request('again', { weights: 'trained', force: true }), { on });
  t.equal(notes.length, 1, 'it is written anew');
  t.equal(JSON.parse(readFileSync(join(out, 'bigbigan.json'), 'utf8')).weights, 'trained');
  t.not(await sha256File(join(out, 'saved_model.pb')), before);
  const foreign = mkdtempSync(join(tmpdir(), 'bigbigan-test-'));
  writeFileSync(join(foreign, 'notes.txt'), 'mine');
  await t.rejects(exportModel(request('', { out: foreign, force: true })), { message: /not a folder of this kind/ });
  t.ok(existsSync(join(foreign, 'notes.txt')));
});

const python = process.env.BIGBIGAN_PYTHON;
t.test(
  'Python loads and runs it',
  { skip: python ? false : 'set BIGBIGAN_PYTHON to a Python that has TensorFlow' },
  async (t) => {
    await exportModel(request('python'));
    const images = dots(7, 5);
    const at = (name: string) => join(folder, name);
    await writeNpy(at('x.npy'), [5, 32, 32, 1], floatsFromPixels(images));
    await writeNpy(at('z.npy'), [5, config.model.latent], latents(5));
    const script = `
import numpy as np, tensorflow as tf
model = tf.saved_model.load(${JSON.stringify(at('python'))})
assert set(model.signatures) == {'generate', 'encode', 'discriminate', 'serving_default', 'default'}, model.signatures
x, z = (tf.constant(np.load(f'${folder}/{name}.npy')) for name in 'xz')
outputs = {**model.signatures['encode'](x=x), **model.signatures['discriminate'](x=x, z=z), 'images': model.signatures['generate'](z=z)['default']}
for name, value in outputs.items():
    np.save(f'${folder}/{name}.npy', value)
one = model.signatures['serving_default'](x=x[:1])
assert list(one) == ['default'] and one['default'].shape == (1, ${config.model.latent})
`;
    const { code, stderr } = await runProgram(python!, ['-c', script]);
    t.equal(code, 0, stderr);
    t.notMatch(stderr, /optimizer.*failed/, 'no pass of its optimizer fails');
    const run = runner(at('python'));
    const encodings = ['z_mean', 'z_stdev', 'avepool_feat', 'bn_crelu_feat'];
    const scores = ['score_xz', 'score_x', 'score_z'];
    const ours = [
      ...run('encode', 5, { x: floatsFromPixels(images) }, encodings),
      ...run('discriminate', 5, { x: floatsFromPixels(images), z: latents(5) }, scores),
      ...run('generate', 5, { z: latents(5) }, ['default']),
    ];
    for (const [i, name] of [...encodings, ...scores, 'images'].entries()) {
      const { data } = await readNpy(at(`${name}.npy`));
      t.ok(difference(data as Float32Array, ours[i]) < 1e-5, `${name} ${difference(data as Float32Array, ours[i])}`);
    }
  },
);
