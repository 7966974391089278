/** What types alone do not rule out: values and combinations with which nothing can be trained. */
import { usage } from '../errors.js';
import type { ModelConfig } from '../model/config.js';
import { checkRange } from './check-setting.js';
import type { Config } from './config.js';
import { checkDiscriminator, checkScores } from './rules/discriminator.js';
import { checkEncoder } from './rules/encoder.js';
import { checkFamily } from './rules/family.js';
import { checkGenerator } from './rules/generator.js';
import { checkMethod } from './rules/method.js';
import { checkTraining } from './rules/training.js';

/** @throws UserError that names the setting and what it may be */
export function checkConfig({ preset: _, ...settings }: Config): void {
  const { model, train } = settings;
  for (const name of ['generator', 'discriminator', 'encoder'] as const) checkFamily(name, model[name]);
  checkRanges(settings, '');
  checkModel(model);
  checkMethod(model, train);
  checkTraining(train);
}

/** Each setting alone, against the table. */
function checkRanges(group: object, path: string): void {
  for (const [key, value] of Object.entries(group)) {
    const name = path ? `${path}.${key}` : key;
    if (name === 'model.encoder' && value.kind === 'none') continue;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) checkRanges(value, name);
    else checkRange(name, value);
  }
}

function checkModel(model: ModelConfig): void {
  const { generator, discriminator, encoder } = model;
  if (generator.kind === 'dense' && model.classes > 1) {
    throw usage(`model.classes is ${model.classes}; dense networks have a single label`);
  }
  if (generator.kind !== 'dense') checkGenerator(generator, model);
  if (discriminator.kind !== 'dense') checkDiscriminator(discriminator, model);
  if (encoder.kind !== 'dense') checkEncoder(encoder, model);
  else if (model.prior !== 'uniform') {
    throw usage(`model.prior is ${model.prior}; a dense E ends in tanh, for which it is uniform`);
  }
  checkScores(model);
}
