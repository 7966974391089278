/** A trained model as a SavedModel, for programs that know nothing of this one. */
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { servedFunctions, servedModel } from '../backend/graph/served-model.js';
import { PRECISIONS, type Precision } from '../backend/precision.js';
import { checkChoice } from '../checks.js';
import { writeFolderAtomic } from '../formats/atomic.js';
import { sha256File } from '../formats/digest.js';
import { writeFully } from '../formats/input.js';
import { checkReplaceable } from '../formats/own-folder.js';
import type { Pass } from '../layers/scope.js';
import { modelVariables } from '../model/bigbigan.js';
import { servingFunctions } from '../model/serving.js';
import { readCheckpoint } from '../run/checkpoint.js';
import { packageVersion } from '../version.js';
import type { WorkOptions } from '../work.js';
import { EXPORT_DEFAULTS } from './defaults.js';
import { EXPORT_FOLDER, EXPORT_FORMAT, PROVENANCE } from './export-provenance.js';
import type { CheckpointSource } from './model.js';
import { describeCheckpoint } from './open-checkpoint.js';

export interface ExportSettings extends CheckpointSource {
  /** Folder to write. */
  out: string;
  /** The moving average of the weights (default), or the weights as last trained. */
  weights?: Pass['weights'];
  /** Arithmetic inside, default float32; inputs and outputs are float32. */
  precision?: Precision;
  /** Replace an exported model. */
  force?: boolean;
}

export interface ExportResult {
  out: string;
  /** Shapes of each signature's inputs and outputs; −1 is any batch size. */
  signatures: Record<string, { inputs: Record<string, readonly number[]>; outputs: Record<string, readonly number[]> }>;
  step: number;
  checkpoint: string;
  /** SHA-256 of the checkpoint file. */
  checkpoint_digest: string;
  weights: Pass['weights'];
  precision: Precision;
  version: string;
  seconds: number;
}

/**
 * Writes the networks as a TensorFlow SavedModel with the signatures of the published BigBiGAN modules. Images are
 * float32 [n, height, width, channels] in [−1, 1], latents float32 [n, latent], labels int32 [n], for any n. The
 * engine is not needed: the graph is recorded and written, not run. Where the folder holds this model already, nothing
 * is done.
 * @throws UserError for a checkpoint that cannot be read, and for an `out` that may not be replaced
 */
export async function exportModel(settings: ExportSettings, { on, signal }: WorkOptions = {}): Promise<ExportResult> {
  const { out, force, weights = EXPORT_DEFAULTS.weights, precision = EXPORT_DEFAULTS.precision } = settings;
  checkChoice('--weights', weights, ['average', 'trained']);
  checkChoice('--precision', precision, PRECISIONS);
  const started = Date.now();
  const { checkpoint, config, step } = await describeCheckpoint(settings);
  const functionsFor = (n: number) => servingFunctions(config.model, n, weights);
  const specs = modelVariables(config.model);
  const functions = servedFunctions(specs, functionsFor, precision);
  // As TensorFlow Serving and its clients ask for when they name no signature; and the published modules' `default`.
  const { inputs, outputs } = functions.signatures.encode ?? functions.signatures.generate;
  functions.signatures.serving_default = { inputs, outputs: { default: outputs.default } };
  functions.signatures.default = functions.signatures.serving_default;

  const digest = await sha256File(checkpoint);
  const origin = {
    checkpoint,
    checkpoint_digest: digest,
    step,
    weights,
    precision,
    version: packageVersion,
    config,
  };
  const provenance = { format: EXPORT_FORMAT, ...origin };
  const text = `${JSON.stringify(provenance, null, 2)}\n`;
  const result = (): ExportResult => ({
    out,
    signatures: shapes(functions.signatures),
    step,
    checkpoint,
    checkpoint_digest: digest,
    weights,
    precision,
    version: packageVersion,
    seconds: (Date.now() - started) / 1000,
  });
  if (!force && (await sameText(join(out, PROVENANCE), text))) {
    on?.({ kind: 'note', message: `${out} holds this model already` });
    return result();
  }
  await checkReplaceable(out, { force, kind: EXPORT_FOLDER });

  const { values } = await readCheckpoint(
    checkpoint,
    specs.filter(({ name }) => functions.variables.has(name)),
  );
  signal?.throwIfAborted();
  await writeFolderAtomic(out, { force, kind: EXPORT_FOLDER }, async (folder) => {
    await writeParts(join(folder, 'saved_model.pb'), servedModel(functions, values));
    await writeFile(join(folder, PROVENANCE), text, { flush: true });
  });
  return result();
}

type Signatures = ReturnType<typeof servedFunctions>['signatures'];

function shapes(signatures: Signatures): ExportResult['signatures'] {
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
