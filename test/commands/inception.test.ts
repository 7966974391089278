import { join } from 'node:path';
import t from 'tap';
import { sha256File } from '../../src/core/formats/digest.js';
import { writeNpy } from '../../src/core/formats/npy/npy.js';
import { readSafetensorsHeader } from '../../src/core/formats/safetensors.js';
import { images, writeSyntheticWeights } from '../core/inception/synthetic.js';
import { bigbigan, fixture, run } from '../paths.js';

const dir = t.testdir();
const file = (name: string) => join(dir, name);
const weights = await writeSyntheticWeights(dir);
const PUBLISHED =
  /classify_image_graph_def\.pb .*pt_inception-2015-12-05-6726825d\.pth .*95628359 bytes, SHA-256 6726825d0af5/;

t.test('says what a file of weights is, and converts it', async (t) => {
  const out = file('converted.safetensors');
  const first = await bigbigan(['inception', weights, '--out', out, '--json']);
  t.equal(first.code, 0, first.stderr);
  const result = JSON.parse(first.stdout);
  t.match(result, {
    path: weights,
    format: 'safetensors',
    names: 'bigbigan',
    sha256: await sha256File(weights),
    published: null,
    digest: /^[0-9a-f]{64}$/,
    tensors: 472,
    parameters: 23_885_392,
    out,
  });
  t.equal((await readSafetensorsHeader(out)).metadata.source_sha256, result.sha256);
  const again = await bigbigan(['inception'], { env: { BIGBIGAN_INCEPTION: out } });
  t.match(again.stdout, new RegExp(`SHA-256 of its 472 tensors: ${result.digest}`));

  const twice = await bigbigan(['inception', weights, '--out', out]);
  t.equal(twice.code, 1);
  t.match(twice.stderr, /exists already.*\n.*--force/);
});

t.test('a file of something else is refused', async (t) => {
  for (const [args, code, message] of [
    [[], 2, PUBLISHED],
    [[fixture('inception/zip.pth')], 1, /expected the Inception network of 2015 .* got a file of 7 tensors/],
    [[fixture('inception/hostile.pth')], 1, /the name posix\.system\n.*torch\.save/],
    [[file('none.pth')], 1, /none\.pth, got no such file/],
  ] as const) {
    const { stderr, ...result } = await bigbigan(['inception', ...args], { env: { BIGBIGAN_INCEPTION: undefined } });
    t.equal(result.code, code);
    t.match(stderr, message);
    t.notMatch(stderr, /\n +at /);
  }
});

t.test('fid takes them, and is called fid with them alone', async (t) => {
  const [real, fake] = [file('real.npy'), file('fake.npy')];
  await writeNpy(real, [4, 10, 8, 3], images('real', [4, 10, 8, 3]));
  await writeNpy(fake, [3, 12, 12], images('fake', [3, 12, 12]));
  const statistics = file('real.npz');
  const { code, stdout, stderr } = await bigbigan([
    'fid',
    real,
    fake,
    '--inception-weights',
    weights,
    '--stats-out',
    statistics,
    '--metrics',
    'fid,is',
    '--splits',
    '1',
    '--json',
  ]);
  t.equal(code, 0, stderr);
  const result = JSON.parse(stdout);
  t.match(result, {
    frechet_distance: Number,
    inception_score: Number,
    extractor: { name: 'inception', mode: 'tf', digest: /^[0-9a-f]{64}$/, width: 2048 },
    weights: { path: weights, digest: await sha256File(weights) },
  });
  t.equal(result.fid, result.frechet_distance);
  t.match(stderr, new RegExp(`SHA-256 ${result.weights.digest}, not that of a published file`));

  // The environment names the weights as well, and the statistics stand for the images.
  const env = { BIGBIGAN_INCEPTION: weights };
  const again = await bigbigan(['fid', statistics, fake, '--extractor', 'inception', '--json', '-q'], { env });
  t.ok(Math.abs(JSON.parse(again.stdout).fid - result.fid) < 1e-6 * result.fid, again.stdout);
  const other = await bigbigan(['fid', statistics, fake, '--mode', 'clean'], { env });
  t.equal(other.code, 1);
  t.match(other.stderr, /tf resize.*clean resize.*\n.*modes mean nothing/);
});

t.test('what fid needs for it is explained', async (t) => {
  const real = file('real.npy');
  const env = { BIGBIGAN_INCEPTION: undefined };
  const bare = await bigbigan(['fid', real, real, '--extractor', 'inception'], { env });
  t.equal(bare.code, 2);
  t.match(bare.stderr, /needs --inception-weights FILE \(or BIGBIGAN_INCEPTION=FILE\)/);
  t.match(bare.stderr, PUBLISHED);
  const mode = await bigbigan(['fid', real, real, '--extractor', 'saved-model:x', '--mode', 'clean'], { env });
  t.equal(mode.code, 2);
  t.match(mode.stderr, /--mode belongs to --extractor inception and nsfwjs, not to saved-model:x/);
  const wrong = await bigbigan(['fid', real, real, '--mode', 'lanczos'], { env });
  t.equal(wrong.code, 2);
});

t.test(
  "a file of PyTorch's own",
  { skip: process.env.BIGBIGAN_PYTHON === undefined && 'BIGBIGAN_PYTHON names no Python with PyTorch' },
  async (t) => {
    const script = `
import sys, torch
sys.path.insert(0, ${JSON.stringify(fixture('inception'))})
sys.dont_write_bytecode = True
from network import state_dict
torch.save(state_dict(), sys.argv[1], _use_new_zipfile_serialization=False)
torch.save(state_dict(), sys.argv[2])`;
    const files = [file('legacy.pth'), file('zip.pth')];
    const made = await run(process.env.BIGBIGAN_PYTHON!, ['-c', script, ...files]);
    t.equal(made.code, 0, made.stderr);
    const digestOf = async (path: string) => JSON.parse((await bigbigan(['inception', path, '--json'])).stdout).digest;
    for (const path of files) t.equal(await digestOf(path), await digestOf(weights), path);
  },
);
