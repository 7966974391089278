/**
 * The table of settings. Checks of types and ranges and docs/settings.md follow from it; rules between settings stand
 * in `rules/`. A new setting is an entry here, its type in `config.ts` or `model/config.ts`, and its value in the
 * presets that others are made from.
 */
import { discriminatorSettings, encoderSettings, generatorSettings, modelSettings } from './settings/model.js';
import type { Setting, SettingGroup } from './settings/setting.js';
import { trainingSettings } from './settings/training.js';

export const SETTING_GROUPS: readonly SettingGroup[] = [
  modelSettings,
  generatorSettings,
  discriminatorSettings,
  encoderSettings,
  trainingSettings,
];

/** By path. */
export const SETTINGS: ReadonlyMap<string, Setting> = new Map(
  SETTING_GROUPS.flatMap(({ settings }) => settings).map((setting) => [setting.path, setting]),
);
