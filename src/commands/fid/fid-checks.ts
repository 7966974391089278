/** What `bigbigan fid` was asked, and whether it can be answered, before anything long begins. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { usage } from '../../core/errors.js';
import type { ExtractorChoice } from '../../core/evaluation/fid/extractors/extractors.js';
import type { Metric } from '../../core/evaluation/fid/metric-names.js';
import type { OpenSide } from '../../core/evaluation/fid/side.js';
import type { Source } from '../../core/evaluation/fid/source.js';
import { checkOutputFile } from '../../core/formats/output-file.js';
import { refuseGiven } from '../options/given.js';
import type { InceptionOptions } from '../options/inception-options.js';
import type { EngineOptions, OutputOptions } from '../options/options.js';

export interface FidOptions extends OutputOptions, EngineOptions, InceptionOptions {
  extractor?: string;
  feature?: string;
  metrics: Metric[];
  splits: number;
  kidSubsets: number;
  kidSubsetSize: number;
  prNeighbours: number;
  seed: number;
  batchSize: number;
  statsOut?: string;
  shard?: [number, number];
  out?: string;
  merge?: string[];
  force?: boolean;
}

/** What can be said from the command line alone. */
export async function checkUsage(
  paths: string[],
  { shard: part, out, merge, statsOut, metrics, force }: FidOptions,
): Promise<void> {
  if (paths.filter((path) => path === '-').length > 1)
    throw usage('only one of REAL and FAKE can be -', 'save one of them to a file first');
  if (part && (paths.length !== 1 || merge || statsOut))
    throw usage('--shard takes one set, --out, and neither --merge nor --stats-out');
  if (part && !out) throw usage('--out is missing: the .npz that the shard goes to');
  if (out && !part) throw usage('--out is for --shard; the statistics of a whole set go to --stats-out');
  if (merge && paths.length > 1)
    throw usage('--merge stands for FAKE: only REAL can be named beside it', 'put REAL before --merge');
  const sets = paths.length + (merge ? 1 : 0);
  if (sets === 0) throw usage("missing required argument 'real'", 'name REAL and FAKE');
  if (sets === 1 && !part && !statsOut && !metrics.includes('is')) {
    throw usage("missing required argument 'fake'", 'one set alone is for --stats-out, --shard or --metrics is');
  }
  if (sets === 1 && !part && metrics.some(isRowMetric) && !statsOut) {
    throw usage('kid and pr compare two sets', 'name REAL and FAKE');
  }
  const file = out ?? statsOut;
  if (!file) return;
  if (!/\.npz$/i.test(file))
    throw usage(
      `${out ? '--out' : '--stats-out'} writes an .npz, got ${file}`,
      `name it ${file.replace(/\.[^./]*$/, '')}.npz`,
    );
  if ([...paths, ...(merge ?? [])].some((path) => resolve(path) === resolve(file)))
    throw usage(`${file} is read, and cannot be written too`, 'choose another name');
  await checkOutputFile(file, force);
}

/**
 * What the files' names and headers rule out. `paths` are as named, of which features folders stand for a file in them.
 */
export function checkKinds(
  sources: Source[],
  paths: string[],
  { shard: part, metrics, merge, feature }: FidOptions,
): void {
  if (part && sources[0].kind !== 'images')
    throw usage(`--shard is for images, which ${sources[0].path} does not hold`);
  if (part && sources[0].path === '-') {
    throw usage('--shard needs a set that can be read again, not a stream', 'save it to an .npy file first');
  }
  if (feature !== undefined && sources.every(({ path }, i) => path === paths[i]))
    throw usage('--feature is for features folders, and none is named');
  const rowMetric = metrics.find(isRowMetric);
  const without = sources.find(({ kind }) => kind === 'statistics');
  if (rowMetric && without) {
    const message = `--metrics ${rowMetric} needs the rows of both sets, and ${without.path} has their statistics only`;
    throw usage(message, 'name images, features, or an .npz with feats');
  }
  const scored = merge ? undefined : sources.at(-1);
  if (metrics.includes('is') && scored && scored.kind !== 'images') {
    const message = `--metrics is needs the images of FAKE, and ${scored.path} has ${scored.kind === 'features' ? 'features' : 'their statistics'} only`;
    throw usage(message, 'name images, or shards made with --metrics is');
  }
}

/** Before the network is loaded: that it has what the Inception Score needs. */
export function checkClassScores({ kind }: ExtractorChoice, { metrics, merge }: FidOptions): void {
  if (!metrics.includes('is') || merge || kind === 'inception') return;
  throw usage(
    `--metrics is needs class scores, which --extractor ${kind} does not give`,
    'take --extractor inception, or leave is out',
  );
}

/** Enough rows for the scores of single rows. */
export async function checkCounts(
  sets: Array<{ path: string; n?: number }>,
  { metrics, kidSubsetSize, prNeighbours }: FidOptions,
): Promise<void> {
  const { checkSubset } = await import('../../core/metrics/kid.js');
  const { checkNeighbours } = await import('../../core/metrics/neighbours/precision-recall.js');
  for (const { path, n } of sets) {
    if (n === undefined) continue;
    if (metrics.includes('kid')) checkSubset(n, kidSubsetSize, path);
    if (metrics.includes('pr')) checkNeighbours(n, prNeighbours, path);
  }
}

/** Where nothing is resized, --mode can only say what is known already. */
export function checkMode(sides: OpenSide[], { mode }: FidOptions): void {
  const known = sides.filter(({ network }) => network);
  if (mode === undefined || (known.length > 0 && known.every(({ network }) => network!.mode === mode))) return;
  const other = known.find(({ network }) => network!.mode !== mode);
  const found = other
    ? `${other.path} is of ${other.network!.mode ? `mode ${other.network!.mode}` : other.network!.label}`
    : 'the features are of unknown origin';
  throw usage(`--mode ${mode} says how images are resized, and there are none; ${found}`, 'leave --mode out');
}

/** Options of scores that are not asked for. */
export function checkEffects(command: Command, { metrics, out, statsOut }: FidOptions): void {
  const refuse = (wanted: boolean, names: string[], of: string) =>
    wanted || refuseGiven(command, names, `has no effect without ${of}`, `add ${of}, or leave it out`);
  refuse(metrics.includes('is'), ['--splits'], '--metrics is');
  refuse(metrics.includes('kid'), ['--kid-subsets', '--kid-subset-size', '--seed'], '--metrics kid');
  refuse(metrics.includes('pr'), ['--pr-neighbours'], '--metrics pr');
  refuse(out !== undefined || statsOut !== undefined, ['--force'], '--stats-out or --out');
}

export function isRowMetric(name: Metric): boolean {
  return name === 'kid' || name === 'pr';
}
