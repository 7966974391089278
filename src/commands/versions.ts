/** What goes into every result so that a number can be traced back. */
import { packageVersion } from './version.js';

export interface Versions {
  bigbigan: string;
  tensorflow: string;
  node: string;
}

export function versions(engine: { tensorflow: string }): Versions {
  return { bigbigan: packageVersion, tensorflow: engine.tensorflow, node: process.versions.node };
}
