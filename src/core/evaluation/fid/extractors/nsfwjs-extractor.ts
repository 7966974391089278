/** Features of a trained InceptionV3 that installs by name; distances in them are not FID. */
import type { Engine } from '../../../backend/engine.js';
import { avgPool } from '../../../backend/ops.js';
import type { Mode } from '../../../inception/modes.js';
import { inceptionFeatures, WIDTH } from '../../../inception/network.js';
import { nsfwjsVariables, readNsfwjs } from '../../../inception/nsfwjs.js';
import type { Extractor } from '../../../metrics/extractor.js';
import { resizedBatches } from './resized-batches.js';

export interface NsfwjsChoice {
  /** The package's folder. */
  dir: string;
  mode?: Mode;
}

/** Takes any number of images of any one size, grey or RGB, at a call. */
export async function nsfwjsExtractor(engine: Engine, { dir, mode = 'tf' }: NsfwjsChoice): Promise<Extractor> {
  const { values, digest } = await readNsfwjs(dir);
  const { run, close } = resizedBatches(engine, {
    specs: nsfwjsVariables(),
    values,
    network: (variables, images) => ({ features: inceptionFeatures(variables, images, avgPool) }),
    widths: { features: WIDTH },
    mode,
    scaling: { scale: 1 / 255, shift: 0 },
  });
  return {
    name: 'nsfwjs',
    label: `nsfwjs InceptionV3 (${mode} resize)`,
    digest,
    mode,
    width: WIDTH,
    image: {},
    extract: run,
    close,
  };
}
