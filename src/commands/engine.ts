/** `bigbigan engine`: what TensorFlow is in place, and the step that puts it there. */
import { Command, Option } from 'commander';
import type { EngineStatus } from '../core/backend/install/status.js';
import { ExitCode } from './exit-code.js';
import { examples, type OutputOptions, outputOptions } from './options/options.js';
import { createReport } from './report.js';

interface InstallOptions extends OutputOptions {
  from?: string;
  device?: 'cpu' | 'gpu';
  force?: boolean;
}

export function engineCommand(): Command {
  const command = new Command('engine')
    .summary('show the engine (TensorFlow) in place, or install it')
    .description(
      'Shows which TensorFlow the commands run on: its version, where its libraries come from, the device and the ' +
        "processor's features that its kernels use. TensorFlow is not loaded for that. Exits with 1 when there is none.",
    )
    .action(show)
    .addCommand(installCommand());
  outputOptions(command);
  return examples(command, [
    'bigbigan engine',
    'bigbigan engine install',
    'bigbigan engine --json | jq -r .tensorflow',
  ]);
}

function installCommand(): Command {
  const command = new Command('install')
    .summary('put TensorFlow in place; does nothing when it is')
    .description(
      'Takes the libraries of TensorFlow 2.21 into the cache folder ($BIGBIGAN_CACHE, else $XDG_CACHE_HOME/bigbigan, ' +
        'else ~/.cache/bigbigan) and builds the binding to Node. Tried in this order: --from, the TensorFlow of the ' +
        "local Python, pip's download of its wheel (274 MB), the C library's tarball. Needs make, g++ and python3.\n" +
        'A second clone on the same machine downloads and builds nothing. With an NVIDIA GPU it takes the wheel with ' +
        'CUDA libraries; that has not been tried on a real GPU yet.',
    )
    .addOption(
      new Option(
        '--from <path>',
        'wheel (.whl), C tarball (.tar.gz), folder with lib and include, or installed Python package folder to take ' +
          'TensorFlow from; nothing else is tried (default: see above)',
      ).env('BIGBIGAN_TENSORFLOW'),
    )
    .addOption(
      new Option('--device <kind>', 'libraries to take (default: gpu when an NVIDIA driver answers, else cpu)').choices(
        ['cpu', 'gpu'],
      ),
    )
    .option('--force', 'take and build everything anew')
    .action(install);
  outputOptions(command);
  return examples(command, [
    'bigbigan engine install',
    'bigbigan engine install --from tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl',
    'bigbigan engine install --device cpu --force',
  ]);
}

async function show(_: unknown, command: Command): Promise<void> {
  const { engineStatus } = await import('../core/backend/install/status.js');
  const { processorFeatures } = await import('../core/backend/install/device.js');
  using report = createReport(command.opts<OutputOptions>());
  const status = engineStatus();
  const features = processorFeatures();
  report.result({ ...status, features }, describe(status, features).join('\n'));
  if (!status.ready) {
    report.note('run "bigbigan engine install"');
    throw new ExitCode(1);
  }
}

async function install(_: unknown, command: Command): Promise<void> {
  const options = command.optsWithGlobals<InstallOptions>();
  const { installEngine } = await import('../core/backend/install/install.js');
  const { processorFeatures } = await import('../core/backend/install/device.js');
  using report = createReport(options);
  const installed = await installEngine({ ...options, show: !options.quiet }, { on: report.on });
  if (!installed.changed) report.note('the engine is in place; nothing to do');
  const features = processorFeatures();
  report.result({ ...installed, features }, describe(installed, features).join('\n'));
}

function describe(status: EngineStatus, features: string[]): string[] {
  const processor = `processor: ${features.join(' ') || 'features unknown'}`;
  if (!status.ready) return [`engine: none (${status.reason})`, processor];
  return [
    `engine: TensorFlow ${status.tensorflow} (tfjs-node-gpu ${status.tfjs})`,
    `libraries: ${status.folder}, taken from ${status.source}`,
    `binding: Node-API 8, verified with Node ${status.node?.slice(1)}`,
    `device: ${status.device}${status.libraries === 'gpu' ? ' (the GPU way is untried)' : ''}`,
    processor,
  ];
}
