/** What the tests of `fid` share: two small sets of images, SciPy's distances, and a run of the command. */

import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { bigbigan, fixture } from '../paths.js';

/** By what was compared. */
export const golden = JSON.parse(readFileSync(fixture('metrics/fid.json'), 'utf8')) as Record<string, number>;
export const real = fixture('metrics/fid/real.npy');
export const fake = fixture('metrics/fid/fake.npy');
export const model = fixture('metrics/saved-model');

/** Options for the SavedModel's output. */
export const network = (output: string) => ['--extractor', `saved-model:${model}${output}`];

export interface Result {
  frechet_distance: number;
  [key: string]: unknown;
}

export async function distance(t: Test, args: string[], input?: Uint8Array): Promise<Result> {
  const { code, stdout, stderr } = await bigbigan(['fid', ...args, '--json'], { input });
  t.equal(code, 0, stderr);
  return JSON.parse(stdout) as Result;
}

export function close(t: Test, got: number, wanted: number, relative: number, what: string) {
  t.ok(Math.abs(got - wanted) <= relative * Math.abs(wanted), `${what}: ${got} against ${wanted}`);
}
