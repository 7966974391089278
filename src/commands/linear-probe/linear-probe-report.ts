/** The words of `bigbigan linear-probe` for its numbers. */
import type {
  LinearProbeEvent,
  LinearProbeResult,
  ProbeRun,
  ProbeRuns,
} from '../../core/evaluation/probe/linear-probe.js';
import { percent, percentSpread } from '../percent.js';
import type { Report } from '../report.js';

export function probeReport(report: Report) {
  return (event: LinearProbeEvent): void => {
    if (event.kind === 'result') report.result(event.result, describe(event.result));
    else if (event.kind === 'run') {
      const { index, count, question, result } = event;
      const which = `run ${index} of ${count}: ${question.train} → ${question.test}, seed ${question.seed}`;
      report.note(result ? `${which}: ${describe(result)}` : which);
    } else report.on(event);
  };
}

function describe(result: LinearProbeResult): string {
  return 'runs' in result ? describeRuns(result as ProbeRuns) : describeRun(result as ProbeRun);
}

function describeRuns({ top1, top1_std, top5, top5_std, runs }: ProbeRuns): string {
  return `top-1 ${percentSpread(top1, top1_std)}, top-5 ${percentSpread(top5, top5_std)} over ${runs.length} runs`;
}

function describeRun({ top1, top5, best, test }: ProbeRun): string {
  const rate = best?.learning_rate === undefined ? '' : `learning rate ${best.learning_rate}, `;
  const how = best ? ` (${rate}penalty ${best.penalty})` : '';
  return `top-1 ${percent(top1)}, top-5 ${percent(top5)} of ${test.rows} rows${how}`;
}
