/** One config from a preset, a partial config, and single settings, each over the one before. */
import { defaultPrecision, type Precision } from '../backend/precision.js';
import { usage } from '../errors.js';
import { TERMS } from '../model/config.js';
import { checkConfig } from './check-config.js';
import type { Config } from './config.js';
import { nearestName } from './nearest-name.js';
import { preset } from './presets.js';

/** Where nothing names one. */
const USUAL_PRESET = 'mnist';

export interface Overrides {
  /** Default: the preset that the partial config names, or mnist. */
  preset?: string;
  /** A partial config, such as a file holds; `source` names it in errors. */
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

/** @throws UserError for unknown keys, wrong types, and combinations that cannot work. */
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
    else target[key] = checkType(name, target[key], value, source);
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
  target[last] = checkType(path, target[last], parse(text, target[last]), '--set');
}

/** The text as the type that the setting has now; lists are separated by commas. */
function parse(text: string, current: unknown): unknown {
  if (Array.isArray(current)) {
    const items = text
      .replace(/^\[|\]$/g, '')
      .split(',')
      .filter((item) => item.trim() !== '');
    return items.map((item) => (typeof current[0] === 'number' ? number(item) : item.trim().replace(/^"(.*)"$/, '$1')));
  }
  if (text === 'null' || text === 'true' || text === 'false') return JSON.parse(text);
  return typeof current === 'string' ? text : number(text);
}

const number = (text: string): unknown => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text);

/** Settings that may be null; otherwise they hold a number. */
const NULLABLE = ['model.encoder.calibrateSigma', 'train.microbatch'];

/** A list that may be empty holds strings. */
function checkType(name: string, current: unknown, value: unknown, source: string): unknown {
  const example: unknown = Array.isArray(current) ? (current[0] ?? '') : current;
  const nullable = NULLABLE.includes(name);
  const fits = nullable
    ? value === null || typeof value === 'number'
    : Array.isArray(current)
      ? Array.isArray(value) &&
        (value.length > 0 || current.length === 0) &&
        value.every((item) => typeof item === typeof example)
      : typeof value === typeof current && value !== null;
  if (fits) return value;
  throw usage(
    `expected ${nullable ? 'a number or null' : typeName(current, example, source)} for ${name} in ${source}, got ${JSON.stringify(value)}`,
  );
}

function typeName(current: unknown, example: unknown, source: string): string {
  if (Array.isArray(current))
    return `a list of ${typeof example}s${source === '--set' ? ', separated by commas,' : ''}`;
  return typeof current === 'boolean' ? 'true or false' : `a ${typeof current}`;
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
