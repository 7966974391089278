/** FID and its kin: how far two sets of images are from each other in the features of a network. */
import { tmpdir } from 'node:os';
import { type Engine, startEngine } from '../../backend/engine.js';
import { checkWhole } from '../../checks.js';
import { usage } from '../../errors.js';
import type { Mode } from '../../inception/modes.js';
import type { Extractor } from '../../metrics/extractor.js';
import { versions } from '../../version.js';
import type { EngineWorkOptions, WorkEvent } from '../../work.js';
import {
  checkClassScores,
  checkCounts,
  checkKinds,
  checkMode,
  checkSettings,
  type FidRequest,
  needing,
} from './checks.js';
import { checkComparable } from './comparable.js';
import { FID_BATCH_SIZE } from './defaults.js';
import { EXTRACTOR_FORMS, openExtractor, parseExtractor } from './extractors/extractors.js';
import { networkOf } from './measure.js';
import { openMerged } from './merged-side.js';
import {
  type ComparisonResult,
  describeNetwork,
  describeSide,
  type FidResult,
  protocolOf,
  type SetResult,
  type ShardResult,
} from './result.js';
import { type AnyScore, chosenScores, SCORE_DEFAULTS, type ScoreName, type ScoreSettings } from './scores/scores.js';
import { writeShard } from './shard.js';
import { type OpenSide, openSide, type Side } from './side.js';
import { type FoundSet, openSource } from './source.js';
import { writeStatistics } from './statistics-file.js';
import { warnOfFew, warnOfPair } from './warnings.js';

export interface FidSettings extends Partial<ScoreSettings> {
  /** The reference: images, features or statistics. With `shard`, or with `statsOut` alone, the only set. */
  real?: string;
  /** What is compared with it: images, features or statistics. */
  fake?: string;
  /** In place of `fake`: all shards of it. */
  merge?: readonly string[];
  /** Scores beside the Fréchet distance, which is always there. */
  metrics?: readonly ScoreName[];
  /** Network for images: `inception`, `encoder:RUN`, `nsfwjs:DIR` or `saved-model:DIR[:OUTPUT][@LOW,HIGH]`. */
  extractor?: string;
  /** File of the weights of `inception`; with it, that is the network unless stated. */
  inceptionWeights?: string;
  /** How images come to 299×299 for `inception` and `nsfwjs`; default `tf`. */
  mode?: Mode;
  /** Which `.npy` of a features folder, default avepool. */
  feature?: string;
  /** Images in a batch, default 64; scores do not depend on it. */
  batchSize?: number;
  /** An `.npz` for the statistics of REAL. */
  statsOut?: string;
  /** Only part `[i, n]` of the one set, i from 1; its exact sums go to `out`. */
  shard?: readonly [number, number];
  out?: string;
  /** Replace an existing `statsOut` or `out`. */
  force?: boolean;
  /** Where `-` reads from, default standard input. */
  stdin?: AsyncIterable<Uint8Array>;
  /** Folder of temporary files, default the system's. */
  temporary?: string;
}

interface Work {
  engine: Engine;
  extractor?: Extractor;
  request: FidRequest;
  batchSize: number;
  temporary: string;
  on: (event: WorkEvent) => void;
  signal?: AbortSignal;
  /** What every result ends with. */
  ending(): Pick<FidResult, 'weights' | 'seconds' | 'versions'>;
}

/**
 * Compares two sets, or measures one. Numbers are comparable only with others of the same network; they are the
 * literature's FID, and called so, only in the features of the 2015 Inception network.
 *
 * Events: notes, warnings, and progress of a task for each side (in rows) and each slow score. With `signal` it throws
 * the signal's reason; statistics that were saved by then stay.
 * @throws UserError for what cannot be compared: other networks, weights, resize modes or arithmetic, too few rows,
 * rows that a score needs and a side does not have
 */
