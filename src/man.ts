/** Writes the manual pages: the same words as `--help`, from the same place. `node dist/src/man.js FOLDER` */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { buildProgram } from './cli.js';
import { packageVersion } from './core/version.js';

/** The text of each page by its file name, such as `bigbigan-train.1`. */
export function manPages(): Map<string, string> {
  const pages = new Map<string, string>();
  const add = (command: Command, path: string[]) => {
    pages.set(`${path.join('-')}.1`, page(command, path));
    for (const child of command.commands) add(child, [...path, child.name()]);
  };
  const program = buildProgram();
  add(program, [program.name()]);
  return pages;
}

function page(command: Command, path: string[]): string {
  const name = path.join('-');
  const help = command.createHelp();
  const lines = [
    `.TH ${name.toUpperCase()} 1 "" "bigbigan ${packageVersion}" "bigbigan manual"`,
    '.SH NAME',
    `${roff(name)} \\- ${roff(summary(command))}`,
    '.SH SYNOPSIS',
    `.B ${roff(path.join(' '))}`,
    roff(command.usage()),
    '.SH DESCRIPTION',
    ...paragraphs(command.description()),
    ...terms(
      'ARGUMENTS',
      help
        .visibleArguments(command)
        .map((argument) => [help.argumentTerm(argument), help.argumentDescription(argument)]),
    ),
    ...terms(
      'OPTIONS',
      help.visibleOptions(command).map((option) => [help.optionTerm(option), help.optionDescription(option)]),
    ),
    ...terms(
      'COMMANDS',
      help.visibleCommands(command).map((child) => [[...path, child.name()].join(' '), summary(child)]),
    ),
    ...extra(command),
    '.SH EXIT STATUS',
    '0 when done, 1 when it failed, 2 for a mistake in the command line, 130 or 143 when interrupted.',
    '.SH SEE ALSO',
    related(command, path)
      .map((page) => `.BR ${roff(page)} (1)`)
      .join(',\n'),
  ];
  return `${lines.join('\n')}\n`;
}

/** The first sentence, for a list. */
function summary(command: Command): string {
  return (command.summary() || command.description().split(/\.(?:\s|$)/)[0]).replace(/\s+/g, ' ');
}

function terms(title: string, list: string[][]): string[] {
  if (list.length === 0) return [];
  return [`.SH ${title}`, ...list.flatMap(([term, text]) => ['.TP', `.B ${roff(term)}`, roff(text)])];
}

function paragraphs(text: string): string[] {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => roff(paragraph.replace(/\s+/g, ' ').trim()))
    .join('\n\n.PP\n')
    .split('\n')
    .filter((line) => line !== '');
}

/** What follows the options in the help: titles such as `Examples:` become sections, their lines stay as they are. */
function extra(command: Command): string[] {
  let shown = '';
  command.configureOutput({ writeOut: (text) => (shown += text) }).outputHelp();
  const lines: string[] = [];
  let verbatim = false;
  for (const line of shown.slice(command.helpInformation().length).split('\n')) {
    const title = /^(\S.*):$/.exec(line);
    if (title) {
      lines.push(...(verbatim ? ['.fi'] : []), `.SH ${roff(title[1].toUpperCase())}`, '.nf');
      verbatim = true;
    } else if (line.trim() !== '') {
      lines.push(verbatim ? roff(line.replace(/^ {2}/, '')) : roff(line));
    }
  }
  return verbatim ? [...lines, '.fi'] : lines;
}

/** The page above, the pages below and, for a command, its siblings. */
function related(command: Command, path: string[]): string[] {
  const below = command.commands.map((child) => [...path, child.name()].join('-'));
  if (!command.parent) return below;
  const above = path.slice(0, -1);
  const siblings = command.parent.commands
    .filter((other) => other !== command)
    .map((other) => [...above, other.name()].join('-'));
  return [above.join('-'), ...siblings, ...below];
}

/** Text as roff takes it: no escapes, no requests. */
function roff(text: string): string {
  return text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? 'man';
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of manPages()) writeFileSync(join(folder, name), text);
}
