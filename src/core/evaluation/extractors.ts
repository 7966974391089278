/** The feature extractors that a command line can name. */
import { stat } from 'node:fs/promises';
import type { Engine } from '../backend/engine.js';
import { usage } from '../errors.js';
import type { Extractor } from '../metrics/extractor.js';
import type { SavedModelChoice } from './saved-model-extractor.js';

export const EXTRACTOR_FORMS = 'encoder:RUN or saved-model:DIR[:OUTPUT][@LOW,HIGH]';

export type ExtractorChoice = { kind: 'encoder'; path: string } | ({ kind: 'saved-model' } & SavedModelChoice);

/** Reads `encoder:RUN` or `saved-model:DIR[:OUTPUT][@LOW,HIGH]`; looks at no more than whether DIR exists. */
export async function parseExtractor(text: string): Promise<ExtractorChoice> {
  const [kind, rest] = split(text);
  if (kind === 'inception') {
    throw usage(
      '--extractor inception needs the Inception network of 2015, which is not built in yet',
      'give features that another tool made with it as .npz statistics or .npy rows; no --extractor is needed then',
    );
  }
  if (kind === 'encoder' && rest) return { kind, path: rest };
  if (kind === 'saved-model' && rest) return { kind, ...(await parseSavedModel(rest)) };
  throw usage(`expected ${EXTRACTOR_FORMS} for --extractor, got "${text}"`);
}

export async function openExtractor(engine: Engine, choice: ExtractorChoice, batchSize: number): Promise<Extractor> {
  if (choice.kind === 'saved-model') {
    const { savedModelExtractor } = await import('./saved-model-extractor.js');
    return savedModelExtractor(engine, choice);
  }
  const { encoderExtractor } = await import('./encoder-extractor.js');
  return encoderExtractor(engine, choice.path, batchSize);
}

/** A folder of the whole name wins over a name with an output, so that no path is out of reach. */
async function parseSavedModel(text: string): Promise<SavedModelChoice> {
  const [, path, low, high] = /^(.*?)(?:@(-?[\d.]+),(-?[\d.]+))?$/.exec(text)!;
  const range = low === undefined ? ([-1, 1] as const) : ([Number(low), Number(high)] as const);
  if (!range.every(Number.isFinite) || range[0] === range[1]) {
    throw usage(`expected two different numbers after @ in --extractor, got ${low},${high}`);
  }
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  const colon = path.lastIndexOf(':');
  if (isFolder || colon < 0) return { dir: path, range };
  return { dir: path.slice(0, colon), output: path.slice(colon + 1), range };
}

function split(text: string): [string, string] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}
