/** `bigbigan fid`: how far two sets of images are apart in the features of a network. */
import { tmpdir } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Engine } from '../../core/backend/engine.js';
import { usage } from '../../core/errors.js';
import { METRICS, type Metric } from '../../core/evaluation/fid/metric-names.js';
import type { OpenSide, Side } from '../../core/evaluation/fid/side.js';
import type { Source } from '../../core/evaluation/fid/source.js';
import type { Extractor } from '../../core/metrics/extractor.js';
import { versions } from '../../core/version.js';
import { inceptionOptions } from '../options/inception-options.js';
import { engineOptions, examples, outputOptions, positiveInteger, shard, wholeNumber } from '../options/options.js';
import { createReport, type Report } from '../report.js';
import {
  checkClassScores,
  checkCounts,
  checkEffects,
  checkKinds,
  checkMode,
  checkUsage,
  type FidOptions,
  isRowMetric,
} from './fid-checks.js';
import {
  describe,
  describeNetwork,
  networkText,
  protocol,
  scoreLines,
  scoreText,
  warnOfFew,
  warnOfPair,
} from './fid-report.js';

const SCORES = `
Scores, by their keys in --json:
  frechet_distance   any number of rows, covariances divided by n - 1, in double
                     precision; called fid too in the features of inception;
                     _raw is the same before it is cut off at 0
  inception_score    and _std, over --splits parts in the order of the set: low
                     where images are sorted by class; logits without the bias
                     of the last layer, as its authors had them
  kid, kid_std       unbiased squared MMD with the kernel (x.y / width + 1)^3
                     over random subsets of both sets; may be below 0
  precision, recall  improved precision and recall, by all distances, in the same
                     features; its authors and torch-fidelity take those of VGG16

The paper's Table 3 has FID against the training and the validation images:
save statistics of both with --stats-out, of central squares of G's resolution,
and compare the same 50,000 samples with each.

A part of a set keeps rows only where --metrics has kid, pr or is; merged, all
scores are those of the set in one piece.`;

export function fidCommand(): Command {
  const command = new Command('fid')
    .summary('FID and its kin: how far two sets of images are apart')
    .description(
      'Prints the Fréchet distance between REAL and FAKE: how far the means and covariances of their features are ' +
        'apart; with --metrics also the Inception Score of FAKE, the kernel distance (KID), and precision and recall. ' +
        'Each of the two is a dataset, a folder or zip of images (subfolders too), an .npy of uint8 images, - for an .npy stream, a ' +
        'features folder of encode, an .npy of float features [n, width], or an .npz: statistics (mu, sigma) of any tool, features ' +
        '(feats), or images (arr_0). Images need --extractor. Numbers are comparable only with others of the same network; they are the ' +
        "literature's FID, and called so, only in the features of the 2015 Inception network. Statistics of different " +
        'networks, weights or resize modes are refused.',
    )
    .argument('[real]', 'the reference; with --shard or --stats-out alone, the only set')
    .argument('[fake]', 'what is compared with it')
    .option(
      '--extractor <network>',
      'inception, the network of 2015 that FID is defined with (see bigbigan inception); encoder:RUN, the AvePool ' +
        'features of a trained encoder (a run folder or a checkpoint) in float32, as encode --precision float32 writes them; nsfwjs:DIR, the InceptionV3 of the npm package ' +
        'nsfwjs in DIR, trained on other pictures; or ' +
        'saved-model:DIR[:OUTPUT][@LOW,HIGH], an output of a TensorFlow SavedModel (SIGNATURE/OUTPUT where it is not of ' +
        'serving_default), pixels scaled to LOW..HIGH (default: -1,1; a uint8 input gets the bytes)',
    )
    .option('--feature <name>', 'which .npy of a features folder is compared (default: avepool)')
    .addOption(
      new Option(
        '--metrics <names>',
        'fid, is (Inception Score of FAKE, which needs class scores), kid, pr (precision and recall), separated by commas; ' +
          'the Fréchet distance is always there',
      )
        .argParser(metricNames)
        .default(['fid'], 'fid'),
    )
    .option(
      '--splits <n>',
      'parts of FAKE, in its order, over which the Inception Score is averaged',
      positiveInteger,
      10,
    )
    .option('--kid-subsets <n>', 'random subsets that KID compares', positiveInteger, 100)
    .option('--kid-subset-size <n>', 'rows of each', positiveInteger, 1000)
    .option('--pr-neighbours <k>', 'neighbours that span the manifolds of precision and recall', positiveInteger, 3)
    .option('--seed <n>', 'decides the subsets of KID', wholeNumber, 0)
    .option('--batch-size <n>', 'images in a batch; scores do not depend on it', positiveInteger, 64)
    .option(
      '--stats-out <file>',
      'also save the statistics of REAL (or of the only set) as .npz, to be given as REAL the next time',
    )
    .option('--shard <i/n>', 'with one set and --out: only the i-th of n parts of its images, for --merge', shard)
    .option('--out <file>', 'the .npz of a shard: exact sums, and the rows where --metrics has kid, pr or is')
    .option('--merge <parts...>', 'all shards of FAKE, put together to what the whole set would give')
    .option('--force', 'replace an existing --stats-out or --out file')
    .action(fid);
  inceptionOptions(command);
  engineOptions(command);
  outputOptions(command).addHelpText('after', SCORES);
  return examples(command, [
    'bigbigan fid train --inception-weights inception.safetensors --stats-out train.npz',
    'bigbigan generate --run runs/a --count 50000 --out - | bigbigan fid train.npz - --inception-weights inception.safetensors',
    'bigbigan fid validation samples --extractor encoder:runs/a --metrics fid,kid,pr --json',
    'bigbigan fid features/test features/fake',
    'bigbigan fid samples --extractor encoder:runs/a --shard 1/4 --out part1.npz     # 2/4, 3/4, 4/4 elsewhere',
    'bigbigan fid real.npz --merge part1.npz part2.npz part3.npz part4.npz',
  ]);
}

