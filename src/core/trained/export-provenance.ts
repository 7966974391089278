/** Where an exported model comes from, in a file of its folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expected } from '../errors.js';
import { type FolderKind, hasFormat } from '../formats/own-folder.js';
import type { LatentSpace } from '../model/latents.js';

export const PROVENANCE = 'bigbigan.json';
export const EXPORT_FORMAT = 'bigbigan saved model 1';

/** The folder as a whole. */
export const EXPORT_FOLDER: FolderKind = {
  marker: PROVENANCE,
  isOurs: hasFormat(EXPORT_FORMAT),
  holds: (name) => name === 'saved_model.pb',
};

/** What signatures do not say of the latents and labels that G takes. */
type Distributions = Pick<LatentSpace, 'prior' | 'classes'>;

/** Those of the published modules, whose folders have no such file. */
const PUBLISHED: Distributions = { prior: 'normal', classes: 1 };

/** @throws UserError when there is such a file and it does not tell. */
export async function exportedDistributions(dir: string): Promise<Distributions> {
  const path = join(dir, PROVENANCE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw expected('a file that can be read', path, error.code ?? error.message);
  });
  if (text === undefined) return PUBLISHED;
  const { prior, classes } = modelIn(text);
  if ((prior === 'normal' || prior === 'uniform') && Number.isInteger(classes) && (classes as number) > 0) {
    return { prior, classes: classes as number };
  }
  throw expected(
    'config.model with its prior and classes',
    path,
    JSON.stringify({ prior, classes }),
    'export the model again',
  );
}

function modelIn(text: string): Partial<Record<keyof Distributions, unknown>> {
  try {
    return (JSON.parse(text) as { config: { model?: object } }).config.model ?? {};
  } catch {
    return {};
  }
}
