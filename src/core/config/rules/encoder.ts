/** What settings of E ask of one another and of the model. */
import { checkWhole } from '../../checks.js';
import { usage } from '../../errors.js';
import type { ModelConfig, TrunkConfig } from '../../model/config.js';

export function checkEncoder(encoder: TrunkConfig, { resolution, prior }: ModelConfig): void {
  if (encoder.kind === 'none') return;
  const factor = encoder.resolution / resolution;
  if (!Number.isInteger(Math.log2(factor)) || factor < 1) {
    const valid = [1, 2, 4].map((times) => times * resolution).join(', ');
    throw usage(
      `model.encoder.resolution is ${encoder.resolution}, but model.resolution (of G and D) is ${resolution}`,
      `E sees images of G's size or a power of 2 times it: ${valid}`,
    );
  }
  for (const name of ['size', 'stride'] as const) {
    checkWhole(`model.encoder.stem.${name}`, encoder.stem[name], { least: 1, most: encoder.resolution });
  }
  if (prior === 'uniform' && encoder.stochastic) {
    throw usage(
      'model.prior is uniform, for which E ends in tanh and is deterministic',
      'add --set model.encoder.stochastic=false',
    );
  }
  if (encoder.units.length !== encoder.multipliers.length) {
    throw usage(
      `model.encoder.units has ${encoder.units.length} stages, model.encoder.multipliers ${encoder.multipliers.length}`,
    );
  }
  // A RevNet's units work on half of the channels.
  const share = encoder.kind === 'revnet' ? 2 : 1;
  const indivisible = encoder.multipliers.find(
    (multiplier) => (encoder.channels * multiplier) % (share * encoder.bottleneck) !== 0,
  );
  if (indivisible !== undefined) {
    const half = share === 2 ? 'half of ' : '';
    throw usage(
      `model.encoder.bottleneck is ${encoder.bottleneck}, which does not divide ${half}the width ${encoder.channels * indivisible}`,
    );
  }
  if (encoder.kind === 'revnet') {
    // Widths grow by channels of zeros, so they cannot shrink.
    const falls = encoder.multipliers.findIndex((multiplier, i) => multiplier < (encoder.multipliers[i - 1] ?? 1));
    if (falls >= 0)
      throw usage(`model.encoder.multipliers is ${encoder.multipliers}, but a RevNet's stages never get narrower`);
    const added = encoder.channels * (encoder.multipliers[0] - 1);
    if (added % 2 !== 0) {
      throw usage(
        `model.encoder.channels is ${encoder.channels} and the first stage ${encoder.channels + added} wide; a RevNet adds as many channels on either side`,
        'choose even model.encoder.channels',
      );
    }
  }
}
