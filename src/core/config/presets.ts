/** Named settings. */
import { usage } from '../errors.js';
import type { Config } from './config.js';
import { nearestName } from './nearest-name.js';
import { biganBaselines, biganMnist } from './presets/bigan.js';
import { base, publishedPresets } from './presets/imagenet.js';
import { cifar10, mnist, tiny } from './presets/small.js';

const presets = new Map<string, () => Config>([
  ...[mnist, cifar10, tiny, biganMnist].map((config) => [config.preset, () => structuredClone(config)] as const),
  ...biganBaselines.map(
    ({ name, changes }) => [name, () => changed<Config>({ ...biganMnist, preset: name }, changes)] as const,
  ),
  ...publishedPresets.map(
    ({ name, changes }) => [name, () => changed<Config>({ ...base, preset: name }, changes)] as const,
  ),
]);

export const presetNames: readonly string[] = [...presets.keys()];

export function preset(name: string): Config {
  const make = presets.get(name);
  if (!make) {
    const nearest = nearestName(name, presetNames);
    throw usage(
      `there is no preset "${name}"`,
      `${nearest ? `the nearest is ${nearest}; ` : ''}presets: ${presetNames.join(', ')}`,
    );
  }
  return make();
}

/** A copy with some values replaced; lists are replaced whole. */
function changed<T extends object>(settings: T, changes: object): T {
  const copy = structuredClone(settings) as Record<string, unknown>;
  for (const [key, change] of Object.entries(changes)) {
    const isGroup = typeof change === 'object' && change !== null && !Array.isArray(change);
    if (change !== undefined) copy[key] = isGroup ? changed(copy[key] as object, change) : change;
  }
  return copy as T;
}
