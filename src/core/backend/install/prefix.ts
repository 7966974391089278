/** A folder with TensorFlow's libraries and headers, and the manifest that says it is complete. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { type Device, FRAMEWORK_LIBRARY, HEADERS, MAIN_LIBRARIES } from './release.js';

export interface Manifest {
  /** Where the files came from, in words or as a path. */
  source: string;
  device: Device;
  /** Bytes of each library, by file name. */
  libraries: Record<string, number>;
}

const MANIFEST = 'tensorflow.json';

/** Checks that all files are there and adds the two names that the linker looks for. */
export async function completePrefix(prefix: string): Promise<void> {
  const main = MAIN_LIBRARIES.find((name) => existsSync(join(prefix, 'lib', name)));
  const missing = [FRAMEWORK_LIBRARY].filter((name) => !existsSync(join(prefix, 'lib', name)));
  missing.push(...HEADERS.filter((name) => !existsSync(join(prefix, 'include', name))));
  if (!main) missing.unshift(MAIN_LIBRARIES.join(' or '));
  if (missing.length > 0 || !main) {
    const rest = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
    throw new UserError(`it lacks ${missing.slice(0, 3).join(', ')}${rest}`);
  }
  for (const [name, library] of [
    ['libtensorflow.so', main],
    ['libtensorflow_framework.so', FRAMEWORK_LIBRARY],
  ]) {
    await symlink(library, join(prefix, 'lib', name));
  }
}

export async function writeManifest(prefix: string, source: string, device: Device): Promise<void> {
  const libraries: Record<string, number> = {};
  for (const name of await readdir(join(prefix, 'lib'))) libraries[name] = (await stat(join(prefix, 'lib', name))).size;
  const manifest: Manifest = { source, device, libraries };
  await writeFile(join(prefix, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The manifest, when it is there and every library still has its size; else undefined. */
export function readManifest(prefix: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(prefix, MANIFEST), 'utf8')) as Manifest;
    const whole = Object.entries(manifest.libraries).every(
      ([name, size]) => statSync(join(prefix, 'lib', name)).size === size,
    );
    return whole ? manifest : undefined;
  } catch {
    return undefined;
  }
}
