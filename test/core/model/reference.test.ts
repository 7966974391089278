/**
 * Blocks and whole networks against PyTorch, where nothing is fused or reordered: the 4×4 convolutions that enlarge
 * and pool, and the 1×1 skips on small maps, have to give what the paper's order gives.
 */
import t from 'tap';
import type { Tensor } from '../../../src/core/backend/tensor.js';
import { resolveConfig } from '../../../src/core/config/resolve.js';
import type {
  BigGanConfig,
  ModelConfig,
  ResidualDiscriminatorConfig,
  TrunkConfig,
} from '../../../src/core/model/config.js';
import { discriminate, downBlock } from '../../../src/core/model/discriminator.js';
import { encode } from '../../../src/core/model/encoder.js';
import { generate, upBlock } from '../../../src/core/model/generator.js';
import { bottleneck, stem } from '../../../src/core/model/resnet.js';
import { type Case, compare, labels, layer } from '../layers/reference.js';

type Changes = Partial<Omit<ModelConfig, 'generator' | 'discriminator' | 'encoder'>> & {
  generator?: Partial<BigGanConfig>;
  discriminator?: Partial<ResidualDiscriminatorConfig>;
  encoder?: Partial<TrunkConfig>;
};
const tiny = resolveConfig({ preset: 'tiny', settings: [], precision: 'float32' }).model;

function config({ generator, discriminator, encoder, ...rest }: Changes): ModelConfig {
  return {
    ...tiny,
    ...rest,
    generator: { ...(tiny.generator as BigGanConfig), ...generator },
    discriminator: { ...(tiny.discriminator as ResidualDiscriminatorConfig), ...discriminator },
    encoder: { ...(tiny.encoder as TrunkConfig), ...encoder },
  };
}

const up = (x: number[]): Case => ({
  inputs: { x, condition: [3, 5] },
  run: (pass, inputs) => ({ y: upBlock({ pass, path: 'layer' }, inputs.x, inputs.condition, 4) }),
});
const down = (filters: number, halves: boolean, first: boolean, ...x: number[]) =>
  layer((scope, image) => downBlock(scope, image, filters, halves, first), ...x);
const unit = (stride: number, ...x: number[]) => layer((scope, map) => bottleneck(scope, map, 8, 4, stride), ...x);
const standing = (c: Case): Case => ({ ...c, statistics: 'standing' });

const first = (settings: Partial<TrunkConfig>, side: number) =>
  layer((scope, x) => stem(scope, x, { ...(tiny.encoder as TrunkConfig), ...settings }), 2, side, side, 3);

const images = (model: ModelConfig, z: number[]): Case => ({
  inputs: { z },
  run: (pass, inputs) => ({ y: generate(pass, inputs.z, model, model.classes > 1 ? labels(z[0]) : undefined) }),
});
const scores = (model: ModelConfig, x: number[], z: number[]): Case => ({
  inputs: { x, z },
  run(pass, inputs) {
    const judged = { images: [inputs.x], latents: inputs.z, labels: model.classes > 1 ? labels(x[0]) : undefined };
    return { ...discriminate(pass, judged, model) };
  },
});
const encoding = (model: ModelConfig, side: number): Case => ({
  inputs: { x: [4, side, side, 1] },
  run(pass, { x }): Record<string, Tensor> {
    const { avepool, bnCrelu, mean, std } = encode(pass, x, model);
    return { avepool, bnCrelu, mean, ...(std && { std }) };
  },
});

const conditional = config({
  resolution: 16,
  channels: 3,
  latent: 6,
  classes: 3,
  generator: { channels: 4, multipliers: [2, 2, 1], embedding: 5, attention: 8 },
  discriminator: {
    channels: 4,
    multipliers: [2, 2, 3, 3],
    smallest: 4,
    attention: 8,
    hidden: 8,
    blocks: 2,
    joint: 'pooled',
  },
});
const plain = config({
  resolution: 8,
  latent: 4,
  generator: { channels: 4, multipliers: [2, 1] },
  discriminator: { channels: 4, multipliers: [1, 1], smallest: 4, hidden: 8, blocks: 1, joint: 'map' },
});
const trunk = { channels: 4, multipliers: [1, 2, 4], units: [1, 2, 1], bottleneck: 2, hidden: 10, blocks: 2 };
const simple = { ...trunk, stem: { size: 3, stride: 1, pool: false }, stochastic: false };
const published = { ...trunk, stem: { size: 7, stride: 2, pool: true }, stochastic: true };
const gaussian = encoding(config({ latent: 6, encoder: published }), 32);
const dense: ModelConfig = {
  ...tiny,
  resolution: 4,
  latent: 5,
  prior: 'uniform',
  generator: { kind: 'dense', hidden: 8 },
  discriminator: { kind: 'dense', hidden: 8, scores: ['xz'] },
  encoder: { kind: 'dense', hidden: 8 },
};

const blocks: Record<string, Case> = {
  'up, batch': up([3, 3, 4, 6]),
  'up, standing': standing(up([3, 3, 4, 6])),
  'up, as wide': up([3, 4, 4, 4]),
  'down, first': down(6, true, true, 2, 8, 8, 3),
  'down, first, 1x1 skip': down(6, false, true, 2, 4, 4, 3),
  'down, middle': down(6, true, false, 2, 8, 6, 4),
  'down, middle, as wide': down(4, true, false, 2, 8, 8, 4),
  'down, last, identity skip': down(5, false, false, 2, 4, 4, 5),
  'down, last, 1x1 skip': down(6, false, false, 2, 4, 4, 4),
  'bottleneck, identity shortcut': unit(1, 3, 5, 4, 8),
  'bottleneck, first unit': unit(1, 3, 4, 4, 4),
  'bottleneck, stride 2, even': unit(2, 3, 6, 6, 4),
  'bottleneck, stride 2, odd': unit(2, 3, 7, 5, 4),
  'bottleneck, stride 2, as wide': unit(2, 3, 6, 7, 8),
  'stem 3x3': first(simple, 5),
};
for (const side of [16, 15, 13]) blocks[`stem 7x7 stride 2 and pool of ${side}`] = first(published, side);

const networks: Record<string, Case> = {
  'G, batch': images(conditional, [3, 6]),
  'G, standing': standing(images(conditional, [3, 6])),
  'G without labels': images(plain, [3, 4]),
  D: scores(conditional, [3, 16, 16, 3], [3, 6]),
  'D on the map': scores(plain, [3, 8, 8, 1], [3, 4]),
  'E, gaussian, batch': gaussian,
  'E, gaussian, standing': standing(gaussian),
  'E, deterministic': encoding(config({ latent: 6, encoder: simple }), 8),
  'E, uniform': encoding(config({ latent: 4, prior: 'uniform', encoder: simple }), 8),
  'perceptron G': images(dense, [4, 5]),
  'perceptron D': scores(dense, [4, 4, 4, 1], [4, 5]),
  'perceptron E': encoding(dense, 4),
};

/** Whole networks have all blocks in them. */
const recorded = ['G, batch', 'D', 'E, gaussian, batch', 'up, batch', 'down, middle', 'bottleneck, stride 2, odd'];

for (const [name, c] of Object.entries({ ...blocks, ...networks })) {
  t.test(`${name}, as in PyTorch`, async (t) => {
    t.same(compare(name, c, 'eager'), []);
    if (recorded.includes(name)) t.same(compare(name, c, 'traced'), [], 'as a graph');
  });
}
