import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { size } from '../../../src/core/backend/tensor.js';
import type { VariableValues } from '../../../src/core/backend/variables.js';
import { resolveConfig } from '../../../src/core/config/resolve.js';
import { integerRandom } from '../../../src/core/data/random.js';
import { UserError } from '../../../src/core/errors.js';
import { writeSafetensors } from '../../../src/core/formats/safetensors.js';
import {
  readCheckpoint,
  readCheckpointHeader,
  saveCheckpoint,
  verifyCheckpoint,
} from '../../../src/core/run/checkpoint.js';
import { readResumePoint } from '../../../src/core/run/resume.js';
import { beginRun, listCheckpoints, pruneCheckpoints, runFolder } from '../../../src/core/run/run-folder.js';
import { runVariables } from '../../../src/core/train/initial.js';

const config = resolveConfig({ preset: 'tiny' });
const specs = runVariables(config);
const valuesOf = (step: number): VariableValues =>
  new Map(
    specs.map(({ name, shape }, n) => [
      name,
      { shape, data: Float32Array.from({ length: size(shape) }, (_, i) => Math.sin(step + n + i)) },
    ]),
  );
const monitor = { steps: 2, sums: { loss_d: 1 / 3 }, streaks: {} };

/** A run with checkpoints of these steps. */
async function run(t: Test, ...steps: number[]): Promise<string> {
  const path = t.testdir({});
  for (const step of steps) {
    const file = runFolder(path).checkpoint(step);
    mkdirSync(dirname(file), { recursive: true });
    await saveCheckpoint(file, valuesOf(step), { step, config, monitor });
  }
  return path;
}

const same = (a: VariableValues, b: VariableValues) =>
  [...a].every(([name, { data }]) => Buffer.from(data.buffer).equals(Buffer.from(b.get(name)!.data.buffer)));

t.test('the newest one, with all that belongs to it', async (t) => {
  const path = await run(t, 4, 8);
  const point = (await readResumePoint(path, specs))!;
  t.match(point, { step: 8, checkpoint: runFolder(path).checkpoint(8), config, monitor, damaged: [] });
  t.ok(same(valuesOf(8), point.values));
  t.equal(await readResumePoint(t.testdir({}), specs), undefined);
});

t.test('200 mutations: the checkpoint before, never a crash, never altered numbers', async (t) => {
  const path = await run(t, 4, 8);
  const newest = runFolder(path).checkpoint(8);
  const whole = readFileSync(newest);
  const header = 8 + Number(whole.readBigUInt64LE());
  const seed = 20260;
  const random = integerRandom(seed, 0);
  const flip = (at: number) => {
    const bytes = Buffer.from(whole);
    bytes[at] ^= 1 << random.below(8);
    return bytes;
  };
  const length = (value: bigint) => {
    const bytes = Buffer.from(whole);
    bytes.writeBigUInt64LE(value);
    return bytes;
  };
  const text = (from: string, to: string) => {
    t.ok(whole.includes(from), from);
    const start = whole.indexOf(from);
    return Buffer.concat([whole.subarray(0, start), Buffer.from(to), whole.subarray(start + from.length)]);
  };
  const mutations: [string, Buffer][] = [
    ...Array.from({ length: 40 }, (): [string, Buffer] => {
      const end = random.below(whole.length);
      return [`cut to ${end} bytes`, whole.subarray(0, end)];
    }),
    ...Array.from({ length: 70 }, (): [string, Buffer] => {
      const at = random.below(header);
      return [`bit of byte ${at}, header`, flip(at)];
    }),
    ...Array.from({ length: 60 }, (): [string, Buffer] => {
      const at = header + random.below(whole.length - header);
      return [`bit of byte ${at}, data`, flip(at)];
    }),
    ...[
      0n,
      1n,
      7n,
      BigInt(header - 9),
      BigInt(header - 7),
      BigInt(whole.length),
      99_999_999n,
      1n << 40n,
      (1n << 63n) - 1n,
      (1n << 64n) - 1n,
    ].map((n): [string, Buffer] => [`a header of ${n} bytes`, length(n)]),
    ['trailing bytes', Buffer.concat([whole, Buffer.alloc(4)])],
    ['zeros', Buffer.alloc(whole.length)],
    ['an empty file', Buffer.alloc(0)],
    [
      'half zeros, as after a power cut',
      Buffer.concat([whole.subarray(0, whole.length >> 1), Buffer.alloc(whole.length - (whole.length >> 1))]),
    ],
    ['another step', text('"step":"8"', '"step":"9"')],
    ['another setting', text('\\"seed\\":0', '\\"seed\\":1')],
    ['the format without a digest', text('bigbigan-checkpoint-3', 'bigbigan-checkpoint-2')],
    ['no digest', text('"file_sha256"', '"file_sha257"')],
    ['a digest of capitals', text('"file_sha256":"', '"file_sha256":"A')],
    ['null as metadata', text('"__metadata__":{', '"__metadata__":null,"x":{')],
    ['a name of another', text('adam/m/encoder', 'adam/v/encoder')],
    ['a longer shape', text('"shape":[16]', '"shape":[17]')],
    ['a shape turned round', text('"shape":[3,3,8,8]', '"shape":[8,8,3,3]')],
    ['a shape beyond counting', text('"shape":[16]', '"shape":[9007199254740991,9007199254740991]')],
    ['a shape below zero', text('"shape":[16]', '"shape":[-16]')],
    ['another type', text('"F32"', '"I32"')],
    ['half its type', text('"F32"', '"F16"')],
    ['offsets that cross', text('"data_offsets":[0,', '"data_offsets":[4,')],
    ['no JSON', text('{"__metadata__"', '["__metadata__"')],
    ['a tensor that is none', text('{"dtype":"F32"', 'null,"x":{"dtype":"F32"')],
  ];
  t.equal(mutations.length, 200);
  let passedOver = 0;
  for (const [what, bytes] of mutations) {
    writeFileSync(newest, bytes);
    for (const read of [
      () => readCheckpoint(newest, specs),
      () => readCheckpoint(newest, specs.slice(0, 3)),
      () => verifyCheckpoint(newest),
    ]) {
      const error = await read().then(
        () => 'it was read',
        (e: unknown) => e,
      );
      if (!(error instanceof UserError))
        t.fail(`${what} (seed ${seed}): ${error instanceof Error ? error.stack : String(error)}`);
      else if (!error.message.includes(newest)) t.fail(`${what} names no file: ${error.message}`);
    }
    await readCheckpointHeader(newest).catch((e: unknown) => {
      if (!(e instanceof UserError)) t.fail(`${what}, header: ${String(e)}`);
    });
    const point = await readResumePoint(path, specs).catch((e: unknown) => e as Error);
    if (point instanceof Error || point?.step !== 4 || !same(valuesOf(4), point.values))
      t.fail(`${what}: ${String(point)}`);
    else if (point.damaged.length === 1 && point.damaged[0].problem.includes(newest)) passedOver++;
    rmSync(`${newest}.damaged`);
  }
  t.equal(passedOver, 200);
});

