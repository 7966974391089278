/** Named settings. */
import { usage } from '../errors.js';
import type { Config } from './config.js';
import { nearestName } from './nearest-name.js';
import { biganBaselines, biganMnist } from './presets/bigan.js';
import type { DerivedPreset } from './presets/changes.js';
import { base, publishedPresets } from './presets/imagenet.js';
import { cifar10, mnist, tiny } from './presets/small.js';

/** Each base, and the presets that change it, in the order in which they are listed. */
const FAMILIES: readonly (readonly [Config, readonly DerivedPreset[]])[] = [
  [mnist, [cifar10, tiny]],
  [biganMnist, biganBaselines],
  [base, publishedPresets],
];

const presets = new Map<string, () => Config>(
  FAMILIES.flatMap(([root, derived]) => [
    ...(isPublished(root) ? [] : [[root.preset, () => structuredClone(root)] as const]),
    ...derived.map(({ name, changes }) => [name, () => changed<Config>({ ...root, preset: name }, changes)] as const),
  ]),
);

/** The paper's Base is the first of its rows, too. */
function isPublished({ preset }: Config): boolean {
  return publishedPresets.some(({ name }) => name === preset);
}

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
