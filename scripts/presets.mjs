/**
 * Writes docs/presets.md: what each preset changes, what it takes, and what the paper reports of it.
 *   make build && node scripts/presets.mjs > docs/presets.md
 */
const core = (path) => import(new URL(`../dist/src/core/${path}.js`, import.meta.url).href);
const { publishedPresets } = await core('config/presets/imagenet');
const { presetNames } = await core('config/presets');
const { resolveConfig } = await core('config/resolve');
const { estimateRun } = await core('train/estimate');

const published = new Map(publishedPresets.map((preset) => [preset.name, preset]));
const resolved = (preset) => resolveConfig({ preset, precision: 'float32' });
const millions = (n) => (n < 1e5 ? n.toLocaleString('en') : `${(n / 1e6).toFixed(n < 1e7 ? 2 : 1)} M`);
const rounded = (n) => Number(n.toPrecision(3)).toLocaleString('en', { maximumSignificantDigits: 3 });
const gigabytes = (n) => `${rounded(n / 1e9)} GB`;

function flatten(tree, path = '') {
  return Object.entries(tree).flatMap(([key, value]) => {
    const name = path ? `${path}.${key}` : key;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? flatten(value, name)
      : [[name, String(value)]];
  });
}

/** Settings in which a preset differs from another, as for --set. */
function difference(name, from) {
  const before = new Map(flatten(resolved(from)));
  const changed = flatten(resolved(name)).filter(([key, value]) => key !== 'preset' && before.get(key) !== value);
  return changed.map(([key, value]) => `\`${key}=${value}\``).join(', ') || '–';
}

function size(name) {
  const { parameters, state_bytes, activation_bytes, flops_per_step } = estimateRun(resolved(name));
  const { generator, discriminator, encoder } = parameters;
  return [
    ...[generator, discriminator, encoder].map(millions),
    gigabytes(state_bytes),
    gigabytes(activation_bytes),
    rounded(flops_per_step / 1e12),
  ];
}

const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
const paper = (number) => presetNames.filter((name) => published.get(name)?.published.table === number);
const own = presetNames.filter((name) => !published.has(name));
const sizes = ['G', 'D', 'E', 'state', 'activations', 'TFLOP a step'];

console.log(`# Presets

Written by \`node scripts/presets.mjs\`. \`bigbigan train --preset NAME --dry-run\` prints a preset whole, and its size with your
settings; [settings.md](settings.md) says what each setting means. Parameters are trainable ones; state is weights, moving averages, statistics and the optimizer's moments;
activations are the most that a step's intermediate results take at one time in float32, estimated from shapes at the preset's
batch size; arithmetic is that of convolutions and matrix products.

The paper's numbers are what its authors measured on ImageNet. **No number of ours at this scale exists**: the rows of
Table 1 have been run for two steps at their full width ([results/presets.md](results/presets.md)), no more.

## What is not from the paper

The main part of the paper says less than a preset must. From it are what the rows of its tables change, the objective,
E's learning rate as 1 or 10 times G's, the single label, z of 120 dimensions at 128 pixels, the sizes of the MLPs, the steps of Table 3, and
whose crops are used. Of the rest,

- *BigGAN's values, which its successor is taken to have kept (no source at hand says so)*: Adam, constant learning rates 5e-5 and 2e-4, Adam's betas 0 and 0.999, two updates of D a step,
  a joint update of G and E on a batch of their own, orthogonal initial weights, moving average 0.9999 (here from the first step, with a shorter
  one at first), spectral norm in G and F and none in E, statistics over 100 batches, the non-local blocks' places;
- *as in the published models and their notebook*: the batch of 2048, epsilon 1e-4 of batch norm and spectral norm, means of 2×2 pixels for D where
  E sees more; the notebook's loss is the mean of the scores' terms, which here as in the paper are added up;
- *of the code that the paper names*: ResNet's random crops and mirrored images (tensorflow/tpu), the trunks of E (google/revisiting-self-supervised),
  whose RevNet has its last ReLU as an option;
- *of BigGAN-PyTorch*: Adam's epsilon 1e-6;
- *choices of ours*: z of 120 dimensions at 64 pixels and 140 at 256, no non-local block at 64 pixels, spectral norm in H and J, how the residual
  blocks of H, J and E's head are built, what J sees (F's and H's outputs side by side), RevNet's last ReLU, and Table 1's 500,000 steps.

\`--microbatch\` is not the same training: batch norm sees a part, not the 2048 images that cross-replica batch norm has.

## Table 1 of the paper

Each row changes \`base\`. Inception Score, FID against the training set, and top-1 of a linear classifier on 10,000 training images
that were held out, in percent.

${table(
  ['preset', "paper's row", 'IS', 'FID', 'top-1', 'changes'],
  paper(1).map((name) => {
    const { row: title, inceptionScore, fid, top1 } = published.get(name).published;
    return [`\`${name}\``, title, inceptionScore, fid, top1, difference(name, 'base')];
  }),
)}

## Table 3 of the paper

Unconditional generation at 128 pixels: median (mean ± deviation) of three runs, FID against the training and the validation set. The
paper took the two rows without E from Lučić et al. 2019 (*High-Fidelity Image Generation With Fewer Labels*); their learning rates are those of that
paper's code, compare_gan, whose moving average starts at step 40,000. Clusters are labels like any other: 50 of them, made by a tool of your choice from
features of \`encode\` and given to \`prep-data\` in a CSV file.

${table(
  ['preset', "paper's row", 'IS', 'FID, training', 'FID, validation', 'changes to `base`'],
  paper(3).map((name) => {
    const { row: title, inceptionScore, fid, fidValidation } = published.get(name).published;
    return [`\`${name}\``, title, inceptionScore, fid, fidValidation, difference(name, 'base')];
  }),
)}

## Small images

${table(
  ['preset', ...sizes],
  own.map((name) => [`\`${name}\``, ...size(name)]),
)}

\`mnist\` is what the demo trains, \`cifar10\` BigGAN-PyTorch's settings at 32 pixels, but for mirrored images, z in every block, orthogonal
initial weights, a moving average from the first step and no labels, \`tiny\` for tests and first tries. The others are BiGAN and
the baselines of its paper on MNIST as vectors ([results/bigan.md](results/bigan.md)).

## Sizes of the paper's presets

${table(
  ['preset', ...sizes],
  [...paper(1), ...paper(3)].map((name) => [`\`${name}\``, ...size(name)]),
)}`);
