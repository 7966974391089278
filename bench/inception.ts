/**
 * Images a second through FID's network, from pixels of 32 x 32 to features in memory, beside PyTorch's same network.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeSyntheticWeights } from '../test/core/inception/synthetic.js';
import { type Child, startChild } from './child.js';
import { median, pairedRatio } from './statistics.js';
import type { Torch } from './systems.js';
import { align } from './table.js';

const COUNT = 16;
const SIDE = 32;
const WARM_UP = 2;

const here = fileURLToPath(new URL('.', import.meta.url));

interface Call {
  ms: number;
  cpu_ms: number;
}

export interface ExtractorRate {
  images_per_second: number;
  /** Processor time of all threads. */
  cpu_ms_per_image: number;
  peak_rss_mb: number;
}

export interface ExtractorResult {
  ours: ExtractorRate;
  torch: ExtractorRate | null;
  /** Our time over PyTorch's of the same round, the median. */
  torch_ratio: number | null;
}

/** Calls of 16 images, ours and PyTorch's in turn, for so many rounds. */
export async function extractorRates(
  folder: string,
  rounds: number,
  torch: Torch | undefined,
): Promise<ExtractorResult> {
  const weights = await writeSyntheticWeights(folder);
  const ours = {
    child: startChild('ours', process.execPath, [join(here, 'inception_worker.js')]),
    calls: [] as Call[],
  };
  const theirs = torch && {
    child: startChild('PyTorch', torch.python, [join(here, '..', '..', 'bench', 'inception_twin.py')]),
    calls: [] as Call[],
  };
  const systems = [ours, ...(theirs ? [theirs] : [])];
  try {
    for (const { child } of systems) {
      await child.ask({ do: 'start', weights, count: COUNT, side: SIDE });
      for (let i = 0; i < WARM_UP; i++) await child.ask({ do: 'extract' });
    }
    for (let round = 0; round < rounds; round++) {
      for (const { child, calls } of systems) calls.push(await child.ask<Call>({ do: 'extract' }));
    }
    const times = ({ calls }: { calls: Call[] }) => calls.map(({ ms }) => ms);
    return {
      ours: await rateOf(ours),
      torch: theirs ? await rateOf(theirs) : null,
      torch_ratio: theirs ? pairedRatio(times(ours), times(theirs)) : null,
    };
  } finally {
    for (const { child } of systems) child.close();
  }
}

async function rateOf({ child, calls }: { child: Child; calls: Call[] }): Promise<ExtractorRate> {
  const { rss_mb } = await child.ask<{ rss_mb: number }>({ do: 'memory' });
  return {
    images_per_second: (1000 * COUNT) / median(calls.map(({ ms }) => ms)),
    cpu_ms_per_image: median(calls.map(({ cpu_ms }) => cpu_ms)) / COUNT,
    peak_rss_mb: rss_mb,
  };
}

export function extractorTable({ ours, torch, torch_ratio }: ExtractorResult): string {
  const row = (label: string, { images_per_second, cpu_ms_per_image, peak_rss_mb }: ExtractorRate, ratio: string) => {
    return [label, images_per_second.toFixed(1), cpu_ms_per_image.toFixed(0), peak_rss_mb.toFixed(0), ratio];
  };
  const rows = [
    row('traced float32', ours, torch_ratio?.toFixed(2) ?? ''),
    ...(torch ? [row('PyTorch float32', torch, '')] : []),
  ];
  return align([['Inception of 2015', 'images/s', 'CPU ms/image', 'peak MB', 'time of PyTorch'], ...rows]);
}
