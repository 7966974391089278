/** bigbigan export, and --model of the commands that run a model. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { startEngine } from '../../src/core/backend/engine.js';
import { sha256File } from '../../src/core/formats/digest.js';
import { readNpy, writeNpy } from '../../src/core/formats/npy/npy.js';
import { dots, tinyCheckpoint } from '../checkpoints.js';
import { bigbigan, fixture } from '../paths.js';

const folder = mkdtempSync(join(tmpdir(), 'bigbigan-test-'));
const at = (name: string) => join(folder, name);
const { path: checkpoint } = await tinyCheckpoint(await startEngine());
const images = at('images.npy');
await writeNpy(images, [23, 32, 32, 1], dots(7, 23));
const data = async (path: string) => (await readNpy(path)).data as Float32Array;
const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(b, (value, i) => Math.abs(a[i] - value)));

t.before(async () => {
  const { code, stderr } = await bigbigan(['export', '--checkpoint', checkpoint, '--out', at('model')]);
  if (code !== 0) throw new Error(stderr);
});

t.test('the result states what was written', async (t) => {
  const again = await bigbigan(['export', '--checkpoint', checkpoint, '--out', at('model'), '--json']);
  t.equal(again.code, 0);
  t.match(again.stderr, /holds this model already/);
  const result = JSON.parse(again.stdout);
  t.match(result, {
    step: 3,
    weights: 'average',
    precision: 'float32',
    checkpoint_digest: await sha256File(checkpoint),
  });
  t.same(result.signatures.encode, {
    inputs: { x: [-1, 32, 32, 1] },
    outputs: {
      default: [-1, 8],
      z_mean: [-1, 8],
      z_stdev: [-1, 8],
      z_sample: [-1, 8],
      avepool_feat: [-1, 16],
      bn_crelu_feat: [-1, 32],
    },
  });
  t.same(result.signatures.discriminate.outputs, { score_xz: [-1], score_x: [-1], score_z: [-1] });
  t.match(JSON.parse(readFileSync(join(at('model'), 'bigbigan.json'), 'utf8')), {
    step: 3,
    config: { preset: 'tiny' },
  });
});

t.test('generate, encode and reconstruct do the same with it as with the checkpoint', async (t) => {
  const sources = {
    checkpoint: ['--checkpoint', checkpoint, '--precision', 'float32'],
    model: ['--model', at('model')],
  };
  const ratios: number[] = [];
  for (const [name, source] of Object.entries(sources)) {
    const generate = ['generate', ...source, '--count', '5', '--batch-size', '3'];
    t.match(await bigbigan([...generate, '--out', at(`${name}.npy`)]), { code: 0 });
    t.match(await bigbigan([...generate, '--out', at(`${name}-truncated.npy`), '--truncation', '0.5']), { code: 0 });
    t.match(
      await bigbigan(['encode', ...source, '--data', images, '--out', at(`${name}-features`), '--batch-size', '10']),
      { code: 0 },
    );
    const { code, stdout } = await bigbigan(['reconstruct', ...source, '--data', images, '--sample', '--json']);
    t.equal(code, 0);
    ratios.push(JSON.parse(stdout).l1_ratio);
  }
  t.ok(worst(await data(at('checkpoint.npy')), await data(at('model.npy'))) <= 1);
  for (const name of ['avepool', 'bn_crelu', 'z_mean', 'z_std', 'z_sample']) {
    t.ok(
      worst(await data(at(`checkpoint-features/${name}.npy`)), await data(at(`model-features/${name}.npy`))) < 1e-5,
      name,
    );
  }
  t.ok(Math.abs(ratios[0] - ratios[1]) < 1e-5);
  const { source } = JSON.parse(readFileSync(at('model-features/features.json'), 'utf8'));
  t.match(source, { model: at('model'), model_digest: /^[0-9a-f]{64}$/, checkpoint: null });
  const repeated = await bigbigan(['encode', '--model', at('model'), '--data', images, '--out', at('model-features')]);
  t.match(repeated, { code: 0, stderr: /holds these features already/ });
  const truncated = await readNpy(at('model-truncated.npy'));
  t.same(truncated.shape, [5, 32, 32, 1]);
  t.notSame(truncated.data, await data(at('model.npy')));
});

t.test('a published module, whose encoder takes larger images than its generator gives', async (t) => {
  const model = ['--model', fixture('models/hub-module')];
  const x = fixture('models/expected/x.npy');
  const result = await bigbigan(['reconstruct', ...model, '--data', x, '--out', at('hub.npy'), '--json']);
  t.equal(result.code, 0, result.stderr);
  const [originals, reconstructed] = await Promise.all(
    ['halved', 'reconstructed'].map((name) => data(fixture(`models/expected/${name}.npy`))),
  );
  t.ok(worst(await data(at('hub.npy')), reconstructed) <= 1);
  const matched =
    reconstructed.reduce((sum, value, i) => sum + Math.abs(value - originals[i]), 0) / reconstructed.length / 255;
  t.ok(Math.abs(JSON.parse(result.stdout).l1_matched - matched) < 1e-3);
  t.match(await bigbigan(['encode', ...model, '--data', x, '--out', at('hub-features')]), { code: 0 });
  t.ok(
    worst(await data(at('hub-features/bn_crelu.npy')), await data(fixture('models/expected/bn_crelu_feat.npy'))) < 1e-5,
  );
});

t.test('what does not go together is a usage error', async (t) => {
  const model = ['--model', at('model')];
  for (const extra of [
    ['--standing-statistics', '2'],
    ['--checkpoint', checkpoint],
    ['--weights', 'trained'],
    ['--precision', 'bf16'],
  ]) {
    const { code, stderr } = await bigbigan(['generate', ...model, '--out', at('x.npy'), ...extra]);
    t.equal(code, 2);
    t.match(stderr, /cannot be used with option/);
  }
  t.match(await bigbigan(['export', '--checkpoint', checkpoint]), { code: 2, stderr: /--out is missing/ });
  t.match(await bigbigan(['export', '--out', at('y')]), { code: 2, stderr: /--run or --checkpoint is missing/ });
  t.match(await bigbigan(['generate', '--out', at('x.npy')]), {
    code: 2,
    stderr: /--run, --checkpoint or --model is missing/,
  });
  const missing = await bigbigan([
    'encode',
    '--model',
    fixture('metrics/saved-model'),
    '--data',
    images,
    '--out',
    at('z'),
  ]);
  t.match(missing, { code: 1, stderr: /expected a signature generate .* got serving_default/ });
});
