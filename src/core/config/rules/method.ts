/** What D judges, what E gives, and how updates go, as the method needs it. */
import { usage } from '../../errors.js';
import { hasEncoder, imageResolution, type ModelConfig } from '../../model/config.js';
import type { TrainConfig } from '../config.js';

export function checkMethod(
  model: ModelConfig,
  { method, updates, discriminatorSteps, reuseForward }: TrainConfig,
): void {
  const list = model.discriminator.scores.join(',');
  if (updates === 'simultaneous' && (discriminatorSteps !== 1 || !reuseForward)) {
    throw usage(
      'train.updates is simultaneous: one update of each network, from one forward pass',
      'set train.discriminatorSteps=1 and train.reuseForward=true',
    );
  }
  if (method === 'adversarial') {
    if (hasEncoder(model) && !list.split(',').includes('xz')) {
      throw usage(
        `the objective ${list} lacks the joint score xz, without which E learns nothing of G`,
        'add xz, or choose model.encoder.kind=none',
      );
    }
    return;
  }
  const wanted = method.startsWith('autoencoder') ? '' : 'x';
  if (list !== wanted) {
    const what = wanted ? 'D judges images alone' : 'there is no D';
    throw usage(
      `train.method is ${method}, in which ${what}, but the scores are ${list || 'none'}`,
      `start from the preset ${method}-mnist`,
    );
  }
  if (updates !== 'simultaneous')
    throw usage(`train.method is ${method}, whose updates are simultaneous`, 'set train.updates=simultaneous');
  const { encoder } = model;
  if (encoder.kind === 'none')
    throw usage(`train.method is ${method}, but model.encoder.kind is none`, 'it trains E: choose a kind');
  if (encoder.kind !== 'dense' && encoder.stochastic) {
    throw usage(
      `train.method is ${method}, in which E gives one latent for an image`,
      'set model.encoder.stochastic=false',
    );
  }
  if (wanted === 'x' && imageResolution(model) !== model.resolution) {
    throw usage(
      `train.method is ${method}: E sees G's images, but takes ${imageResolution(model)} pixels, not ${model.resolution}`,
    );
  }
}
