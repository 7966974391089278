/**
 * `npm run bench -- probes`: exact neighbours against faiss's IndexFlat, and the time until L-BFGS reaches the
 * objective at which scikit-learn stops, in turn on this machine with two threads each. Features are made up: classes
 * around centres.
 */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startEngine } from '../src/core/backend/engine.js';
import { type Features, openFeatures } from '../src/core/data/features.js';
import { readNpy } from '../src/core/formats/npy/npy.js';
import { findNeighbours } from '../src/core/metrics/neighbours/neighbours.js';
import { lbfgsProbe } from '../src/core/metrics/probe/lbfgs-probe.js';
import { rowsOf } from '../src/core/metrics/rows.js';
import { median, pairedRatio } from './statistics.js';
import { align } from './table.js';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const maker = join(root, 'scripts', 'make-features.mjs');
const reference = join(root, 'bench', 'probes_reference.py');
const execute = promisify(execFile);

const THREADS = 2;
const K = 50;
/** Rows of the base that are searched before the clock starts. */
const WARM_UP = 4096;
const KNN = { base: 50_000, queries: 2_000, widths: [256, 2048] };
const PROBE = { rows: 20_000, width: 512, classes: 50, penalty: 1e-3 };

export interface ProbeRates {
  knn: Array<{
    base: number;
    queries: number;
    width: number;
    queries_per_second: number;
    faiss_queries_per_second: number | null;
    /** Theirs over ours in time, the median of the rounds. */
    times_faster: number | null;
    /** Of the first 50 neighbours: the two may name ties and near-ties in another order. */
    same_neighbours: number | null;
  }>;
  probe: {
    rows: number;
    width: number;
    classes: number;
    penalty: number;
    seconds: number;
    objective: number;
    sklearn_seconds: number | null;
    sklearn_objective: number | null;
    times_faster: number | null;
  };
}

/** `python` is one that has faiss and scikit-learn, or undefined: ours alone is timed then. */
export async function probeRates(
  folder: string,
  rounds: number,
  python: string | undefined,
  small: boolean,
): Promise<ProbeRates> {
  const shrink = small ? 100 : 1;
  const knn: ProbeRates['knn'] = [];
  for (const width of KNN.widths) {
    const sizes = { base: KNN.base / shrink, queries: KNN.queries / shrink, width };
    knn.push({ ...sizes, ...(await compareKnn(join(folder, `knn-${width}`), sizes, rounds, python)) });
  }
  const sizes = {
    ...PROBE,
    rows: PROBE.rows / shrink,
    width: small ? 48 : PROBE.width,
    classes: small ? 5 : PROBE.classes,
  };
  return { knn, probe: { ...sizes, ...(await compareProbe(join(folder, 'probe'), sizes, rounds, python)) } };
}

/** The Python when it has what is compared with. */
export async function findProbesPython(python: string | undefined): Promise<string | undefined> {
  if (!python) return undefined;
  return execute(python, ['-c', 'import faiss, sklearn, threadpoolctl']).then(
    () => python,
    () => undefined,
  );
}

async function compareKnn(
  dir: string,
  { base, queries, width }: { base: number; queries: number; width: number },
  rounds: number,
  python?: string,
) {
  await make(join(dir, 'base'), base, width, 100, 0);
  await make(join(dir, 'queries'), queries, width, 100, 1);
  const [train, test] = [
    await openFeatures(join(dir, 'base'), 'avepool'),
    await openFeatures(join(dir, 'queries'), 'avepool'),
  ];
  const [ours, theirs]: [number[], number[]] = [[], []];
  let same: number | null = null;
  for (let round = 0; round < rounds; round++) {
    const { seconds, rows } = await ourNeighbours(train, test);
    ours.push(seconds);
    if (!python) continue;
    const out = join(dir, 'faiss.npy');
    const files = [join(dir, 'base/avepool.npy'), join(dir, 'queries/avepool.npy')];
    theirs.push((await ask(python, ['knn', ...files, out, String(K), String(THREADS)])).seconds);
    const { data } = await readNpy(out);
    same = rows.reduce((count, row, i) => count + (row === data[i] ? 1 : 0), 0) / rows.length;
  }
  await Promise.all([train.close(), test.close()]);
  return {
    queries_per_second: queries / median(ours),
    faiss_queries_per_second: theirs.length > 0 ? queries / median(theirs) : null,
    times_faster: theirs.length > 0 ? 1 / pairedRatio(ours, theirs) : null,
    same_neighbours: same,
  };
}

