import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { size } from '../../../src/core/backend/tensor.js';
import type { VariableValues } from '../../../src/core/backend/variables.js';
import { resolveConfig } from '../../../src/core/config/resolve.js';
import { UserError } from '../../../src/core/errors.js';
import { readSafetensors, writeSafetensors } from '../../../src/core/formats/safetensors.js';
import { readCheckpoint, readCheckpointHeader, saveCheckpoint } from '../../../src/core/run/checkpoint.js';
import { runVariables } from '../../../src/core/train/initial.js';
import { fixture } from '../../paths.js';

const config = resolveConfig({ preset: 'tiny', seed: 9 });
const specs = runVariables(config);
/** Values of every kind of bits that a float has. */
const values: VariableValues = new Map(
  specs.map(({ name, shape }, n) => {
    const data = Float32Array.from(
      { length: size(shape) },
      (_, i) => [Math.sin(n + i), -0, 1e-42, 3.4e38, 1 / 3][i % 5],
    );
    return [name, { shape, data }];
  }),
);

async function saved(t: Test) {
  const path = join(t.testdir(), '00000007.safetensors');
  await saveCheckpoint(path, values, { step: 7, config });
  return path;
}

/** The file's own header, read without our code. */
function header(path: string): Record<string, { dtype: string; shape: number[] }> {
  const bytes = readFileSync(path);
  return JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString());
}

t.test('what was saved is read, to the bit', async (t) => {
  const path = await saved(t);
  const read = await readCheckpoint(path, specs);
  t.equal(read.step, 7);
  t.same(read.config, config);
  t.equal(read.values.size, specs.length);
  for (const [name, { shape, data }] of values) {
    const found = read.values.get(name)!;
    t.same(found.shape, shape);
    if (!Buffer.from(found.data.buffer).equals(Buffer.from(data.buffer))) t.fail(name);
  }
  t.same(await readCheckpointHeader(path), { step: 7, config });
});

t.test('any reader of safetensors finds the variables under their paths', async (t) => {
  const { __metadata__: metadata, ...tensors } = header(await saved(t)) as Record<string, never>;
  const wanted = JSON.parse(readFileSync(fixture('model/tiny.json'), 'utf8')) as Record<string, number[]>;
  t.same(Object.keys(tensors).sort(), Object.keys(wanted));
  for (const [name, shape] of Object.entries(wanted)) t.match(tensors[name], { dtype: 'F32', shape });
  t.same(tensors['generator/block0/conv1/kernel'], {
    ...(tensors['generator/block0/conv1/kernel'] as object),
    shape: [3, 3, 8, 8],
  });
  t.equal((metadata as { step: string }).step, '7');
  t.equal(JSON.parse((metadata as { config: string }).config).seed, 9);
});

t.test('a part of the variables can be read', async (t) => {
  const path = await saved(t);
  const encoder = specs.filter(({ name }) => name.startsWith('encoder/'));
  t.same(
    [...(await readCheckpoint(path, encoder)).values.keys()],
    encoder.map(({ name }) => name),
  );
});

/** Saves, changes the tensors or the metadata, and expects a message with these words. */
async function refused(
  t: Test,
  change: (all: VariableValues, metadata: Record<string, string>) => void,
  ...words: RegExp[]
) {
  const path = await saved(t);
  const { metadata } = await readSafetensors(path);
  const all = new Map(values);
  change(all, metadata);
  await writeSafetensors(path, all, metadata);
  await complains(t, path, ...words);
}
async function complains(t: Test, path: string, ...words: RegExp[]) {
  const error = await readCheckpoint(path, specs).then(
    () => undefined,
    (e: unknown) => e,
  );
  t.ok(error instanceof UserError, String(error));
  for (const word of [new RegExp(path), ...words]) t.match((error as Error).message, word);
}

t.test('a variable that is missing is named', async (t) => {
  await refused(t, (all) => all.delete('encoder/output/bias'), /the variable encoder\/output\/bias/);
});

t.test('a shape that does not fit is named, even with as many values', async (t) => {
  const name = 'generator/to_image/kernel';
  await refused(
    t,
    (all) => all.set(name, { shape: [4, 3, 3, 1], data: values.get(name)!.data }),
    /float32 \[3,3,4,1\]/,
    /\[4,3,3,1\]/,
  );
});

t.test('another type is named', async (t) => {
  const change = (all: VariableValues) =>
    all.set('encoder/output/bias', { shape: [16], data: new Float64Array(16) as never });
  await refused(t, change, /float32 \[16\] for encoder\/output\/bias/, /float64 \[16\]/);
});

t.test('files of other kinds', async (t) => {
  await complains(t, fixture('formats/reference.safetensors'), /a checkpoint of bigbigan/);
  await refused(
    t,
    (_, metadata) => Object.assign(metadata, { format: 'bigbigan-checkpoint-1' }),
    /bigbigan-checkpoint-3/,
  );
  await refused(t, (_, metadata) => Object.assign(metadata, { step: '-1' }), /a step/);
  await refused(t, (_, metadata) => Object.assign(metadata, { config: '{' }), /a config/);
  await complains(t, join(t.testdir(), 'none.safetensors'));
});

t.test('a file cut short anywhere', async (t) => {
  const path = await saved(t);
  const whole = readFileSync(path);
  for (const length of [0, 5, 8, 2000, whole.length - 4]) {
    writeFileSync(path, whole.subarray(0, length));
    await complains(t, path);
  }
});
