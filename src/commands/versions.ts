/** What goes into every result so that a number can be traced back. */
import { createRequire } from 'node:module';

export interface Versions {
  bigbigan: string;
  tensorflow: string;
  node: string;
}

export function versions(engine: { tensorflow: string }): Versions {
  const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string };
  return { bigbigan: version, tensorflow: engine.tensorflow, node: process.versions.node };
}
