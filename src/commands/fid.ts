/** `bigbigan fid`: the Fréchet distance between two sets of images in the features of a network. */
import { Command } from 'commander';
import type { SourceKind, SourceStatistics } from '../core/evaluation/statistics-of.js';
import { UserError, expected, usage } from '../core/errors.js';
import type { Extractor } from '../core/metrics/extractor.js';
import { type InceptionOptions, inceptionOptions } from './inception-options.js';
import { engineOptions, examples, outputOptions, positiveInteger, type EngineOptions, type OutputOptions } from './options.js';
import { checkOutputFile } from './output-file.js';
import { createReport, type Report } from './report.js';
import { versions } from './versions.js';

interface FidOptions extends OutputOptions, EngineOptions, InceptionOptions {
  extractor?: string;
  batchSize: number;
  statsOut?: string;
  force?: boolean;
}

/** Below this many rows the 2,048 features of FID's usual network have a singular covariance. */
const USUAL_LEAST = 2049;

export function fidCommand(): Command {
  const command = new Command('fid')
    .summary('Fréchet distance between two sets of images')
    .description(
      'Prints the Fréchet distance between REAL and FAKE: how far the means and covariances of their features are ' +
        'apart. Each of them is a dataset, a folder of images, an .npy of uint8 images, - for an .npy stream of images, ' +
        'an .npy of float features [n, width], or .npz statistics (mu, sigma) of any tool. Images need --extractor. ' +
        'The number is comparable only with others of the same extractor; it is the FID of the literature only on ' +
        'features of the 2015 Inception network. Statistics of different networks are refused.',
    )
    .argument('<real>', 'the reference')
    .argument('<fake>', 'what is compared with it')
    .option(
      '--extractor <network>',
      'inception, the network of FID (needs --inception-weights), ' +
        'encoder:RUN, the AvePool features of a trained encoder (a run folder or a checkpoint), or ' +
        'saved-model:DIR[:OUTPUT][@LOW,HIGH], an output of a TensorFlow SavedModel, pixels scaled to LOW..HIGH ' +
        '(default: -1,1; a uint8 input gets the bytes)',
    )
    .option('--batch-size <n>', 'images in a batch', positiveInteger, 64)
    .option('--stats-out <file>', 'also save the statistics of REAL as .npz, to be given as REAL the next time')
    .option('--force', 'replace an existing --stats-out file')
    .action(fid);
  inceptionOptions(command);
  engineOptions(command);
  outputOptions(command);
  return examples(command, [
    'bigbigan fid dataset samples --inception-weights pt_inception-2015-12-05-6726825d.pth',
    'bigbigan fid dataset samples --extractor encoder:runs/a --stats-out real.npz',
    'bigbigan generate --run runs/a --count 10000 --out - | bigbigan fid real.npz - --extractor encoder:runs/a',
    'bigbigan fid real-features.npy fake-features.npy --json',
  ]);
}

