import t from 'tap';
import type { Config } from '../../../src/core/config/config.js';
import { preset, presetNames } from '../../../src/core/config/presets.js';
import { type Overrides, resolveConfig } from '../../../src/core/config/resolve.js';
import { UserError } from '../../../src/core/errors.js';
import type { TrunkConfig } from '../../../src/core/model/config.js';

const resolve = (overrides: Partial<Overrides> = {}) => resolveConfig({ preset: 'tiny', ...overrides });
const set = (...settings: string[]) => resolve({ settings });
const trunk = ({ model }: Config) => model.encoder as TrunkConfig;
const file = (values: unknown) => resolve({ partial: { values, source: 'my.json' } });

t.test('preset, then file, then --set, then flags', async (t) => {
  const values = { seed: 1, train: { batchSize: 10, steps: 11, decayTo: 0.5 } };
  const settings = ['seed=2', 'train.batchSize=20', 'train.steps=22'];
  t.match(file(values), { seed: 1, train: { batchSize: 10, steps: 11, decayTo: 0.5, decayFrom: 0.6 } });
  t.match(resolve({ partial: { values, source: '' }, settings }), {
    seed: 2,
    train: { batchSize: 20, steps: 22, decayTo: 0.5 },
  });
  const flags = { seed: 3, steps: 33, batchSize: 30, scores: ['xz'] };
  t.match(resolve({ partial: { values, source: '' }, settings, ...flags }), {
    seed: 3,
    train: { batchSize: 30, steps: 33, decayTo: 0.5 },
    model: { discriminator: { scores: ['xz'] } },
  });
  t.equal(resolve({ settings: ['train.precision=bf16'], precision: 'float32' }).train.precision, 'float32');
  t.equal(set('train.precision=bf16').train.precision, 'bf16');
  t.equal(set('train.steps=5', 'train.steps=6').train.steps, 6, 'the last one holds');
});

t.test('a whole config resolves to itself', async (t) => {
  const config = set('train.steps=7', 'model.encoder.calibrateSigma=null');
  t.same(resolveConfig({ partial: { values: JSON.parse(JSON.stringify(config)), source: 'config.json' } }), config);
});

t.test('presets are sound, and resolving does not change them', async (t) => {
  for (const name of presetNames) t.same(resolveConfig({ preset: name, precision: 'float32' }), preset(name));
  set('model.encoder.units=2,2,2', 'train.adam.beta1=0.5');
  t.same(resolve({ precision: 'float32' }), preset('tiny'));
});

t.test('values as text', async (t) => {
  t.same(trunk(set('model.encoder.units=[2, 1,3]')).units, [2, 1, 3]);
  for (const text of ['z,xz', '["z", "xz"]']) {
    t.same(set(`model.discriminator.scores=${text}`).model.discriminator.scores, ['xz', 'z'], 'whatever the order');
  }
  t.equal(set('train.flip=true').train.flip, true);
  t.equal(set('train.learningRate.encoder=1e-4').train.learningRate.encoder, 1e-4);
  t.equal(trunk(set('model.encoder.calibrateSigma=null')).calibrateSigma, null);
  t.equal(trunk(set('model.encoder.calibrateSigma=null', 'model.encoder.calibrateSigma=-2')).calibrateSigma, -2);
  t.match(set('model.discriminator.joint=map').model.discriminator, { joint: 'map' });
});

t.test('a file holds an object of settings, and so do its groups', async (t) => {
  t.throws(() => file([1]), { name: 'UserError', message: /an object of settings for my\.json, got \[1\]/ });
  t.throws(() => file({ train: 4 }), { name: 'UserError', message: /an object of settings for train, got 4/ });
  t.throws(() => file({ train: null }), { name: 'UserError', message: /an object of settings for train, got null/ });
});

/** Expects a mistake of usage whose message and hint have these words. */
function refuses(make: () => unknown, ...words: RegExp[]) {
  t.test(words.map(String).join(' '), async (t) => {
    try {
      make();
      t.fail('accepted');
    } catch (error) {
      t.ok(error instanceof UserError, String(error));
      const { message, hint, exitCode } = error as UserError;
      t.equal(exitCode, 2);
      for (const word of words) t.match(`${message}\n${hint ?? ''}`, word);
    }
  });
}

