/** What was asked, and whether it can be answered, before anything long begins. */
import { resolve } from 'node:path';
import { checkChoice, checkShard, checkWhole } from '../../checks.js';
import { usage } from '../../errors.js';
import { checkOutputFile } from '../../formats/output-file.js';
import { MODES, type Mode } from '../../inception/modes.js';
import type { ExtractorChoice } from './extractors/extractors.js';
import type { AnyScore } from './scores/scores.js';
import { chosenScores, SCORE_NAMES, SCORES, type ScoreName, type ScoreSettings } from './scores/scores.js';
import type { OpenSide } from './side.js';
import type { FoundSet } from './source.js';

export interface FidRequest extends ScoreSettings {
  metrics: readonly ScoreName[];
  feature?: string;
  mode?: Mode;
  shard?: readonly [number, number];
  out?: string;
  merge?: readonly string[];
  statsOut?: string;
  force?: boolean;
}

/** The first of the scores asked for that needs rows, or class scores. */
export function needing(metrics: readonly ScoreName[], what: AnyScore['needs']): ScoreName | undefined {
  return metrics.find((name) => SCORES.find((score) => score.name === name)?.needs === what);
}

const rowScores = () => SCORES.filter(({ needs }) => needs === 'rows').map(({ name }) => name);

/** What can be said without looking at the files. */
export async function checkSettings(paths: readonly string[], request: FidRequest): Promise<void> {
  const { shard: part, out, merge, statsOut, metrics, mode, force } = request;
  for (const name of metrics) checkChoice('--metrics', name, SCORE_NAMES);
  for (const { options } of SCORES) {
    for (const { setting, flags } of options) checkWhole(flags.split(' ')[0], request[setting], { least: 1 });
  }
  checkWhole('--seed', request.seed);
  checkChoice('--mode', mode, MODES);
  checkShard(part);
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
  if (sets === 1 && !part && !statsOut && !needing(metrics, 'classes')) {
    throw usage("missing required argument 'fake'", 'one set alone is for --stats-out, --shard or --metrics is');
  }
  if (sets === 1 && !part && needing(metrics, 'rows') && !statsOut) {
    throw usage(`${rowScores().join(' and ')} compare two sets`, 'name REAL and FAKE');
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
  sources: readonly FoundSet[],
  paths: readonly string[],
  { shard: part, metrics, merge, feature }: FidRequest,
): void {
  if (part && sources[0].kind !== 'images')
    throw usage(`--shard is for images, which ${sources[0].path} does not hold`);
  if (part && sources[0].path === '-') {
    throw usage('--shard needs a set that can be read again, not a stream', 'save it to an .npy file first');
  }
  if (feature !== undefined && sources.every(({ path }, i) => path === paths[i]))
    throw usage('--feature is for features folders, and none is named');
  const rowMetric = needing(metrics, 'rows');
  const without = sources.find(({ kind }) => kind === 'statistics');
  if (rowMetric && without) {
    const message = `--metrics ${rowMetric} needs the rows of both sets, and ${without.path} has their statistics only`;
    throw usage(message, 'name images, features, or an .npz with feats');
  }
  const scored = merge ? undefined : sources.at(-1);
  if (needing(metrics, 'classes') && scored && scored.kind !== 'images') {
    const message = `--metrics is needs the images of FAKE, and ${scored.path} has ${scored.kind === 'features' ? 'features' : 'their statistics'} only`;
    throw usage(message, 'name images, or shards made with --metrics is');
  }
}

/** Before the network is loaded: that it has what the Inception Score needs. */
export function checkClassScores({ kind }: ExtractorChoice, { metrics, merge }: FidRequest): void {
  if (!needing(metrics, 'classes') || merge || kind === 'inception') return;
  throw usage(
    `--metrics is needs class scores, which --extractor ${kind} does not give`,
    'take --extractor inception, or leave is out',
  );
}

/** Enough rows for the scores that need a number of them. */
export function checkCounts(sets: readonly { path: string; n?: number }[], request: FidRequest): void {
  for (const { path, n } of sets) {
    if (n === undefined) continue;
    for (const score of chosenScores(request.metrics)) score.check?.(n, request, path);
  }
}

/** Where nothing is resized, --mode can only say what is known already. */
export function checkMode(sides: readonly OpenSide[], { mode }: FidRequest): void {
  const known = sides.filter(({ network }) => network);
  if (mode === undefined || (known.length > 0 && known.every(({ network }) => network!.mode === mode))) return;
  const other = known.find(({ network }) => network!.mode !== mode);
  const found = other
    ? `${other.path} is of ${other.network!.mode ? `mode ${other.network!.mode}` : other.network!.label}`
    : 'the features are of unknown origin';
  throw usage(`--mode ${mode} says how images are resized, and there are none; ${found}`, 'leave --mode out');
}
