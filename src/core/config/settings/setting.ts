/** What a setting is: where it stands in the config, what it may be, and where that comes from. */

/** What a setting may hold. Ranges include their ends. */
export type Kind =
  | { type: 'whole'; least: number; most?: number; nullable?: true }
  | { type: 'number'; least?: number; most?: number; nullable?: true }
  | { type: 'boolean' }
  /** One of a few words or numbers. */
  | { type: 'choice'; choices: readonly (string | number)[] }
  /** A list of whole numbers. */
  | { type: 'wholes'; least: number; most?: number }
  /** A list of words. */
  | { type: 'words' };

export interface Setting {
  /** Dotted, such as `train.batchSize`. */
  path: string;
  kind: Kind;
  /** One sentence, for docs/settings.md. */
  means: string;
  /** What it may be, for docs/settings.md, where the kind does not say it all. */
  values?: string;
  /** Where the setting and its usual values come from. */
  source: string;
}

export interface SettingGroup {
  title: string;
  settings: readonly Setting[];
}

/** Above the whole numbers and below 1, as far as a range with ends can say it. */
export const BELOW_ONE = 0.9999999;

export const wholeFrom = (least: number, most?: number): Kind => ({ type: 'whole', least, most });
export const wholesFrom = (least: number, most?: number): Kind => ({ type: 'wholes', least, most });
export const numberIn = (least: number, most: number): Kind => ({ type: 'number', least, most });
export const oneOf = (choices: readonly (string | number)[]): Kind => ({ type: 'choice', choices });
export const flag: Kind = { type: 'boolean' };
