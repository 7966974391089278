/** The words of `bigbigan knn` for its numbers. */
import type { KnnEvent } from '../../core/evaluation/knn/knn.js';
import type { KnnResult, KnnRuns } from '../../core/evaluation/knn/knn-result.js';
import { percent, percentSpread } from '../percent.js';
import type { Report } from '../report.js';

export function knnReport(report: Report) {
  return (event: KnnEvent): void => {
    if (event.kind === 'result') report.result(event.result, describe(event.result));
    else if (event.kind === 'run') {
      report.note(`${event.train} → ${event.test}: ${describe(event.result).replaceAll('\n', ', ')}`);
    } else report.on(event);
  };
}

function describe(result: KnnResult | KnnRuns): string {
  return 'runs' in result ? describeRuns(result as KnnRuns) : describeOne(result as KnnResult);
}

function describeRuns({ top1, top1_std, runs }: KnnRuns): string {
  return Object.keys(top1)
    .map((k) => `k ${k}: top-1 ${percentSpread(top1[k], top1_std[k])} over ${runs.length}`)
    .join('\n');
}

function describeOne({ top1, weighted_top1, weighted_top5 }: KnnResult): string {
  return Object.keys(top1)
    .map((k) => {
      const weighted = weighted_top1
        ? `; weighted top-1 ${percent(weighted_top1[k])}, top-5 ${percent(weighted_top5![k])}`
        : '';
      return `k ${k}: top-1 ${percent(top1[k])}${weighted}`;
    })
    .join('\n');
}
