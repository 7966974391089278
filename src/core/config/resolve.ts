/** One config from a preset, a partial config, and single settings, each over the one before. */
import { defaultPrecision, type Precision } from '../backend/precision.js';
import { usage } from '../errors.js';
import { TERMS } from '../model/config.js';
import { checkConfig } from './check-config.js';
import { checkedType, parseSetting } from './check-setting.js';
import type { Config } from './config.js';
import { nearestName } from './nearest-name.js';
import { preset } from './presets.js';

/** Where nothing names one. */
const USUAL_PRESET = 'mnist';

/** What is asked of a run, each over the one before; docs/settings.md has all settings. */
export interface Overrides {
  /** Default: the preset that the partial config names, or mnist. */
  preset?: string;
  /** Any part of a config, such as `{ train: { batchSize: 32 } }`; `source` names it in errors, such as a file. */
  partial?: { values: unknown; source: string };
  /** `key=value` with dotted keys such as `train.batchSize=32`. */
  settings?: readonly string[];
  seed?: number;
  steps?: number;
  batchSize?: number;
  microbatch?: number;
  scores?: string[];
  /** Labels to condition on. */
  classes?: number;
  precision?: Precision;
  /** Precision when nothing else names one; default: what the processor suggests. */
  usualPrecision?: Precision;
}

type Tree = Record<string, unknown>;

/**
 * The config of a run: a preset with the changes that are asked for.
 * @throws UserError for unknown keys, wrong types, and combinations that cannot work
 */
export function resolveConfig(overrides: Overrides): Config {
  const named = presetOf(overrides.partial?.values);
  if (named !== undefined && overrides.preset !== undefined && overrides.preset !== named) {
    throw usage(
      `--preset ${overrides.preset} does not go with ${overrides.partial!.source}, which has the preset ${named}`,
      'leave one of them out',
    );
  }
  const config = preset(overrides.preset ?? named ?? USUAL_PRESET);
  config.train.precision = overrides.usualPrecision ?? defaultPrecision();
  const tree = config as unknown as Tree;
  if (overrides.partial) mergeInto(tree, overrides.partial.values, '', overrides.partial.source);
  for (const setting of overrides.settings ?? []) applySetting(tree, setting);
  if (overrides.seed !== undefined) config.seed = overrides.seed;
  if (overrides.steps !== undefined) config.train.steps = overrides.steps;
  if (overrides.batchSize !== undefined) config.train.batchSize = overrides.batchSize;
  if (overrides.microbatch !== undefined) config.train.microbatch = overrides.microbatch;
  // One part is the whole.
  if (config.train.microbatch === config.train.batchSize) config.train.microbatch = null;
  if (overrides.scores)
    config.model.discriminator.scores = overrides.scores as Config['model']['discriminator']['scores'];
  if (overrides.classes !== undefined) config.model.classes = overrides.classes;
  if (overrides.precision) config.train.precision = overrides.precision;
  checkConfig(config);
  const { discriminator } = config.model;
  discriminator.scores = TERMS.filter((term) => discriminator.scores.includes(term));
  return config;
}

function presetOf(values: unknown): string | undefined {
  return isTree(values) && typeof values.preset === 'string' ? values.preset : undefined;
}

function mergeInto(target: Tree, values: unknown, path: string, source: string): void {
  if (!isTree(values))
    throw usage(`expected an object of settings for ${path || source}, got ${JSON.stringify(values)}`);
  for (const [key, value] of Object.entries(values)) {
    const name = path ? `${path}.${key}` : key;
    if (!Object.hasOwn(target, key)) throw unknownKey(name, key, target, path, source);
    if (isTree(target[key])) mergeInto(target[key], value, name, source);
    else target[key] = checkedType(name, target[key], value, source);
  }
}

function applySetting(config: Tree, setting: string): void {
  const equals = setting.indexOf('=');
  if (equals < 1) throw usage(`expected key=value for --set, got "${setting}"`);
  const [path, text] = [setting.slice(0, equals), setting.slice(equals + 1)];
  const keys = path.split('.');
  const last = keys.pop()!;
  let target = config;
  const walked: string[] = [];
  for (const key of keys) {
    if (!Object.hasOwn(target, key) || !isTree(target[key]))
      throw unknownKey(path, key, target, walked.join('.'), '--set');
    target = target[key];
    walked.push(key);
  }
  if (path === 'preset') throw usage('the preset is chosen with --preset, not with --set');
  if (!Object.hasOwn(target, last)) throw unknownKey(path, last, target, keys.join('.'), '--set');
  if (isTree(target[last])) {
    throw usage(
      `${path} is a group; set one of ${Object.keys(target[last])
        .map((key) => `${path}.${key}`)
        .join(', ')}`,
    );
  }
  target[last] = checkedType(path, target[last], parseSetting(path, text), '--set');
}

/** @param group where the key was looked for: its settings, and its path */
function unknownKey(name: string, key: string, group: Tree, path: string, source: string) {
  // The preset is no setting of --set.
  const keys = Object.keys(group).filter((other) => source !== '--set' || path !== '' || other !== 'preset');
  const nearest = nearestName(key, keys);
  const hint =
    nearest === undefined
      ? `${path || 'the settings'}: ${keys.join(', ')}`
      : `the nearest is ${path ? `${path}.` : ''}${nearest}; --dry-run prints all`;
  return usage(`there is no setting ${name} (in ${source})`, hint);
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
