/** The feature extractors that a command line can name. */
import { stat } from 'node:fs/promises';
import type { Engine } from '../../../backend/engine.js';
import { usage } from '../../../errors.js';
import type { Mode } from '../../../inception/modes.js';
import { publishedFiles } from '../../../inception/published.js';
import type { Extractor } from '../../../metrics/extractor.js';
import type { InceptionChoice } from './inception-extractor.js';
import type { NsfwjsChoice } from './nsfwjs-extractor.js';
import type { SavedModelChoice } from './saved-model-extractor.js';

export const EXTRACTOR_FORMS = 'inception, nsfwjs:DIR, encoder:RUN or saved-model:DIR[:OUTPUT][@LOW,HIGH]';

export type ExtractorChoice =
  | ({ kind: 'inception' } & InceptionChoice)
  | ({ kind: 'nsfwjs' } & NsfwjsChoice)
  | { kind: 'encoder'; path: string }
  | ({ kind: 'saved-model' } & SavedModelChoice);

/** Where the weights of `inception` are, and how it (and `nsfwjs`) resizes. */
export interface InceptionSettings {
  weights?: string;
  mode?: Mode;
}

/** Reads what EXTRACTOR_FORMS says; looks at no more than whether files exist. */
export async function parseExtractor(
  text: string,
  { weights, mode }: InceptionSettings = {},
): Promise<ExtractorChoice> {
  const [kind, rest] = split(text);
  if (text === 'inception') {
    if (weights === undefined) {
      throw usage(
        '--extractor inception needs --inception-weights FILE (or BIGBIGAN_INCEPTION=FILE)',
        `it takes ${publishedFiles()}`,
      );
    }
    return { kind: 'inception', weights, mode };
  }
  if (kind === 'nsfwjs' && rest) return { kind, dir: rest, mode };
  if (mode !== undefined) throw usage(`--mode belongs to --extractor inception and nsfwjs, not to ${text}`);
  if (kind === 'encoder' && rest) return { kind, path: rest };
  if (kind === 'saved-model' && rest) return { kind, ...(await parseSavedModel(rest)) };
  throw usage(`expected ${EXTRACTOR_FORMS} for --extractor, got "${text}"`);
}

export async function openExtractor(engine: Engine, choice: ExtractorChoice, batchSize: number): Promise<Extractor> {
  if (choice.kind === 'inception') {
    const { inceptionExtractor } = await import('./inception-extractor.js');
    return inceptionExtractor(engine, choice);
  }
  if (choice.kind === 'nsfwjs') {
    const { nsfwjsExtractor } = await import('./nsfwjs-extractor.js');
    return nsfwjsExtractor(engine, choice);
  }
  if (choice.kind === 'saved-model') {
    const { savedModelExtractor } = await import('./saved-model-extractor.js');
    return savedModelExtractor(engine, choice, batchSize);
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
