/** Options of `bigbigan knn`, and which of them have no effect. */
import type { Command } from 'commander';
import type { NeighbourMetric } from '../../core/metrics/neighbours/nearness.js';
import { allowGiven, refuseGiven } from '../options/given.js';
import type { EngineOptions, OutputOptions } from '../options/options.js';

export interface KnnOptions extends OutputOptions, EngineOptions {
  train?: string[];
  test?: string[];
  feature: string;
  k: number[];
  metric: NeighbourMetric;
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

/** @throws UserError for options that would have no effect */
export function checkKnnOptions({ merge, sheetOut }: KnnOptions, command: Command): void {
  if (merge) {
    allowGiven(command, MERGING, 'does not go with --merge', 'it only adds up results that are there');
  } else if (!sheetOut) {
    refuseGiven(
      command,
      ['--train-images', '--test-images', '--sheet-rows'],
      'needs --sheet-out',
      'images are for the sheet alone: name the .png to draw',
    );
  }
}
