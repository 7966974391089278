/** What a run is evaluated on, and by which network: opened before anything is written. */
import { resolve } from 'node:path';
import type { Engine } from '../../backend/engine.js';
import { checkChoice, checkWhole } from '../../checks.js';
import type { Config } from '../../config/config.js';
import { type Dataset, openDataset } from '../../data/dataset/dataset.js';
import type { Channels } from '../../data/pixels.js';
import { usage } from '../../errors.js';
import { openExtractor, parseExtractor } from '../../evaluation/fid/extractors/extractors.js';
import { imageResolution } from '../../model/config.js';
import { modelShapes } from '../../model/inference.js';
import { EVALUATED_IMAGES } from '../defaults.js';
import { SHEET } from '../progress-sheets.js';
import { checkExtractor } from './evaluate-samples.js';
import { LEAST_IMAGES, planEvaluation } from './evaluation-plan.js';
import type { EvaluationSettings } from './evaluations.js';
import { SELECTIONS, type Selection } from './selection.js';

/** How a run is evaluated while it trains. It is no setting of the run, and may change when the run goes on. */
export interface EvaluationRequest {
  /** Steps between evaluations; the last step is evaluated too. */
  every: number;
  /** Dataset that is evaluated; default: the images that the run is trained on. */
  data?: string;
  /** Images that are evaluated, always the same random ones; default 4000. */
  images?: number;
  /** Network for the Fréchet distance, as for `fid`; default: no distance. */
  extractor?: string;
  /** Weights of the extractor `inception`. */
  inceptionWeights?: string;
  /** By which the best checkpoint is chosen, which is kept as checkpoints/best.safetensors. */
  select?: Selection;
  /** Training ends after this many consecutive evaluations without a better one. */
  patience?: number;
}

export interface OpenEvaluation extends AsyncDisposable {
  /** What cannot be evaluated, and why. */
  leftOut?: string;
  /** Opens the network, if one is asked for. */
  start(engine: Engine): Promise<EvaluationSettings>;
}

/** @throws UserError for what does not fit the model or the images */
export async function openEvaluation(
  request: EvaluationRequest,
  { run, config, dataset }: { run: string; config: Config; dataset: Dataset },
): Promise<OpenEvaluation> {
  const { every, data, images = EVALUATED_IMAGES, select, patience } = request;
  checkWhole('--eval-every', every, { least: 1 });
  checkWhole('--patience', patience, { least: 1 });
  checkChoice('--select', select, Object.keys(SELECTIONS) as Selection[]);
  checkWhole('--eval-images', images);
  if (images < LEAST_IMAGES) throw usage(`expected ${LEAST_IMAGES} or more for --eval-images, got ${images}`);
  const { model } = config;
  const network = await extractorChoice(request, run);
  const view = { resolution: imageResolution(model), channels: model.channels as Channels };
  const evaluated = data === undefined ? dataset : await openDataset(data, view);
  const closeData = async () => {
    if (evaluated !== dataset) await evaluated.close();
  };
  try {
    const { names, leftOut } = planEvaluation(evaluated, config, { extractor: network !== undefined, select });
    let closeNetwork = () => {};
    return {
      leftOut,
      async start(engine) {
        const settings = { every, dataset: evaluated, images, names, select, patience };
        if (!network) return settings;
        const extractor = await openExtractor(engine, network, SHEET.images);
        closeNetwork = () => extractor.close();
        checkExtractor(extractor, modelShapes(model));
        return { ...settings, extractor };
      },
      async [Symbol.asyncDispose]() {
        closeNetwork();
        await closeData();
      },
    };
  } catch (error) {
    await closeData();
    throw error;
  }
}

async function extractorChoice({ extractor: text, inceptionWeights: weights }: EvaluationRequest, run: string) {
  if (text === undefined) return undefined;
  const choice = await parseExtractor(text, { weights });
  if (choice.kind === 'encoder' && resolve(choice.path) === resolve(run)) {
    throw usage(
      `--eval-extractor ${text} is the run itself, whose encoder changes`,
      'name another run, or a checkpoint file that stays',
    );
  }
  return choice;
}