t.test('shapes that do not fit are no damage but another model', async (t) => {
  const path = await run(t, 4, 8);
  const newest = runFolder(path).checkpoint(8);
  const values = valuesOf(8);
  const metadata = { format: 'bigbigan-checkpoint-3', step: '8', config: JSON.stringify(config) };
  values.set('encoder/output/bias', { shape: [8, 2], data: new Float32Array(16) });
  await writeSafetensors(newest, values, metadata);
  await t.rejects(readResumePoint(path, specs), {
    name: 'UserError',
    message: /float32 \[16\] for encoder\/output\/bias/,
  });
  values.delete('encoder/output/bias');
  await writeSafetensors(newest, values, metadata);
  await t.rejects(readResumePoint(path, specs), { name: 'UserError', message: /the variable encoder\/output\/bias/ });
  t.equal((await listCheckpoints(path)).length, 2, 'nothing is put aside');
});

t.test('all damaged: an error that names each, and everything stays', async (t) => {
  const path = await run(t, 4, 8);
  for (const step of [4, 8]) writeFileSync(runFolder(path).checkpoint(step), 'x');
  await t.rejects(readResumePoint(path, specs), {
    name: 'UserError',
    message: /no checkpoint of .*00000008.*00000004/,
  });
  t.equal((await listCheckpoints(path)).length, 2);
});

t.test('files of the format without a digest are read', async (t) => {
  const path = await run(t, 4);
  const file = runFolder(path).checkpoint(4);
  const whole = readFileSync(file);
  // The same length: the digest becomes a remark.
  writeFileSync(
    file,
    whole.toString('latin1').replace('"file_sha256"', '"some_remark"').replace('checkpoint-3', 'checkpoint-2'),
    'latin1',
  );
  const point = (await readResumePoint(path, specs))!;
  t.equal(point.step, 4);
  t.ok(same(valuesOf(4), point.values));
});

t.test('the newest are kept', async (t) => {
  const path = await run(t);
  const checkpoints = join(path, 'checkpoints');
  mkdirSync(checkpoints);
  for (const step of [2, 10, 100000000, 9]) writeFileSync(runFolder(path).checkpoint(step), '');
  writeFileSync(join(checkpoints, '00000001.safetensors.damaged'), '');
  await pruneCheckpoints(path, Infinity);
  await pruneCheckpoints(path, 4);
  t.equal(readdirSync(checkpoints).length, 5);
  await pruneCheckpoints(path, 2);
  t.same(readdirSync(checkpoints).sort(), [
    '00000001.safetensors.damaged',
    '00000010.safetensors',
    '100000000.safetensors',
  ]);
});

t.test('what a killed process left unfinished is removed, and nothing else', async (t) => {
  const path = await run(t, 4);
  const leftovers = [
    '.config.json.17-0a1b2c3d.tmp',
    'checkpoints/.00000008.safetensors.17-0a1b2c3d.tmp',
    'samples/.00000008-seed0.png.17-0a1b2c3d.tmp',
    'samples/.00000008-reconstructions.png.17-0a1b2c3d.tmp',
  ];
  const others = [
    '.thesis.tex.17-0a1b2c3d.tmp',
    'checkpoints/.notes',
    'samples/.faces.npy.17-0a1b2c3d.tmp',
    'samples/00000004-seed0.png',
  ];
  mkdirSync(join(path, 'samples'));
  writeFileSync(join(path, 'config.json'), '{}');
  for (const name of [...leftovers, ...others]) writeFileSync(join(path, name), 'x');
  await beginRun(path, config);
  const present = readdirSync(path, { recursive: true, encoding: 'utf8' });
  t.same(
    leftovers.filter((name) => present.includes(name)),
    [],
  );
  t.same(
    others.filter((name) => !present.includes(name)),
    [],
  );
  t.same(JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')), JSON.parse(JSON.stringify(config)));
});

t.test('a process that was killed before it had written its config', async (t) => {
  const path = t.testdir({ '.config.json.17-0a1b2c3d.tmp': '{', lock: '' });
  await beginRun(path, config);
  t.same(readdirSync(path).sort(), ['checkpoints', 'config.json', 'lock', 'samples']);
});