export async function fid(settings: FidSettings, options: EngineWorkOptions = {}): Promise<FidResult> {
  const { real, fake, metrics = ['fid'], batchSize = FID_BATCH_SIZE, inceptionWeights } = settings;
  const paths = [real, fake].filter((path) => path !== undefined);
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const request: FidRequest = { ...SCORE_DEFAULTS, ...given, metrics };
  checkWhole('--batch-size', batchSize, { least: 1 });
  await checkSettings(paths, request);
  const network = settings.extractor ?? (inceptionWeights === undefined ? undefined : 'inception');
  const started = performance.now();
  const on = options.on ?? (() => {});
  const sources = await openSources(paths, request, settings.stdin ?? process.stdin);
  checkKinds(sources, paths, request);
  const images = sources.find(({ kind }) => kind === 'images');
  if (images && !network) {
    throw usage(
      `${images.path} holds images: --extractor must name the network whose features are compared`,
      EXTRACTOR_FORMS,
    );
  }
  const choice =
    images && network !== undefined
      ? await parseExtractor(network, { weights: inceptionWeights, mode: settings.mode })
      : undefined;
  if (choice) checkClassScores(choice, request);
  const merged = request.merge && (await openMerge(request.merge, metrics));
  const counted = sources.map((source) => ({ path: source.path, n: 'count' in source ? source.count : undefined }));
  if (!request.shard) checkCounts(merged ? [...counted, merged] : counted, request);

  const engine = await startEngine({ threads: options.threads });
  const extractor = choice && (await openExtractor(engine, choice, batchSize));
  const sides: OpenSide[] = merged ? [merged] : [];
  try {
    if (settings.extractor && !extractor) {
      on({ kind: 'note', message: '--extractor is not used: there are no images' });
    }
    const weights = extractor?.file;
    if (weights) on({ kind: 'note', message: describeWeights(weights) });
    const temporary = settings.temporary ?? tmpdir();
    const ending = () => ({ weights, seconds: (performance.now() - started) / 1000, versions: versions(engine) });
    const work: Work = { engine, extractor, request, batchSize, temporary, on, signal: options.signal, ending };
    if (request.shard) return await measureShard(work, sources[0]);
    for (const [i, source] of sources.entries()) sides.splice(i, 0, await openSide(source, extractor));
    if (!images) checkMode(sides, request);
    return await (sides.length === 1 ? measureOne(work, sides[0]) : compareTwo(work, sides));
  } finally {
    for (const side of sides) await side.close();
    extractor?.close();
  }
}

async function openSources(
  paths: readonly string[],
  { metrics, merge, feature }: FidRequest,
  stdin: AsyncIterable<Uint8Array>,
): Promise<FoundSet[]> {
  const scored = merge ? -1 : paths.length - 1;
  const sources: FoundSet[] = [];
  for (const [i, path] of paths.entries()) {
    const rows = needing(metrics, 'rows') !== undefined || (i === scored && needing(metrics, 'classes') !== undefined);
    sources.push(await openSource(path, { rows, feature, stdin }));
  }
  return sources;
}

function openMerge(parts: readonly string[], metrics: readonly ScoreName[]): Promise<OpenSide> {
  return openMerged(parts, { features: needing(metrics, 'rows'), logits: needing(metrics, 'classes') });
}

function describeWeights({ path, digest, published }: NonNullable<Extractor['file']>): string {
  return `${path}: SHA-256 ${digest}, ${published ?? 'not that of a published file that this program knows'}`;
}

/** Scores that take the class scores of a set. */
function scorersOf({ request }: Work) {
  return chosenScores(request.metrics)
    .filter((score): score is AnyScore & Required<Pick<AnyScore, 'scorer'>> => score.scorer !== undefined)
    .map((score) => (total: number) => score.scorer(total, request));
}

