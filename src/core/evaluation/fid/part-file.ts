/**
 * Sums over a shard of a set as .npz: `n`, `mu` [width] and `scatter` [width, width], the sum of the products of what
 * the mean leaves, in float64; `shard`, its number from 1 and how many there are; where wanted `feats` [n, width] and
 * `logits` [n, classes] in float32. There is no `sigma`: no tool takes a shard for the whole by mistake.
 */
import { expected, UserError } from '../../errors.js';
import { type NpzArrays, readNpz, writeNpz } from '../../formats/zip/npz.js';
import { npzNames, openNpzStream } from '../../formats/zip/npz-stream.js';
import type { Rows } from '../../metrics/rows.js';
import type { PartialSums } from '../../metrics/statistics.js';
import {
  npzRows,
  numbers,
  ORIGIN_ARRAYS,
  type Origin,
  originArrays,
  originOf,
  squareMatrix,
} from './statistics-file.js';

export interface PartHeader extends Origin {
  path: string;
  n: number;
  width: number;
  /** From 1. */
  shard: number;
  shards: number;
}

export interface NewPart extends Origin {
  sums: PartialSums;
  shard: number;
  shards: number;
  feats?: Rows;
  logits?: Rows;
}

/** Atomic; replaces an existing file. */
export async function writePart(path: string, part: NewPart): Promise<void> {
  const { sums, shard, shards, feats, logits } = part;
  const { n, mean, scatter } = sums;
  const width = mean.length;
  const arrays: NpzArrays = {
    mu: { shape: [width], data: mean },
    scatter: { shape: [width, width], data: scatter },
    n: { shape: [], data: BigInt64Array.of(BigInt(n)) },
    shard: { shape: [2], data: BigInt64Array.of(BigInt(shard), BigInt(shards)) },
  };
  if (feats) arrays.feats = npzRows(feats);
  if (logits) arrays.logits = npzRows(logits);
  await writeNpz(path, { ...arrays, ...originArrays(part) });
}

/** What a part is of, without its sums. */
export async function readPartHeader(path: string): Promise<PartHeader> {
  const { n, mu, shard, ...texts } = await readNpz(path, ['n', 'mu', 'shard', ...ORIGIN_ARRAYS]);
  if (!n || !mu || shard?.data.length !== 2) {
    throw expected(
      'a part that fid --shard has written',
      path,
      'an .npz without n, mu or shard',
      'statistics of whole sets cannot be merged',
    );
  }
  const [own, all] = Array.from(shard.data, Number);
  return { path, n: Number(n.data[0]), width: mu.data.length, shard: own, shards: all, ...originOf(texts) };
}

export async function readSums({ path, n, width }: PartHeader): Promise<PartialSums> {
  const { mu, scatter } = await readNpz(path, ['mu', 'scatter']);
  if (!scatter) throw expected('the array scatter', path, 'none', 'statistics of whole sets cannot be merged');
  return { n, mean: numbers(mu, 'mu', path), scatter: squareMatrix(scatter, 'scatter', width, path) };
}

/** Throws where a part has no rows of a kind that some metric needs. */
export async function requireRows(
  { path, n }: PartHeader,
  metrics: { feats?: string; logits?: string },
): Promise<void> {
  const there = await npzNames(path);
  for (const [name, metric] of Object.entries(metrics)) {
    if (n === 0 || metric === undefined || there.includes(name)) continue;
    throw new UserError(`${path} holds no ${name}, which --metrics ${metric} needs`, {
      hint: `make the parts with --metrics ${metric}`,
    });
  }
}

/** The rows of a part's `feats` or `logits`, in pieces. */
export async function* partRows(
  { path, n }: PartHeader,
  name: 'feats' | 'logits',
): AsyncGenerator<{ data: Float32Array; count: number }> {
  if (n === 0) return;
  const stream = await openNpzStream(path, name);
  try {
    const { dtype, shape } = stream.header;
    if (dtype !== 'float32' || shape.length !== 2 || shape[0] !== n) {
      throw expected(`float32 [${n}, …]`, `${name} of ${path}`, `${dtype} [${shape}]`, 'the file is damaged');
    }
    for await (const data of stream.rows(Math.max(1, Math.floor(2 ** 22 / shape[1])))) {
      yield { data: data as Float32Array, count: data.length / shape[1] };
    }
  } finally {
    stream.close();
  }
}

/** Throws unless they are all the shards of one set in one network; gives them in their order. */
export function checkParts<P extends PartHeader>(parts: readonly P[]): P[] {
  const [first] = parts;
  const same = (what: string, of: (part: P) => string | number | undefined) => {
    const other = parts.find((part) => of(part) !== of(first));
    if (other)
      throw expected(
        `${what} ${of(first)} as in ${first.path}`,
        other.path,
        `${of(other)}`,
        'merge the shards of one set',
      );
  };
  same('the number of shards', ({ shards }) => shards);
  same('the network', ({ network }) => network && `${network.label} with weights ${network.digest}`);
  same('the width', ({ width }) => width);
  same('the set with SHA-256', ({ sourceDigest }) => sourceDigest);
  const sorted = [...parts].sort((a, b) => a.shard - b.shard);
  const double = sorted.findIndex(({ shard }, i) => i > 0 && shard === sorted[i - 1].shard);
  if (double >= 0) {
    const { path, shard, shards } = sorted[double];
    throw new UserError(`${sorted[double - 1].path} and ${path} are the same shard, ${shard} of ${shards}`, {
      hint: 'name each once',
    });
  }
  const there = new Set(parts.map(({ shard }) => shard));
  const missing = Array.from({ length: first.shards }, (_, i) => i + 1).filter((shard) => !there.has(shard));
  if (missing.length > 0) {
    const hint = `make them with --shard ${missing[0]}/${first.shards} and so on`;
    throw expected(`all ${first.shards} shards`, '--merge', `all but ${missing.join(', ')}`, hint);
  }
  return sorted;
}
