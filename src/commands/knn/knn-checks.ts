/** What `bigbigan knn` was asked, and whether it can be answered, before anything long begins. */
import type { Command } from 'commander';
import { usage } from '../../core/errors.js';
import type { FeaturePair } from '../../core/evaluation/features/feature-pair.js';
import { checkOutputFile, checkOutputFolder } from '../../core/formats/output-file.js';
import type { Metric } from '../../core/metrics/neighbours/nearness.js';
import { allowGiven, refuseGiven } from '../options/given.js';
import type { EngineOptions, OutputOptions } from '../options/options.js';

export interface KnnOptions extends OutputOptions, EngineOptions {
  train?: string[];
  test?: string[];
  feature: string;
  k: number[];
  metric: Metric;
  normalise: boolean;
  temperature?: number;
  shard?: [number, number];
  merge?: string[];
  neighboursOut?: string;
  sheetOut?: string;
  trainImages?: string;
  testImages?: string;
  sheetRows: number;
  force?: boolean;
}

const MERGING = ['--merge', '--neighbours-out', '--force', '--json', '--quiet', '--verbose'];

export async function checkMergeOptions({ neighboursOut, force }: KnnOptions, command: Command): Promise<void> {
  allowGiven(command, MERGING, 'does not go with --merge', 'it only adds up results that are there');
  if (neighboursOut) await checkNeighboursOut(neighboursOut, force);
}

/** What can be found wrong before anything is read; gives the pairs of folders. */
export async function checkKnnOptions(options: KnnOptions, command: Command): Promise<Array<[string, string]>> {
  const {
    train,
    test,
    metric,
    normalise,
    temperature,
    shard,
    neighboursOut,
    sheetOut,
    trainImages,
    testImages,
    force,
  } = options;
  if (!train) throw usage('--train is missing: the features that vote');
  if (!test) throw usage('--test is missing: the features to classify');
  if (train.length !== test.length) {
    throw usage(
      `expected as many --test folders as --train folders, ${train.length}, got ${test.length}`,
      'they are compared pair by pair',
    );
  }
  if (metric === 'cosine' && !normalise) {
    throw usage(
      '--no-normalise does not go with --metric cosine',
      'cosine compares directions; choose --metric l2 or l1',
    );
  }
  if (temperature !== undefined && metric !== 'cosine') {
    throw usage(
      `--temperature does not go with --metric ${metric}`,
      'weights are made of cosine similarities: add --metric cosine',
    );
  }
  if (train.length > 1 && (shard || neighboursOut || sheetOut)) {
    throw usage('--shard, --neighbours-out and --sheet-out are for one pair of folders', 'run the pairs one by one');
  }
  if (!sheetOut) {
    refuseGiven(
      command,
      ['--train-images', '--test-images', '--sheet-rows'],
      'needs --sheet-out',
      'images are for the sheet alone: name the .png to draw',
    );
  } else {
    if (!trainImages || !testImages)
      throw usage('--sheet-out needs --train-images and --test-images', 'they are what the features were made of');
    if (!/\.png$/i.test(sheetOut)) throw usage(`expected a .png file for --sheet-out, got ${sheetOut}`);
    await checkOutputFile(sheetOut, force);
  }
  if (neighboursOut) await checkNeighboursOut(neighboursOut, force);
  return train.map((path, i) => [path, test[i]]);
}

async function checkNeighboursOut(dir: string, force?: boolean): Promise<void> {
  const { MARKER } = await import('../../core/evaluation/knn/neighbour-folder.js');
  await checkOutputFolder(dir, { force, marker: MARKER });
}

export function checkNumbers({ train, same }: FeaturePair, { k }: KnnOptions): void {
  const others = train.rows - (same ? 1 : 0);
  const largest = Math.max(...k);
  if (largest <= others) return;
  const fitting = k.filter((number) => number <= others);
  const message = `expected at most ${others} for --k, the ${same ? 'other ' : ''}rows of ${train.path}, got ${largest}`;
  throw usage(message, `choose smaller numbers of neighbours${fitting.length > 0 ? `: --k ${fitting.join()}` : ''}`);
}