const isMetric = (name: string): name is Metric => (METRICS as readonly string[]).includes(name);

function metricNames(text: string): Metric[] {
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !isMetric(name));
  if (wrong !== undefined) throw new InvalidArgumentError(`expected some of ${METRICS.join(', ')}, got ${wrong}.`);
  return names.filter(isMetric);
}

async function fid(
  real: string | undefined,
  fake: string | undefined,
  options: FidOptions,
  command: Command,
): Promise<void> {
  const paths = [real, fake].filter((path) => path !== undefined);
  checkEffects(command, options);
  await checkUsage(paths, options);
  const { metrics, batchSize, inceptionWeights, mode, feature } = options;
  const network = options.extractor ?? (inceptionWeights === undefined ? undefined : 'inception');
  const started = performance.now();
  const report = createReport(options);
  const { openSource } = await import('../../core/evaluation/fid/source.js');
  const rowMetric = metrics.find(isRowMetric);
  const scored = options.merge ? -1 : paths.length - 1;
  const sources: Source[] = [];
  for (const [i, path] of paths.entries()) {
    const rows = rowMetric !== undefined || (i === scored && metrics.includes('is'));
    sources.push(await openSource(path, { rows, feature, stdin: process.stdin }));
  }
  checkKinds(sources, paths, options);
  const { EXTRACTOR_FORMS, openExtractor, parseExtractor } = await import(
    '../../core/evaluation/fid/extractors/extractors.js'
  );
  const images = sources.find(({ kind }) => kind === 'images');
  if (images && !network) {
    throw usage(
      `${images.path} holds images: --extractor must name the network whose features are compared`,
      EXTRACTOR_FORMS,
    );
  }
  const choice =
    images && network !== undefined ? await parseExtractor(network, { weights: inceptionWeights, mode }) : undefined;
  if (choice) checkClassScores(choice, options);
  const merged = options.merge && (await openMerge(options.merge, rowMetric, metrics));
  const counted = sources.map((source) => ({ path: source.path, n: 'count' in source ? source.count : undefined }));
  if (!options.shard) await checkCounts(merged ? [...counted, merged] : counted, options);

  const { startEngine } = await import('../../core/backend/engine.js');
  const engine = await startEngine(options);
  const extractor = choice && (await openExtractor(engine, choice, batchSize));
  if (options.extractor && !extractor) report.note('--extractor is not used: there are no images');
  const weights = extractor?.file;
  if (weights)
    report.note(
      `${weights.path}: SHA-256 ${weights.digest}, ${weights.published ?? 'not that of a published file that this program knows'}`,
    );
  const finish = (result: object, text: string, file?: string) => {
    report.result(
      { ...result, weights, seconds: (performance.now() - started) / 1000, versions: versions(engine) },
      text,
    );
    if (file) report.path(file);
  };
  const sides: OpenSide[] = merged ? [merged] : [];
  try {
    const run = { engine, extractor, report, options, finish };
    if (options.shard) return await measureShard(run, sources[0]);
    const { openSide } = await import('../../core/evaluation/fid/side.js');
    for (const [i, source] of sources.entries()) sides.splice(i, 0, await openSide(source, extractor));
    if (!images) checkMode(sides, options);
    await (sides.length === 1 ? measureOne(run, sides[0]) : compareTwo(run, sides));
  } finally {
    for (const side of sides) await side.close();
    extractor?.close();
  }
}

async function openMerge(parts: string[], features: Metric | undefined, metrics: Metric[]): Promise<OpenSide> {
  const { openMerged } = await import('../../core/evaluation/fid/merged-side.js');
  return openMerged(parts, { features, logits: metrics.find((name) => name === 'is') });
}

interface Run {
  engine: Engine;
  extractor?: Extractor;
  report: Report;
  options: FidOptions;
  finish(result: object, text: string, file?: string): void;
}