refuses(
  () => resolve({ preset: 'minst' }),
  /no preset "minst"/,
  /the nearest is mnist/,
  /mnist, cifar10, tiny, bigan-mnist/,
);
refuses(() => resolve({ preset: 'imagenet-vqvae' }), /no preset "imagenet-vqvae"/, /^presets: mnist/m);
// Unknown keys
refuses(() => set('train.batchsize=4'), /train\.batchsize/, /nearest is train\.batchSize/);
refuses(() => set('model.encodr.units=1'), /model\.encodr/, /nearest is model\.encoder/);
refuses(() => set('sed=4'), /sed/, /nearest is seed/);
refuses(
  () => file({ train: { adam: { beta3: 0.5 } } }),
  /train\.adam\.beta3 \(in my\.json\)/,
  /nearest is train\.adam\.beta[12]/,
);
refuses(() => file({ constructor: 1 }), /constructor/);
refuses(() => file(JSON.parse('{"__proto__": {"seed": 5}}')), /__proto__/);
refuses(() => set('__proto__.seed=5'), /__proto__/);
refuses(() => set('train.constructor=5'), /train\.constructor/);
refuses(() => set('seed.low=5'), /seed\.low/);
refuses(() => set('optimizer.name=adam'), /no setting optimizer\.name/, /the settings: seed, model, train/);
refuses(
  () => set('model.encoder.learningRate=1'),
  /no setting model\.encoder\.learningRate/,
  /model\.encoder: kind, resolution/,
);
// Form
refuses(() => set('train.steps'), /key=value/);
refuses(() => set('=4'), /key=value/);
refuses(() => set('train.adam=4'), /train\.adam is a group/, /train\.adam\.beta1/);
// Types
refuses(() => set('train.steps=ten'), /a number for train\.steps/, /"ten"/);
refuses(() => set('train.steps='), /a number for train\.steps/);
refuses(() => set('train.steps=null'), /a number for train\.steps/);
refuses(() => set('train.steps=Infinity'), /a number for train\.steps/);
refuses(() => set('train.flip=1'), /true or false for train\.flip/);
refuses(() => set('model.encoder.units='), /a list of numbers, separated by commas, for model\.encoder\.units/);
refuses(() => set('model.encoder.units=1,x,1'), /a list of numbers/);
refuses(() => set('model.encoder.calibrateSigma=true'), /a number or null/);
refuses(() => file({ train: { steps: '10' } }), /a number for train\.steps in my\.json/);
refuses(
  () => file({ model: { encoder: { units: '3,4' } } }),
  /a list of numbers for model\.encoder\.units in my\.json/,
);
refuses(() => file({ model: { discriminator: { scores: [] } } }), /a list of strings/);
// Ranges
refuses(() => set('train.batchSize=1'), /train\.batchSize/, /2 or more/);
refuses(() => set('train.batchSize=2.5'), /whole number/);
refuses(() => set('train.steps=-1'), /train\.steps/);
refuses(() => set('seed=-1'), /seed/);
refuses(() => resolve({ seed: 2 ** 31 }), /0 to 2147483647 for seed/);
refuses(() => set('train.adam.beta1=1'), /train\.adam\.beta1/);
refuses(() => set('train.learningRate.generator=-1e-3'), /train\.learningRate\.generator/);
refuses(() => set('train.decayFrom=1.5'), /train\.decayFrom/);
refuses(() => set('model.generator.channels=0'), /model\.generator\.channels/);
refuses(() => set('model.encoder.units=1,0,1'), /model\.encoder\.units\[1\]/);
refuses(() => set('model.encoder.units=1,1.5,1'), /model\.encoder\.units\[1\]/);
refuses(() => set('model.channels=2'), /1 or 3 for model\.channels/);
refuses(() => set('model.discriminator.blocks=1001'), /0 to 1000 for model\.discriminator\.blocks/);
refuses(() => set('model.encoder.units=3,4,60000'), /1 to 1000 for model\.encoder\.units\[2\]/);
refuses(() => set('train.discriminatorSteps=1000'), /1 to 100 for train\.discriminatorSteps/);
refuses(() => set('model.encoder.stem.size=33'), /1 to 32 for model\.encoder\.stem\.size/);
refuses(() => set('train.averageDecay=1'), /train\.averageDecay/);
refuses(() => set('model.prior='), /normal or uniform for model\.prior, got nothing/);
// Combinations
refuses(() => set('model.latent=10'), /model\.latent is 10/, /multiple of 4/);
refuses(() => set('model.generator.multipliers=2,2,1'), /16 pixels/, /model\.resolution is 32/);
refuses(
  () => set('model.resolution=64'),
  /32 pixels/,
  /64 pixels need 5 multipliers .* model\.latent that 5 divides.* model\.encoder\.resolution of 64, 128 or 256/,
);
refuses(() => set('model.resolution=48'), /4 times a power of 2/);
refuses(() => set('model.encoder.units=1,1'), /2 stages/, /3/);
refuses(
  () => set('model.encoder.resolution=16'),
  /model\.encoder\.resolution is 16/,
  /model\.resolution .* is 32/,
  /32, 64, 128/,
);
refuses(() => set('model.encoder.resolution=96'), /model\.encoder\.resolution is 96/, /power of 2/);
refuses(() => set('model.generator.attention=64'), /model\.generator\.attention is 64/, /8, 16, 32/);
refuses(() => set('model.discriminator.attention=32'), /model\.discriminator\.attention is 32/, /16, 8, 4/);
refuses(() => set('model.generator.attention=32'), /4 channels/);
refuses(() => set('model.prior=uniform'), /model\.prior is uniform/, /stochastic=false/);
refuses(() => set('model.prior=cauchy'), /normal or uniform/);
refuses(() => set('model.classes=10'), /model\.generator\.embedding is 0/);
refuses(() => set('model.encoder.kind=revnet', 'model.encoder.channels=6'), /half of the width 6/);
refuses(() => set('model.encoder.kind=revnet', 'model.encoder.multipliers=2,1,4'), /never get narrower/);
refuses(
  () => set('model.encoder.kind=revnet', 'model.encoder.channels=5', 'model.encoder.multipliers=4,8,16'),
  /model\.encoder\.channels is 5 .* 20 wide/,
  /even/,
);
refuses(() => set('model.encoder.kind=vgg'), /resnet or revnet or none/);
refuses(
  () => set('model.encoder.kind=dense'),
  /model\.encoder\.kind is dense, for which the preset lacks the settings/,
  /another preset: bigan-mnist/,
);
// Scores
refuses(() => set('model.encoder.kind=none'), /xz,x,z judges latents/, /x alone/);
refuses(
  () => set('model.classes=3', 'model.generator.embedding=4', 'model.discriminator.scores=xz'),
  /lacks the score x/,
);
refuses(() => set('train.loss=wasserstein'), /hinge or summed-hinge or sigmoid/);
// Method
const dense = (name: string, ...settings: string[]) => resolve({ preset: name, settings });
refuses(() => set('train.method=vae'), /adversarial or latent-regressor or .* for train\.method/);
refuses(() => set('train.updates=joint'), /alternating or simultaneous for train\.updates/);
refuses(() => set('train.decay=cosine'), /linear or exponential for train\.decay/);
refuses(() => set('train.decay=exponential', 'train.decayTo=0'), /more than 0 for train\.decayTo/);
refuses(() => set('train.weightDecay=-1'), /0 to 1 for train\.weightDecay/);
refuses(() => set('train.updates=simultaneous', 'train.discriminatorSteps=2'), /simultaneous/, /discriminatorSteps=1/);
refuses(() => set('train.updates=simultaneous', 'train.reuseForward=false'), /one forward pass/, /reuseForward=true/);
refuses(
  () => set('train.method=latent-regressor'),
  /D judges images alone/,
  /scores are xz,x,z/,
  /preset latent-regressor-mnist/,
);
refuses(() => set('train.method=autoencoder-l1'), /there is no D/, /preset autoencoder-l1-mnist/);
refuses(() => dense('autoencoder-l2-mnist', 'model.discriminator.scores=x'), /scores are x\b/);
refuses(() => dense('latent-regressor-mnist', 'train.updates=alternating'), /whose updates are simultaneous/);
refuses(() => dense('bigan-mnist', 'model.discriminator.scores=x'), /the objective x lacks the joint score/);
refuses(() => dense('bigan-mnist', 'model.discriminator.scores=xz,x'), /a dense D has one/);
refuses(() => dense('bigan-mnist', 'model.classes=10'), /single label/);
refuses(() => dense('latent-regressor-mnist', 'model.prior=normal'), /model\.prior is normal; a dense E ends in tanh/);
const regressor = ['train.updates=simultaneous', 'model.discriminator.scores=x', 'train.method=latent-regressor'];
refuses(() => set(...regressor), /one latent for an image/, /stochastic=false/);
refuses(() => set(...regressor, 'model.encoder.kind=none'), /model\.encoder\.kind is none/);
refuses(
  () => set(...regressor, 'model.encoder.stochastic=false', 'model.encoder.resolution=64'),
  /E sees G's images, but takes 64/,
);
t.test("a baseline's whole config resolves to itself", async (t) => {
  for (const name of presetNames.filter((other) => other.endsWith('-mnist'))) {
    const values = JSON.parse(JSON.stringify(preset(name))) as unknown;
    t.same(resolve({ preset: name, partial: { values, source: 'config.json' } }), preset(name));
  }
});
refuses(() => set('train.crop=left'), /center or random-resized or distorted/);
refuses(() => resolve({ scores: ['xz', 'y'] }), /no score "y"/, /xz, x, z/);
refuses(() => resolve({ scores: ['xz', 'x', 'x'] }), /named twice/);
refuses(() => resolve({ scores: ['x', 'z'] }), /lacks the joint score/);
refuses(() => resolve({ scores: [''] }), /no score ""/);
// What types alone do not rule out
refuses(() => set('model.discriminator.joint=maps'), /model\.discriminator\.joint/, /pooled/, /map/);
refuses(() => set('model.encoder.channels=3'), /model\.encoder\.bottleneck is 2/, /width 3/);
refuses(() => set('train.precision=float16'), /float32 or bf16 for train\.precision/);
