/** The engine step: TensorFlow's libraries into the cache, the binding on them, and a proof that both work. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UserError } from '../../errors.js';
import type { WorkOptions } from '../../work.js';
import { buildBinding, cachedBinding } from './binding.js';
import { detectDevice } from './device.js';
import { findPackage, linkLibraries, placeBinding, type TfjsPackage } from './package.js';
import { type Device, isSupported } from './release.js';
import { obtainTensorflow } from './sources.js';
import { type EngineStatus, engineStatus, removeStamp, writeStamp } from './status.js';
import { type Verified, verifyEngine } from './verify.js';

export interface InstallSettings {
  /** A wheel, a C tarball or a folder to take TensorFlow from; without it the usual places are tried. */
  from?: string;
  /** Without it: the GPU when an NVIDIA driver answers. */
  device?: Device;
  /** Take and build everything anew. */
  force?: boolean;
  /** Let pip show its progress on stderr. */
  show?: boolean;
}

export interface Installed extends EngineStatus {
  /** False when everything was in place already. */
  changed: boolean;
}

/**
 * Takes TensorFlow's libraries into the cache folder and builds the binding to Node; does nothing when they are in
 * place. Needs make, g++, python3 and, without `from`, pip or a local TensorFlow. Events: notes.
 * @throws UserError where there is no way to get them, with what was tried
 */
export async function installEngine(settings: InstallSettings = {}, { on }: WorkOptions = {}): Promise<Installed> {
  const say = (message: string) => on?.({ kind: 'note', message });
  if (process.platform !== 'linux') throw new UserError(`expected Linux for the engine, got ${process.platform}`);
  const before = engineStatus();
  if (!settings.force && fits(before, settings)) return { ...before, changed: false };

  const tfjs = findPackage();
  const device = settings.device ?? before.libraries ?? (await detectDevice());
  if (device === 'gpu') say('an NVIDIA GPU: this way of installing is untried; "--device cpu" is the tried one');
  const prefix = await obtainTensorflow({ force: false, show: false, ...settings, device, say });
  await removeStamp(tfjs);
  await linkLibraries(tfjs.folder, prefix);
  const verified = await bindAndVerify(prefix, tfjs, say);
  if (!isSupported(verified.tensorflow)) {
    await rm(prefix, { recursive: true, force: true });
    throw new UserError(`expected TensorFlow 2.21 for the engine, got ${verified.tensorflow}`, {
      hint: 'name another one with --from, or leave --from away to have it downloaded',
    });
  }
  await writeStamp(tfjs, { ...verified, libraries: device, node: process.version });
  return { ...engineStatus(), changed: true };
}

/** Is what is in place what is asked for? A Node of another version is worth a new verification. */
function fits(status: EngineStatus, { from, device }: InstallSettings): boolean {
  return (
    status.ready &&
    status.node === process.version &&
    (from === undefined || status.source === resolve(from)) &&
    (device === undefined || status.libraries === device)
  );
}

/** Uses the binding of the cache if there is one and it loads; builds it otherwise. */
async function bindAndVerify(prefix: string, tfjs: TfjsPackage, say: (message: string) => void): Promise<Verified> {
  const cached = cachedBinding(prefix, tfjs);
  if (existsSync(cached)) {
    await placeBinding(cached, tfjs.binding);
    say('checking the binding of the cache ...');
    try {
      return await verifyEngine();
    } catch (error) {
      say(`  ${(error as Error).message}`);
    }
  }
  say('building the binding ...');
  await buildBinding(prefix, tfjs);
  await placeBinding(cached, tfjs.binding);
  say('checking it ...');
  return verifyEngine();
}
