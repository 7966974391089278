import { Command, InvalidArgumentError, Option } from 'commander';
import { usage } from '../core/errors.js';
import { AXES } from '../core/plot/run-curves.js';
import { refuseGiven } from './options/given.js';
import { examples, type OutputOptions, outputOptions, repeated } from './options/options.js';
import { createReport } from './report.js';

interface PlotOptions extends OutputOptions {
  out?: string;
  keys?: string;
  listKeys?: boolean;
  x: 'step' | 'epoch' | 'hours';
  smooth: number;
  separate?: boolean;
  label?: string[];
  filters?: boolean;
  force?: boolean;
}

export function plotCommand(): Command {
  const command = new Command('plot')
    .summary('learning curves of runs, or the first filters of E, as a picture')
    .description(
      "Draw the numbers of runs' log.jsonl and metrics.jsonl over the steps, also of runs that are still training. Runs that " +
        'differ only in their seed become one curve: their mean, with a band of one standard deviation to either side (over ' +
        'n - 1), at the steps that all of them have. Without --keys there are the losses, the scores and the results of evaluations.\n\n' +
        "With --filters, draw the kernels of E's first layer instead (moving average of the weights): convolutions as they are, " +
        'those of a dense E as images. Each filter is scaled by its own largest absolute weight, so that grey is 0.',
    )
    .argument('<run...>', 'folders of runs; with --filters one run, for its newest checkpoint, or a checkpoint file')
    .option('--out <file>', '.svg or .png; filters are .png')
    .option(
      '--keys <list>',
      'what to show: commas part panels, + joins keys in one, * is any text (default: see above)',
    )
    .option('--list-keys', 'print the keys that there are, one a line, and exit')
    .addOption(
      new Option('--x <axis>', 'horizontal axis; hours are those of steps and of waiting for data')
        .choices(AXES)
        .default('step'),
    )
    .option(
      '--smooth <weight>',
      "weight of TensorBoard's smoothing, 0 (none) to below 1; of the log, which stays as faint lines",
      weight,
      0,
    )
    .option('--separate', 'a curve for every run, also of runs that differ only in their seed')
    .option(
      '--label <name>',
      'name of a curve in the legend, repeated in the order of the curves (default: from the folders)',
      repeated,
    )
    .option('--filters', "draw the filters of E's first layer")
    .option('--force', 'overwrite');
  outputOptions(command).action(plot);
  return examples(command, [
    'bigbigan plot runs/digits --out curves.svg',
    "bigbigan plot runs/base-seed* runs/no-unary-seed* --keys 'loss_d+loss_eg,linear_probe.top1' --label Base --label 'No unary' --out curves.png",
    'bigbigan plot runs/digits --keys loss_d --smooth 0.9 --x hours --out loss.svg',
    'bigbigan plot runs/digits --filters --out filters.png',
  ]);
}

function weight(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1))
    throw new InvalidArgumentError('expected a number from 0 to below 1.');
  return value;
}

async function plot(runs: string[], options: PlotOptions, command: Command): Promise<void> {
  using report = createReport(options);
  checkPlotOptions(options, command);
  const { plot, plotFilters, plotKeys } = await import('../core/plot/plot.js');
  if (options.listKeys) {
    const result = await plotKeys(runs);
    return report.result(result, result.keys.join('\n'));
  }
  const { out, filters, force } = options;
  if (out === undefined) throw usage(`--out is missing: a ${filters ? '' : '.svg or '}.png file for the picture`);
  if (filters && runs.length > 1) throw usage(`expected one run for --filters, got ${runs.length}`);
  const result = filters
    ? await plotFilters({ run: runs[0], out, force })
    : await plot({ ...options, runs, out, labels: options.label }, { on: report.on });
  report.result(result, out);
}

/** @throws UserError for options that would have no effect */
function checkPlotOptions({ filters, listKeys }: PlotOptions, command: Command): void {
  const ofCurves = ['--keys', '--list-keys', '--x', '--smooth', '--separate', '--label'];
  if (filters) refuseGiven(command, ofCurves, 'does not go with --filters', 'it is for learning curves');
  if (!listKeys) return;
  const ofPicture = ['--out', '--force', ...ofCurves.filter((name) => name !== '--list-keys')];
  refuseGiven(command, ofPicture, 'does not go with --list-keys', 'which prints keys and draws nothing');
}
