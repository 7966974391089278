/** The networks that are timed, over the presets. The PyTorch twin builds the same ones from the same config. */
import type { Config } from '../src/core/config/config.js';
import { preset } from '../src/core/config/presets.js';

export const settingNames = ['ch16', 'ch32', 'tiny'] as const;
export type SettingName = (typeof settingNames)[number];

/** `tiny` is for trying the bench itself. */
export function benchConfig(name: SettingName): Config {
  return name === 'tiny' ? preset('tiny') : coloured(name === 'ch16' ? 16 : 32);
}

/** 32×32×3, batch 64; G and F 4·ch wide throughout, H and J of four layers of 256, E a ResNet-v2 with bottlenecks. */
function coloured(ch: number): Config {
  const config = preset('mnist');
  const { model, train } = config;
  Object.assign(train, { batchSize: 64, discriminatorSteps: 1, reuseForward: true, flip: false });
  Object.assign(model, { resolution: 32, channels: 3, latent: 80 });
  Object.assign(model.generator, { channels: ch, multipliers: [4, 4, 4, 4] });
  Object.assign(model.discriminator, {
    channels: ch,
    multipliers: [4, 4, 4, 4],
    smallest: 8,
    hidden: 256,
    blocks: 2,
    joint: 'pooled',
    latentSpectralNorm: true,
  });
  Object.assign(model.encoder, {
    channels: 2 * ch,
    multipliers: [1, 2, 4],
    bottleneck: 4,
    units: [3, 3, 4],
    stem: { size: 3, stride: 1, pool: false },
    hidden: 256,
    blocks: 1,
  });
  return config;
}
