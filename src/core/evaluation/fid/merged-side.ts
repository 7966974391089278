/** The shards of a set put together in their order, so that every score is that of the whole set read at once. */
import { addSums, noSums, statisticsFrom } from '../../metrics/statistics.js';
import { checkParts, type PartHeader, partRows, readPartHeader, readSums, requireRows } from './part-file.js';
import { checkCount, type OpenSide, type Side } from './side.js';
import { createSpill } from './spill.js';

/** What the scores need of the shards' rows. */
export interface Needed {
  /** --metrics kid or pr. */
  features?: string;
  /** --metrics is. */
  logits?: string;
}

export async function openMerged(paths: readonly string[], needed: Needed): Promise<OpenSide> {
  const headers: PartHeader[] = [];
  for (const path of paths) headers.push(await readPartHeader(path));
  const parts = checkParts(headers);
  for (const part of parts) await requireRows(part, { feats: needed.features, logits: needed.logits });
  const [{ width, network, sourceDigest, resize }] = parts;
  const n = parts.reduce((sum, part) => sum + part.n, 0);
  const path = parts.length === 1 ? paths[0] : `${parts[0].path} and ${parts.length - 1} more`;
  checkCount(n, path);
  const known = { path, kind: 'parts', network, sourceDigest, resize } as const;
  const measure: OpenSide['measure'] = async (
    _engine,
    { features, scorers: opened = [], temporary, signal, onRows },
  ): Promise<Side> => {
    const scorers = opened.map((open) => open(n));
    const spill = features ? await createSpill(temporary, width) : undefined;
    const sums = noSums(width);
    try {
      for (const header of parts) {
        signal?.throwIfAborted();
        addSums(sums, await readSums(header));
        if (spill) for await (const { data } of partRows(header, 'feats')) await spill.add(data);
        if (scorers.length > 0) {
          for await (const { data, count } of partRows(header, 'logits')) {
            for (const scorer of scorers) scorer.add(data, count);
          }
        }
        onRows?.(sums.n, n);
      }
    } catch (error) {
      await spill?.close();
      throw error;
    }
    return {
      ...known,
      statistics: statisticsFrom(sums),
      features: spill?.rows(),
      scored: Object.assign({}, ...scorers.map((scorer) => scorer.result())),
      close: async () => spill?.close(),
    };
  };
  return { ...known, n, width, measure, close: async () => {} };
}
