import { Command, InvalidArgumentError, Option } from 'commander';
import { usage } from '../core/errors.js';
import { checkOutputFile } from '../core/formats/output-file.js';
import type { RunCurves } from '../core/plot/run-curves.js';
import { packageVersion } from '../core/version.js';
import { refuseGiven } from './options/given.js';
import { examples, type OutputOptions, outputOptions } from './options/options.js';
import { createReport, type Report } from './report.js';

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
        .choices(['step', 'epoch', 'hours'])
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
      collect,
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

const collect = (value: string, previous: string[] = []) => [...previous, value];

async function plot(runs: string[], options: PlotOptions, command: Command): Promise<void> {
  const report = createReport(options);
  const ofCurves = ['--keys', '--list-keys', '--x', '--smooth', '--separate', '--label'];
  if (options.filters) refuseGiven(command, ofCurves, 'does not go with --filters', 'it is for learning curves');
  if (options.listKeys) {
    const ofPicture = ofCurves.filter((name) => name !== '--list-keys');
    refuseGiven(
      command,
      ['--out', '--force', ...ofPicture],
      'does not go with --list-keys',
      'which prints keys and draws nothing',
    );
  }
  if (options.filters) return plotFilters(runs, options, report);
  const { readRunCurves } = await import('../core/plot/run-curves.js');
  const { keysOf } = await import('../core/plot/keys.js');
  if (options.listKeys) {
    const keys = keysOf(await Promise.all(runs.map(readRunCurves)));
    report.result({ keys }, keys.join('\n'));
    return;
  }
  const out = await outputFile(options, /\.(svg|png)$/i);
  await plotCurves(await Promise.all(runs.map(readRunCurves)), out, options, report);
}

/** @throws UserError if it is missing, of another kind, or cannot be written */
async function outputFile({ out, force }: PlotOptions, kind: RegExp): Promise<string> {
  const what = kind.test('.svg') ? 'a .svg or .png file' : 'a .png file';
  if (out === undefined) throw usage(`--out is missing: ${what} for the picture`);
  if (!kind.test(out)) throw usage(`expected ${what} for --out, got ${out}`);
  await checkOutputFile(out, force);
  return out;
}

async function plotCurves(runs: RunCurves[], out: string, options: PlotOptions, report: Report): Promise<void> {
  const started = Date.now();
  const { groupRuns } = await import('../core/plot/groups.js');
  const { panelsOf, usualPanels } = await import('../core/plot/keys.js');
  const { plotRuns } = await import('../core/plot/plot-runs.js');
  const groups = groupRuns(runs, options.separate ?? false);
  const labels = options.label ?? [];
  if (labels.length > 0 && labels.length !== groups.length) {
    throw expectedLabels(
      labels.length,
      groups.map(({ label }) => label),
    );
  }
  labels.forEach((label, i) => (groups[i].label = label));
  for (const { label, runs } of groups) {
    const ends = runs.map(lastStep);
    if (Math.min(...ends) < Math.max(...ends))
      report.note(`${label}: the mean ends at step ${Math.min(...ends)}, as one of the runs does`);
  }
  const panels = options.keys === undefined ? usualPanels(runs) : panelsOf(options.keys, runs);
  if (panels.length === 0)
    throw usage('the runs have none of the usual keys: --keys is missing', '--list-keys prints those there are');
  const { svg, last } = plotRuns(groups, { panels, x: options.x, smooth: options.smooth });
  await save(out, /\.png$/i.test(out) ? await png(svg) : svg);
  report.result(
    {
      out,
      x: options.x,
      smooth: options.smooth,
      panels,
      groups: groups.map((group) => ({
        label: group.label,
        runs: group.runs.map(({ path }) => path),
        seeds: group.runs.map(({ seed }) => seed ?? null),
      })),
      last,
      version: packageVersion,
      seconds: (Date.now() - started) / 1000,
    },
    out,
  );
}

function expectedLabels(found: number, groups: string[]) {
  return usage(
    `expected a --label for each of ${groups.length} curves, got ${found}`,
    `the curves, in this order: ${groups.join(', ')}`,
  );
}

function lastStep({ curves }: RunCurves): number {
  return Math.max(...[...curves.values()].map(({ steps }) => steps.at(-1)!));
}

async function png(svg: string): Promise<Buffer> {
  const { renderSvg } = await import('../core/data/codec.js');
  const PIXELS = 2;
  return renderSvg(svg, PIXELS);
}

async function save(out: string, data: string | Buffer): Promise<void> {
  const { writeAtomic } = await import('../core/formats/atomic.js');
  await writeAtomic(out, async (handle) => {
    await handle.writeFile(data);
  });
}

async function plotFilters(runs: string[], options: PlotOptions, report: Report): Promise<void> {
  const started = Date.now();
  const out = await outputFile(options, /\.png$/i);
  if (runs.length > 1) throw usage(`expected one run for --filters, got ${runs.length}`);
  const [path] = runs;
  const { encodePng } = await import('../core/data/codec.js');
  const { filterSheet, firstFilters } = await import('../core/trained/filters.js');
  const { isRun, notARun } = await import('../core/run/not-a-run.js');
  const isCheckpoint = /\.safetensors$/.test(path);
  if (!isCheckpoint && !(await isRun(path))) throw await notARun(path, 'RUN');
  const found = await firstFilters(isCheckpoint ? { checkpoint: path } : { run: path });
  const { data, height, width, channels } = filterSheet(found);
  await save(out, await encodePng(data, height, width, channels));
  report.result(
    {
      out,
      checkpoint: found.checkpoint,
      step: found.step,
      filters: found.filters.length,
      shape: [found.height, found.width, found.channels],
      norms: found.filters.map((filter) => Math.sqrt(filter.reduce((sum, weight) => sum + weight ** 2, 0))),
      version: packageVersion,
      seconds: (Date.now() - started) / 1000,
    },
    out,
  );
}
