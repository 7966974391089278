/** What `bigbigan --version` says: TensorFlow's version is read from a small file, not from the library. */

import { createRequire } from 'node:module';

/** Version of this package. */
export const packageVersion = (createRequire(import.meta.url)('../../../package.json') as { version: string }).version;

export async function versionText(version: string): Promise<string> {
  const { engineStatus } = await import('../core/backend/install/status.js');
  const { ready, tensorflow, tfjs } = engineStatus();
  const engine = ready ? `TensorFlow ${tensorflow} (tfjs-node-gpu ${tfjs})` : 'none; run "bigbigan engine install"';
  return `bigbigan ${version}\nengine: ${engine}`;
}