async function measured(work: Work, side: OpenSide, { rows, score }: { rows: boolean; score: boolean }): Promise<Side> {
  const { engine, request, batchSize, temporary, on, signal } = work;
  const result = await side.measure(engine, {
    features: rows && needing(request.metrics, 'rows') !== undefined,
    scorers: score ? scorersOf(work) : [],
    temporary,
    batchSize,
    signal,
    onRows: (done, total) => on({ kind: 'progress', task: side.path, done, total }),
  });
  if (result.lossy) {
    const message = `${result.path} has images such as ${result.lossy}: lossy compression moves the scores; compare only with sets stored alike`;
    on({ kind: 'warning', message });
  }
  return result;
}

async function compareTwo(work: Work, sides: OpenSide[]): Promise<ComparisonResult> {
  const { engine, request, batchSize, on, signal } = work;
  const { metrics, statsOut } = request;
  const warn = (message: string) => on({ kind: 'warning', message });
  const network = checkComparable(sides[0], sides[1], warn);
  for (const side of sides) warnOfFew(side, warn);
  warnOfPair(sides, warn);
  const done: Side[] = [];
  try {
    for (const [i, side] of sides.entries()) {
      done.push(await measured(work, side, { rows: true, score: i === 1 }));
      // At once, so that they are there if the other side fails.
      if (i === 0 && statsOut) await saveStatistics(statsOut, done[0], on);
    }
    const [real, fake] = done;
    const scores = {};
    for (const score of chosenScores(metrics)) {
      signal?.throwIfAborted();
      const onProgress = (task: string, done: number, total: number) => {
        signal?.throwIfAborted();
        on({ kind: 'progress', task, done, total });
      };
      const keys = score.scorer
        ? fake.scored
        : await score.compare?.({ engine, real, fake, network }, request, onProgress);
      Object.assign(scores, keys);
    }
    return {
      ...scores,
      real: describeSide(real),
      fake: describeSide(fake),
      extractor: describeNetwork(network, real.statistics.mean.length),
      protocol: protocolOf(metrics, request),
      batch_size: batchSize,
      stats_out: statsOut,
      ...work.ending(),
    };
  } finally {
    for (const side of done) await side.close();
  }
}

/** One set alone: its statistics, and the scores that need no other. */
async function measureOne(work: Work, open: OpenSide): Promise<SetResult> {
  const { request, batchSize, on } = work;
  const { metrics, statsOut } = request;
  if (statsOut) warnOfFew(open, (message) => on({ kind: 'warning', message }));
  const side = await measured(work, open, { rows: statsOut !== undefined, score: true });
  try {
    if (statsOut) await saveStatistics(statsOut, side, on);
    return {
      ...side.scored,
      set: describeSide(side),
      extractor: describeNetwork(side.network, side.statistics.mean.length),
      protocol: protocolOf(metrics, request),
      batch_size: batchSize,
      stats_out: statsOut,
      ...work.ending(),
    };
  } finally {
    await side.close();
  }
}

async function measureShard(work: Work, source: FoundSet): Promise<ShardResult> {
  const { engine, request, batchSize, temporary, on, signal } = work;
  const { metrics } = request;
  const [index, count] = request.shard!;
  const extractor = work.extractor!;
  const out = request.out!;
  const part = await writeShard(engine, source, extractor, out, {
    shard: index,
    shards: count,
    batchSize,
    temporary,
    signal,
    features: needing(metrics, 'rows') !== undefined,
    logits: needing(metrics, 'classes') !== undefined,
    onRows: (done, total) => on({ kind: 'progress', task: `${source.path} ${index}/${count}`, done, total }),
  });
  return {
    out,
    shard: [index, count],
    n: part.n,
    set: { path: source.path, n: part.setCount, digest: part.digest ?? null },
    extractor: describeNetwork(networkOf(extractor), extractor.width),
    batch_size: batchSize,
    ...work.ending(),
  };
}

async function saveStatistics(
  path: string,
  { statistics, features, network, sourceDigest, resize, ...side }: Side,
  on: (event: WorkEvent) => void,
): Promise<void> {
  await writeStatistics(path, { ...statistics, network, sourceDigest, resize }, features);
  on({ kind: 'note', message: `the statistics of ${side.path} are in ${path}` });
}
