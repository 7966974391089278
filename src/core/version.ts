/** Versions that go into every result, so that a number can be traced back to the programs that made it. */
import { createRequire } from 'node:module';

/** Version of this package. */
export const packageVersion = (createRequire(import.meta.url)('../../../package.json') as { version: string }).version;

export interface Versions {
  bigbigan: string;
  tensorflow: string;
  node: string;
}

export function versions(engine: { tensorflow: string }): Versions {
  return { bigbigan: packageVersion, tensorflow: engine.tensorflow, node: process.versions.node };
}