async function fid(real: string, fake: string, options: FidOptions): Promise<void> {
  const started = performance.now();
  const report = createReport(options);
  if (real === '-' && fake === '-') throw usage('only one of REAL and FAKE can be -', 'save one of them to a file first');
  const { statsOut, inceptionWeights: weights, mode, batchSize } = options;
  const network = options.extractor ?? (weights === undefined ? undefined : 'inception');
  if (statsOut) await checkOutputFile(statsOut, options.force);
  const { sourceKind, statisticsOf } = await import('../core/evaluation/statistics-of.js');
  const kinds: [SourceKind, SourceKind] = [await sourceKind(real), await sourceKind(fake)];
  const images = kinds[0] === 'images' ? real : kinds[1] === 'images' ? fake : undefined;
  const { EXTRACTOR_FORMS, openExtractor, parseExtractor } = await import('../core/evaluation/extractors.js');
  if (images && !network) {
    throw usage(`${images} holds images: --extractor must name the network whose features are compared`, `${EXTRACTOR_FORMS}; with --inception-weights it is inception`);
  }
  const choice = network === undefined ? undefined : await parseExtractor(network, { weights, mode });

  const { startEngine } = await import('../core/backend/engine.js');
  const engine = await startEngine(options);
  const extractor = images && choice ? await openExtractor(engine, choice, batchSize) : undefined;
  if (options.extractor && !extractor) report.note('--extractor is not used: there are no images');
  if (extractor?.file) report.note(weightsNote(extractor.file));
  const statistics = async (path: string, kind: SourceKind) => {
    let progress: ReturnType<Report['progress']> | undefined;
    const onRows = (done: number, total: number) => (progress ??= report.progress(path, total)).update(done);
    const result = await statisticsOf(engine, { path, kind, extractor, batchSize, onRows });
    progress?.stop();
    return result;
  };
  const sets: SourceStatistics[] = [];
  // Statistics come first: what they say is known before the long work on images begins.
  for (const i of kinds[1] === 'statistics' ? [1, 0] : [0, 1]) {
    sets[i] = await statistics([real, fake][i], kinds[i]);
    if (extractor && network) checkComparable(originOf(sets[i]), { ...extractor, path: network, extractor: extractor.label });
  }
  const [first, second] = sets;
  const shared = checkComparable(originOf(first), originOf(second), report.warn);
  for (const set of [first, second]) warnOfFew(set, report);

  const { frechetDistance } = await import('../core/metrics/frechet.js');
  const distance = frechetDistance(engine, first, second);
  extractor?.close();
  if (!Number.isFinite(distance)) throw new UserError(`the distance is ${distance}: the features are too large for double precision`);
  if (statsOut) {
    const { writeStatistics } = await import('../core/evaluation/statistics-file.js');
    await writeStatistics(statsOut, first);
  }
  const describe = ({ path, kind, n, sourceDigest }: SourceStatistics) => ({ path, kind, n: n ?? null, digest: sourceDigest ?? null });
  report.result(
    {
      frechet_distance: distance,
      real: describe(first),
      fake: describe(second),
      ...(isInception(shared.label) ? { fid: distance } : {}),
      extractor: { label: shared.label ?? null, digest: shared.digest ?? null, width: first.mean.length, mode: extractor?.mode, file: extractor?.file },
      batch_size: batchSize,
      stats_out: statsOut,
      seconds: (performance.now() - started) / 1000,
      versions: versions(engine),
    },
    `Fréchet distance ${rounded(distance)} (${first.n ?? 'unknown'} real, ${second.n ?? 'unknown'} fake; ${shared.label ?? 'features of unknown origin'})`,
  );
  if (statsOut) report.path(statsOut);
}

/** Only features of the 2015 Inception network give the literature's FID. */
const isInception = (label: string | undefined) => label?.startsWith('inception ') ?? false;

function weightsNote({ path, digest, published }: NonNullable<Extractor['file']>): string {
  return `${path}: SHA-256 ${digest}, ${published ?? 'not that of a published file that this program knows'}`;
}

interface Origin {
  path: string;
  width: number;
  extractor?: string;
  digest?: string;
}

function originOf({ path, mean, extractor, digest }: SourceStatistics): Origin {
  return { path, width: mean.length, extractor, digest };
}

/** Refuses features of different networks; gives the network they share as far as it is known. */
function checkComparable(a: Origin, b: Origin, warn?: (message: string) => void) {
  if (a.width !== b.width) {
    throw expected(`features of width ${a.width} as in ${a.path}`, b.path, `${b.width}`, 'use the same network for both');
  }
  const named = [a, b].filter(({ extractor }) => extractor !== undefined);
  if (named.length === 2 && (a.extractor !== b.extractor || a.digest !== b.digest)) {
    const name = ({ extractor, digest }: Origin) => `${extractor} with weights ${digest?.slice(0, 12)}`;
    throw expected(`features of ${name(a)} as in ${a.path}`, b.path, name(b), 'distances across networks mean nothing');
  }
  if (named.length === 1) {
    const other = named[0] === a ? b : a;
    warn?.(`${other.path} does not say which network its features are of; they must be of ${named[0].extractor}`);
  }
  return { label: named[0]?.extractor, digest: named[0]?.digest };
}

function warnOfFew({ path, n, mean }: SourceStatistics, report: Report): void {
  const least = Math.max(USUAL_LEAST, mean.length + 1);
  if (n !== undefined && n < least) {
    report.warn(`${path} has ${n} rows; below ${least} the distance is biased upwards: compare only with equal counts`);
  }
}

/** Four decimals, without a minus before 0. */
function rounded(value: number): string {
  return (Number(value.toFixed(4)) + 0).toFixed(4);
}