/** As for faiss, both sets are in memory when the clock starts; the first operations of all warm the engine up. */
async function ourNeighbours(train: Features, test: Features) {
  const engine = await startEngine({ threads: THREADS });
  const { width } = train;
  const [base, queries] = [await train.read(0, train.rows), await test.read(0, test.rows)];
  const find = (count: number) => {
    const settings = { queries, width, k: Math.min(K, count), metric: 'l2', normalise: true } as const;
    return findNeighbours(engine, rowsOf(base.subarray(0, count * width), width), settings);
  };
  await find(Math.min(WARM_UP, train.rows));
  const begun = performance.now();
  const { rows } = await find(train.rows);
  return { seconds: (performance.now() - begun) / 1000, rows };
}

async function compareProbe(
  dir: string,
  { rows, width, classes, penalty }: typeof PROBE,
  rounds: number,
  python?: string,
) {
  await make(dir, rows, width, classes, 0);
  const [ours, theirs]: [number[], number[]] = [[], []];
  let reached = Infinity;
  let wanted: number | null = null;
  for (let round = 0; round < rounds; round++) {
    if (python) {
      const answer = await ask(python, [
        'probe',
        join(dir, 'avepool.npy'),
        join(dir, 'labels.npy'),
        String(penalty),
        String(THREADS),
      ]);
      theirs.push(answer.seconds);
      wanted = answer.objective!;
    }
    const { seconds, objective } = await ourProbe(dir, penalty, wanted ?? -Infinity);
    ours.push(seconds);
    reached = objective;
  }
  return {
    seconds: median(ours),
    objective: reached,
    sklearn_seconds: theirs.length > 0 ? median(theirs) : null,
    sklearn_objective: wanted,
    times_faster: theirs.length > 0 ? 1 / pairedRatio(ours, theirs) : null,
  };
}

/** Until the objective is as low as wanted, else to the end. */
async function ourProbe(dir: string, penalty: number, wanted: number) {
  const engine = await startEngine({ threads: THREADS });
  const features = await openFeatures(dir, 'avepool');
  const train = { ...features, labels: features.labels! };
  const test = { ...train, rows: 1, labels: train.labels.slice(0, 1) };
  const begun = performance.now();
  let found: { seconds: number; objective: number } | undefined;
  const { final } = await lbfgsProbe(engine, {
    ...{ train, test, penalties: [penalty], holdout: 0, seed: 0, iterations: 1000, tolerance: 1e-5 },
    onIteration(_, objective) {
      if (objective <= wanted) found ??= { seconds: (performance.now() - begun) / 1000, objective };
    },
  });
  await features.close();
  return found ?? { seconds: (performance.now() - begun) / 1000, objective: final.objective };
}

async function make(dir: string, rows: number, width: number, classes: number, seed: number): Promise<void> {
  const sizes = Object.entries({ rows, width, classes, seed }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  await execute(process.execPath, [maker, dir, ...sizes]);
}

async function ask(python: string, args: string[]): Promise<{ seconds: number; objective?: number }> {
  const { stdout } = await execute(python, [reference, ...args]);
  return JSON.parse(stdout) as { seconds: number };
}

export function probesTable({ knn, probe }: ProbeRates): string {
  const number = (value: number | null, digits: number) => (value === null ? '' : value.toFixed(digits));
  const rows = knn.map((row) => [
    `${row.queries} of ${row.base} x ${row.width}`,
    number(row.queries_per_second, 0),
    number(row.faiss_queries_per_second, 0),
    number(row.times_faster, 2),
    number(row.same_neighbours, 5),
  ]);
  const head = ['exact neighbours', 'ours 1/s', 'faiss 1/s', 'times faster', 'same'];
  const logistic = [
    ['logistic regression', 'ours s', 'scikit-learn s', 'times faster', 'objective', 'theirs'],
    [
      `${probe.rows} x ${probe.width}, ${probe.classes} classes`,
      number(probe.seconds, 2),
      number(probe.sklearn_seconds, 2),
      number(probe.times_faster, 2),
      number(probe.objective, 6),
      number(probe.sklearn_objective, 6),
    ],
  ];
  return `${align([head, ...rows])}\n\n${align(logistic)}`;
}
