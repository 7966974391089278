/** A preset as what it changes of another one. Types only. */
import type { Config } from '../config.js';

/** Some of the settings; lists are replaced whole. */
export type Changes<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: Changes<T[K]> } : T;

export interface DerivedPreset {
  name: string;
  changes: Changes<Config>;
}
