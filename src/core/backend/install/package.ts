/** The installed tfjs-node-gpu: where it is, and how the libraries and the binding get into it. */
import { randomBytes } from 'node:crypto';
import { copyFile, lstat, mkdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UserError } from '../../errors.js';

export interface TfjsPackage {
  folder: string;
  version: string;
  /** The binding, where the package looks for it. */
  binding: string;
  /** `node-pre-gyp` of the package's own dependency. */
  builder: string;
}

/** Node-API level of the binding: the highest that tfjs-node-gpu 4.22 names, and Node 20 and later have. */
export const NODE_API = 8;

/** File name of a built binding: it depends on tfjs, on the Node-API level and on what is added to it, not on Node. */
export function bindingName({ version }: TfjsPackage): string {
  return `tfjs-${version}-napi-v${NODE_API}-signal-mask.node`;
}

/** Found as Node finds it from here, so that it works in a clone and in an installed package alike. */
export function findPackage(): TfjsPackage {
  const require = createRequire(import.meta.url);
  let manifest: string;
  try {
    manifest = require.resolve('@tensorflow/tfjs-node-gpu/package.json');
  } catch {
    throw new UserError('expected the package @tensorflow/tfjs-node-gpu beside bigbigan, found none', {
      hint: 'install the dependencies first: npm ci --ignore-scripts',
    });
  }
  const folder = dirname(manifest);
  return {
    folder,
    version: (require(manifest) as { version: string }).version,
    binding: join(folder, 'lib', `napi-v${NODE_API}`, 'tfjs_binding.node'),
    builder: createRequire(manifest).resolve('@mapbox/node-pre-gyp/bin/node-pre-gyp'),
  };
}

/** Makes the package's `deps` a link to the prefix; what was there before goes. */
export async function linkLibraries(folder: string, prefix: string): Promise<void> {
  const deps = join(folder, 'deps');
  if ((await readlink(deps).catch(() => undefined)) === prefix) return;
  const name = temporary(deps);
  await symlink(prefix, name);
  const old = temporary(deps);
  // A link is replaced in one step; a folder has to be moved away first.
  if ((await lstat(deps).catch(() => undefined))?.isDirectory()) await rename(deps, old);
  await rename(name, deps);
  await rm(old, { recursive: true, force: true });
}

/** Puts a built binding in place: a copy, since the loader finds the libraries relative to the real file. */
export async function placeBinding(built: string, binding: string): Promise<void> {
  await mkdir(dirname(binding), { recursive: true });
  const name = temporary(binding);
  await copyFile(built, name);
  await rename(name, binding);
}

function temporary(path: string): string {
  return `${path}.${randomBytes(4).toString('hex')}`;
}
