/** A checkpoint: every variable by its path in one safetensors file, with the config and the counters beside them. */
import { expected } from '../errors.js';
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../formats/safetensors.js';
import { sameShape } from '../backend/tensor.js';
import type { VariableSpec, VariableValues } from '../backend/variables.js';
import type { Config } from './config.js';

const FORMAT = 'bigbigan-checkpoint-2';

export interface CheckpointHeader {
  /** Steps completed. */
  step: number;
  config: Config;
}

export async function saveCheckpoint(path: string, values: VariableValues, { step, config }: CheckpointHeader): Promise<void> {
  await writeSafetensors(path, values, { format: FORMAT, step: String(step), config: JSON.stringify(config) });
}

export async function readCheckpointHeader(path: string): Promise<CheckpointHeader> {
  return parseMetadata((await readSafetensorsHeader(path)).metadata, path);
}

/** The values of the given variables: all of them have to be there, in their shapes. */
export async function readCheckpoint(path: string, specs: readonly VariableSpec[]): Promise<CheckpointHeader & { values: VariableValues }> {
  const wanted = new Map(specs.map((spec) => [spec.name, spec]));
  const { tensors, metadata } = await readSafetensors(path, (name) => wanted.has(name));
  const header = parseMetadata(metadata, path);
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

function parseMetadata(metadata: Record<string, string>, path: string): CheckpointHeader {
  if (metadata.format !== FORMAT) {
    throw expected(`a checkpoint of bigbigan (${FORMAT})`, path, metadata.format ?? 'a safetensors file of another kind');
  }
  const step = /^\d+$/.test(metadata.step) ? Number(metadata.step) : NaN;
  if (!Number.isSafeInteger(step)) throw expected('a step', `the metadata of ${path}`, `"${metadata.step}"`);
  try {
    const config = JSON.parse(metadata.config) as Config;
    if (!config.model || !config.train) throw new SyntaxError('not a config');
    return { step, config };
  } catch {
    throw expected('a config in JSON', `the metadata of ${path}`, 'something else');
  }
}
