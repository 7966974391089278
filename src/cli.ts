/** The program: its commands, its errors, and the only place that exits. */

import { Command, CommanderError } from 'commander';
import { encodeCommand } from './commands/encode.js';
import { engineCommand } from './commands/engine.js';
import { ExitCode } from './commands/exit-code.js';
import { exportCommand } from './commands/export.js';
import { fidCommand } from './commands/fid/fid.js';
import { generateCommand } from './commands/generate.js';
import { inceptionCommand } from './commands/inception.js';
import { knnCommand } from './commands/knn/knn.js';
import { linearProbeCommand } from './commands/linear-probe/linear-probe.js';
import { plotCommand } from './commands/plot.js';
import { prepDataCommand } from './commands/prep-data.js';
import { printable } from './commands/printable.js';
import { reconstructCommand } from './commands/reconstruct.js';
import type { End } from './commands/stopping.js';
import { trainCommand } from './commands/train/train.js';
import { versionText } from './commands/version.js';
import { UserError } from './core/errors.js';

const end: End = (code) => process.exit(code);

/** Commands only describe themselves here; what they need is imported when they run. */
export function buildProgram(): Command {
  const program = new Command('bigbigan')
    .description('Train, run and evaluate BigBiGAN from the shell.')
    .helpCommand(false)
    .showHelpAfterError('(add --help for the options)')
    .option('-V, --version', 'print the version of bigbigan and of its engine')
    .configureHelp({ showGlobalOptions: false })
    .exitOverride();
  for (const add of [
    prepDataCommand,
    () => trainCommand(end),
    encodeCommand,
    generateCommand,
    reconstructCommand,
    exportCommand,
    fidCommand,
    inceptionCommand,
    linearProbeCommand,
    knnCommand,
    plotCommand,
    engineCommand,
  ]) {
    program.addCommand(adopt(add(), program));
  }
  return program;
}

/** Errors are thrown to `run` from commands of commands too. */
function adopt(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent).exitOverride();
  for (const child of command.commands) adopt(child, command);
  return command;
}

export async function main(argv: string[]): Promise<void> {
  // A reader that closes the pipe early (head, less) ends the program quietly.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    process.stderr.write(`bigbigan: standard output cannot be written: ${error.code}\n`);
    process.exit(1);
  });
  forgetEmptyVariables();
  process.exitCode = await run(argv);
}

/** An option's variable that is set to nothing is taken as not set. */
function forgetEmptyVariables(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('BIGBIGAN_') && process.env[name] === '') delete process.env[name];
  }
}

async function run(argv: string[]): Promise<number> {
  const words = argv.slice(2);
  if (words[0] === '--version' || words[0] === '-V') {
    process.stdout.write(`${await versionText()}\n`);
    return 0;
  }
  try {
    await buildProgram().parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof ExitCode) return error.code;
    return explain(error, words);
  }
}

/** Prints what went wrong and returns the exit code. */
function explain(error: unknown, words: string[]): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const name = ['bigbigan', words.find((word) => !word.startsWith('-'))].filter(Boolean).join(' ');
  const known = error instanceof UserError;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${name}: ${printable(message)}\n`);
  const hint = known ? error.hint : 'this is unexpected; add --verbose for the stack';
  if (hint) process.stderr.write(`  ${printable(hint)}\n`);
  if (words.includes('--verbose') && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return known ? error.exitCode : 1;
}
