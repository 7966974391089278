/** What engine is in place, read from files: TensorFlow itself is not loaded. */
import { readFileSync, statSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { bindingName, findPackage, type TfjsPackage } from './package.js';
import { readManifest } from './prefix.js';
import type { Device } from './release.js';

/** What the last verification found, kept beside the binding. */
export interface Stamp {
  /** Version that the library reported. */
  tensorflow: string;
  tfjs: string;
  /** Device that the libraries are for. */
  libraries: Device;
  /** Device that TensorFlow used. */
  device: string;
  /** Version of the Node that it was verified with. */
  node: string;
  /** What the binding was built from, and its bytes. */
  build: string;
  binding: number;
}

export interface EngineStatus {
  ready: boolean;
  /** Why it is not ready. */
  reason?: string;
  /** Version of the library. */
  tensorflow?: string;
  /** Version of tfjs-node-gpu. */
  tfjs?: string;
  /** Where the libraries were taken from. */
  source?: string;
  /** Folder of the libraries. */
  folder?: string;
  libraries?: Device;
  device?: string;
  node?: string;
}

/** Takes about a millisecond. Never throws. */
export function engineStatus(): EngineStatus {
  let tfjs: TfjsPackage;
  try {
    tfjs = findPackage();
  } catch (error) {
    return { ready: false, reason: (error as Error).message };
  }
  const stamp = readStamp(tfjs);
  if (!stamp) return { ready: false, tfjs: tfjs.version, reason: 'it is not installed' };
  const manifest = readManifest(join(tfjs.folder, 'deps'));
  if (!manifest) return { ready: false, tfjs: tfjs.version, reason: "TensorFlow's libraries are gone or damaged" };
  if (stamp.build !== bindingName(tfjs) || sizeOf(tfjs.binding) !== stamp.binding) {
    return { ready: false, tfjs: tfjs.version, reason: 'its binding is not the one that was verified' };
  }
  return {
    ready: true,
    tensorflow: stamp.tensorflow,
    tfjs: tfjs.version,
    source: manifest.source,
    folder: join(tfjs.folder, 'deps', 'lib'),
    libraries: stamp.libraries,
    device: stamp.device,
    node: stamp.node,
  };
}

/** Throws, with what to do, when there is no engine. */
export function requireEngine(): void {
  const { ready, reason } = engineStatus();
  if (!ready)
    throw new UserError(`the engine (TensorFlow) is missing: ${reason}`, { hint: 'run "bigbigan engine install"' });
}

function stampPath(tfjs: TfjsPackage): string {
  return join(tfjs.folder, 'lib', 'engine.json');
}

function readStamp(tfjs: TfjsPackage): Stamp | undefined {
  try {
    return JSON.parse(readFileSync(stampPath(tfjs), 'utf8')) as Stamp;
  } catch {
    return undefined;
  }
}

export async function writeStamp(tfjs: TfjsPackage, stamp: Omit<Stamp, 'build' | 'binding' | 'tfjs'>): Promise<void> {
  const path = stampPath(tfjs);
  const full: Stamp = { ...stamp, tfjs: tfjs.version, build: bindingName(tfjs), binding: sizeOf(tfjs.binding) };
  await writeFile(`${path}.${process.pid}`, `${JSON.stringify(full, null, 2)}\n`);
  await rename(`${path}.${process.pid}`, path);
}

export async function removeStamp(tfjs: TfjsPackage): Promise<void> {
  await rm(stampPath(tfjs), { force: true });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? -1;
}
