/** A checkpoint: every variable by its path in one safetensors file, with the config and the counters beside them. */

import { sameShape } from '../backend/tensor.js';
import type { VariableSpec, VariableValues } from '../backend/variables.js';
import type { Config } from '../config/config.js';
import { DamagedFile, expected } from '../errors.js';
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../formats/safetensors.js';
import type { CheckpointHeader, MonitorState, Retry } from './checkpoint-header.js';

/** Its files carry a digest; those of the format before do not, and are read without. */
const FORMAT = 'bigbigan-checkpoint-3';
const WITHOUT_DIGEST = 'bigbigan-checkpoint-2';

export async function saveCheckpoint(
  path: string,
  values: VariableValues,
  { step, config, monitor, retries = [] }: CheckpointHeader,
): Promise<void> {
  await writeSafetensors(path, values, {
    format: FORMAT,
    step: String(step),
    config: JSON.stringify(config),
    ...(monitor && { monitor: JSON.stringify(monitor) }),
    ...(retries.length > 0 && { retries: JSON.stringify(retries) }),
  });
}

export async function readCheckpointHeader(path: string): Promise<CheckpointHeader> {
  return parseMetadata(await readSafetensorsHeader(path), path);
}

/** Reads the whole file for its digest and keeps nothing. @throws DamagedFile */
export async function verifyCheckpoint(path: string): Promise<void> {
  await readCheckpoint(path, []);
}

/**
 * The values of the given variables; all of them must be present, in their shapes.
 * @throws DamagedFile if the file is not as it was written
 */
export async function readCheckpoint(
  path: string,
  specs: readonly VariableSpec[],
): Promise<CheckpointHeader & { values: VariableValues }> {
  const wanted = new Map(specs.map((spec) => [spec.name, spec]));
  const { tensors, metadata, digest } = await readSafetensors(path, (name) => wanted.has(name));
  const header = parseMetadata({ metadata, digest }, path);
  const values: VariableValues = new Map();
  for (const { name, shape } of specs) {
    const tensor = tensors.get(name);
    if (!tensor) throw expected(`the variable ${name}`, path, 'none', 'the file is of another model or damaged');
    if (!sameShape(tensor.shape, shape) || !(tensor.data instanceof Float32Array)) {
      throw expected(`float32 [${shape}]`, `${name} in ${path}`, `${tensor.dtype} [${tensor.shape}]`);
    }
    values.set(name, { shape, data: tensor.data });
  }
  return { ...header, values };
}

function parseMetadata(
  { metadata, digest }: { metadata: Record<string, string>; digest?: string },
  path: string,
): CheckpointHeader {
  if (metadata.format !== FORMAT && metadata.format !== WITHOUT_DIGEST) {
    throw expected(
      `a checkpoint of bigbigan (${FORMAT})`,
      path,
      metadata.format ?? 'a safetensors file of another kind',
    );
  }
  if (metadata.format === FORMAT && digest === undefined) throw new DamagedFile(`the digest of ${path} is missing`);
  const step = /^\d+$/.test(metadata.step) ? Number(metadata.step) : NaN;
  if (!Number.isSafeInteger(step)) throw expected('a step', `the metadata of ${path}`, `"${metadata.step}"`);
  try {
    const config = JSON.parse(metadata.config) as Config;
    if (!config.model || !config.train) throw new SyntaxError('not a config');
    const monitor = metadata.monitor === undefined ? undefined : (JSON.parse(metadata.monitor) as MonitorState);
    const retries = metadata.retries === undefined ? undefined : (JSON.parse(metadata.retries) as Retry[]);
    return { step, config, ...(monitor && { monitor }), ...(retries && { retries }) };
  } catch {
    throw expected('a config in JSON', `the metadata of ${path}`, 'something else');
  }
}