async function measured(
  { engine, report, options }: Run,
  side: OpenSide,
  { rows, score }: { rows: boolean; score: boolean },
): Promise<Side> {
  const { metrics, splits, batchSize } = options;
  let progress: ReturnType<Report['progress']> | undefined;
  const result = await side.measure(engine, {
    features: rows && metrics.some(isRowMetric),
    splits: score && metrics.includes('is') ? splits : undefined,
    temporary: tmpdir(),
    batchSize,
    onRows: (done, total) => (progress ??= report.progress(side.path, total)).update(done),
  });
  progress?.stop();
  if (result.lossy)
    report.warn(
      `${result.path} has images such as ${result.lossy}: lossy compression moves the scores; compare only with sets stored alike`,
    );
  return result;
}

async function compareTwo(run: Run, sides: OpenSide[]): Promise<void> {
  const { engine, report, options } = run;
  const { metrics, statsOut } = options;
  const { checkComparable, scores } = await import('../../core/evaluation/fid/compare.js');
  const network = checkComparable(sides[0], sides[1], report.warn);
  for (const side of sides) warnOfFew(side, report);
  warnOfPair(sides, report);
  const done: Side[] = [];
  try {
    for (const [i, side] of sides.entries()) {
      done.push(await measured(run, side, { rows: true, score: i === 1 }));
      // At once, so that they are there if the other side fails.
      if (i === 0 && statsOut) await saveStatistics(statsOut, done[0], report);
    }
    const [first, second] = done;
    let bar: { label: string; progress: ReturnType<Report['progress']> } | undefined;
    const result = await scores(engine, first, second, network, {
      metrics,
      kid: { subsets: options.kidSubsets, subsetSize: options.kidSubsetSize, seed: options.seed },
      neighbours: options.prNeighbours,
      onProgress(label, done, total) {
        if (bar?.label !== label) {
          bar?.progress.stop();
          bar = { label, progress: report.progress(label, total) };
        }
        bar.progress.update(done);
      },
    });
    bar?.progress.stop();
    const provenance = {
      real: describe(first),
      fake: describe(second),
      extractor: describeNetwork(network, first.statistics.mean.length),
      protocol: protocol(options),
      batch_size: options.batchSize,
      stats_out: statsOut,
    };
    run.finish({ ...result, ...provenance }, scoreText(result, first, second, network), statsOut);
  } finally {
    for (const side of done) await side.close();
  }
}

/** One set alone: its statistics, and its Inception Score. */
async function measureOne(run: Run, open: OpenSide): Promise<void> {
  const { options, report } = run;
  const { scoreKeys } = await import('../../core/evaluation/fid/compare.js');
  if (options.statsOut) warnOfFew(open, report);
  const side = await measured(run, open, { rows: options.statsOut !== undefined, score: true });
  try {
    if (options.statsOut) await saveStatistics(options.statsOut, side, report);
    const result = scoreKeys(side);
    const { n, mean } = side.statistics;
    const text = [
      ...scoreLines(result),
      `${n ?? 'unknown'} rows of ${mean.length} features (${networkText(side.network)})`,
    ].join('\n');
    const extractor = describeNetwork(side.network, mean.length);
    const provenance = {
      set: describe(side),
      extractor,
      protocol: protocol(options),
      batch_size: options.batchSize,
      stats_out: options.statsOut,
    };
    run.finish({ ...result, ...provenance }, text, options.statsOut);
  } finally {
    await side.close();
  }
}

async function measureShard(run: Run, source: Source): Promise<void> {
  const { engine, report, options } = run;
  const [index, count] = options.shard!;
  const extractor = run.extractor!;
  const { writeShard } = await import('../../core/evaluation/fid/shard.js');
  let progress: ReturnType<Report['progress']> | undefined;
  const part = await writeShard(engine, source, extractor, options.out!, {
    shard: index,
    shards: count,
    batchSize: options.batchSize,
    temporary: tmpdir(),
    features: options.metrics.some(isRowMetric),
    logits: options.metrics.includes('is'),
    onRows: (done, total) => (progress ??= report.progress(`${source.path} ${index}/${count}`, total)).update(done),
  });
  progress?.stop();
  const { networkOf } = await import('../../core/evaluation/fid/measure.js');
  const result = {
    out: options.out,
    shard: [index, count],
    n: part.n,
    set: { path: source.path, n: part.setCount, digest: part.digest ?? null },
    extractor: describeNetwork(networkOf(extractor), extractor.width),
    batch_size: options.batchSize,
  };
  run.finish(result, options.out!);
}

async function saveStatistics(path: string, { statistics, features, ...side }: Side, report: Report): Promise<void> {
  const { writeStatistics } = await import('../../core/evaluation/fid/statistics-file.js');
  const { network, sourceDigest, resize } = side;
  await writeStatistics(path, { ...statistics, network, sourceDigest, resize }, features);
  report.note(`the statistics of ${side.path} are in ${path}`);
}
