/** What `bigbigan fid` was asked, and whether it can be answered, before anything long begins. */
import type { Metric } from '../core/evaluation/metric-names.js';
import type { Source } from '../core/evaluation/source.js';
import { usage } from '../core/errors.js';
import type { InceptionOptions } from './inception-options.js';
import type { EngineOptions, OutputOptions } from './options.js';
import { checkOutputFile } from './output-file.js';

export interface FidOptions extends OutputOptions, EngineOptions, InceptionOptions {
  extractor?: string;
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
export async function checkUsage(paths: string[], { shard: part, out, merge, statsOut, metrics, force }: FidOptions): Promise<void> {
  if (paths.filter((path) => path === '-').length > 1) throw usage('only one of REAL and FAKE can be -', 'save one of them to a file first');
  if (part && (paths.length !== 1 || merge || statsOut)) throw usage('--shard takes one set, --out, and neither --merge nor --stats-out');
  if (part && !out) throw usage('--out is missing: the .npz that the shard goes to');
  if (out && !part) throw usage('--out is for --shard; the statistics of a whole set go to --stats-out');
  if (merge && paths.length > 1) throw usage('--merge stands for FAKE: only REAL can be named beside it', 'put REAL before --merge');
  const sets = paths.length + (merge ? 1 : 0);
  if (sets === 0) throw usage("missing required argument 'real'", 'name REAL and FAKE');
  if (sets === 1 && !part && !statsOut && !metrics.includes('is')) {
    throw usage("missing required argument 'fake'", 'one set alone is for --stats-out, --shard or --metrics is');
  }
  if (sets === 1 && !part && (metrics.includes('kid') || metrics.includes('pr')) && !statsOut) {
    throw usage('kid and pr compare two sets', 'name REAL and FAKE');
  }
  const file = out ?? statsOut;
  if (file) await checkOutputFile(file, force);
}

/** What the files' names and headers rule out. */
export function checkKinds(sources: Source[], { shard: part, metrics, merge }: FidOptions): void {
  if (part && sources[0].kind !== 'images') throw usage(`--shard is for images, which ${sources[0].path} does not hold`);
  if (part && sources[0].path === '-') {
    throw usage('--shard needs a set that can be read again, not a stream', 'save it to an .npy file first');
  }
  const rowMetric = metrics.find((name) => name === 'kid' || name === 'pr');
  const without = sources.find(({ kind }) => kind === 'statistics');
  if (rowMetric && without) {
    const message = `--metrics ${rowMetric} needs the rows of both sets, and ${without.path} has their statistics only`;
    throw usage(message, 'name images, features, or an .npz with feats');
  }
  const scored = merge ? undefined : sources.at(-1);
  if (metrics.includes('is') && scored?.kind === 'statistics') {
    const message = `--metrics is needs the images of FAKE, and ${scored.path} has their statistics only`;
    throw usage(message, 'name images, or shards made with --metrics is');
  }
}
