/** A trained model as a SavedModel, for programs that know nothing of this one. */
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { servedFunctions, servedModel } from '../backend/graph/served-model.js';
import type { Precision } from '../backend/precision.js';
import { checkReplaceable, writeFolderAtomic } from '../formats/atomic.js';
import { sha256File } from '../formats/digest.js';
import { writeFully } from '../formats/input.js';
import type { Pass } from '../layers/scope.js';
import { modelVariables } from '../model/bigbigan.js';
import { servingFunctions } from '../model/serving.js';
import { readCheckpoint } from '../run/checkpoint.js';
import { EXPORT_FORMAT, PROVENANCE } from './export-provenance.js';
import { type CheckpointSource, describeCheckpoint } from './open-checkpoint.js';

export interface ExportRequest {
  source: CheckpointSource;
  out: string;
  weights: Pass['weights'];
  precision: Precision;
  force?: boolean;
  version: string;
}

export interface ExportedModel {
  step: number;
  checkpoint: string;
  /** SHA-256 of the checkpoint file. */
  digest: string;
  /** Shapes of each signature's inputs and outputs; -1 is any batch size. */
  signatures: Record<string, { inputs: Record<string, readonly number[]>; outputs: Record<string, readonly number[]> }>;
  /** The folder held exactly this already. */
  repeated: boolean;
}

/** Needs no engine: the graph is recorded and written, not run. */
export async function exportModel({
  source,
  out,
  weights,
  precision,
  force,
  version,
}: ExportRequest): Promise<ExportedModel> {
  const { checkpoint, config, step } = await describeCheckpoint(source);
  const functionsFor = (n: number) => servingFunctions(config.model, n, weights);
  const specs = modelVariables(config.model);
  const functions = servedFunctions(specs, functionsFor, precision);
  // As TensorFlow Serving and its clients ask for when they name no signature; and the published modules' `default`.
  const { inputs, outputs } = functions.signatures.encode ?? functions.signatures.generate;
  functions.signatures.serving_default = { inputs, outputs: { default: outputs.default } };
  functions.signatures.default = functions.signatures.serving_default;

  const digest = await sha256File(checkpoint);
  const origin = { checkpoint, checkpoint_digest: digest, step, weights, precision, version, config };
  const provenance = { format: EXPORT_FORMAT, ...origin };
  const text = `${JSON.stringify(provenance, null, 2)}\n`;
  const result = { step, checkpoint, digest, signatures: shapes(functions.signatures) };
  if (!force && (await sameText(join(out, PROVENANCE), text))) return { ...result, repeated: true };
  await checkReplaceable(out, { force, marker: PROVENANCE });

  const { values } = await readCheckpoint(
    checkpoint,
    specs.filter(({ name }) => functions.variables.has(name)),
  );
  await writeFolderAtomic(out, { force, marker: PROVENANCE }, async (folder) => {
    await writeParts(join(folder, 'saved_model.pb'), servedModel(functions, values));
    await writeFile(join(folder, PROVENANCE), text, { flush: true });
  });
  return { ...result, repeated: false };
}

type Signatures = ReturnType<typeof servedFunctions>['signatures'];

function shapes(signatures: Signatures): ExportedModel['signatures'] {
  const of = (nodes: Signatures[string]['inputs']) =>
    Object.fromEntries(
      Object.entries(nodes).map(
        ([
          key,
          {
            outputs: [{ shape }],
          },
        ]) => [key, shape],
      ),
    );
  return Object.fromEntries(
    Object.entries(signatures).map(([name, { inputs, outputs }]) => [
      name,
      { inputs: of(inputs), outputs: of(outputs) },
    ]),
  );
}

async function sameText(path: string, text: string): Promise<boolean> {
  return (await readFile(path, 'utf8').catch(() => undefined)) === text;
}

async function writeParts(path: string, parts: Iterable<Uint8Array>): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    let position = 0;
    for (const part of parts) {
      await writeFully(handle, part, position);
      position += part.length;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}
