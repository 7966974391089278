/** What `bigbigan --version` says: TensorFlow's version is read from a small file, not from the library. */
import { packageVersion } from '../core/version.js';

export async function versionText(): Promise<string> {
  const { engineStatus } = await import('../core/backend/install/status.js');
  const { ready, tensorflow, tfjs } = engineStatus();
  const engine = ready ? `TensorFlow ${tensorflow} (tfjs-node-gpu ${tfjs})` : 'none; run "bigbigan engine install"';
  return `bigbigan ${packageVersion}\nengine: ${engine}`;
}
