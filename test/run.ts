/**
 * Runs the tests with tap and prints a line for each file, every failure in full, and `N passed, N failed` at the end.
 * The counts are tap's own; a file that crashes or tests nothing counts as a failure too.
 * `node dist/test/run.js [WORD]` runs the files whose path contains the word; `--unit` those that need no engine.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Parser, type Result } from 'tap-parser';
import { isEngineFree } from './engine-free.js';
import { root } from './paths.js';

const counts = { pass: 0, fail: 0, skip: 0, todo: 0 };
const [word = ''] = process.argv.slice(2);
const files = word === '--unit' ? testFiles('').filter((file) => isEngineFree(join(root, file))) : testFiles(word);
const code = files.length > 0 ? await run(files) : 1;
if (counts.skip + counts.todo > 0) print(`${counts.skip} skipped, ${counts.todo} to do`);
print(`${counts.pass} passed, ${counts.fail} failed`);
process.exitCode = code !== 0 || counts.fail > 0 || counts.pass === 0 ? 1 : 0;

/** The sources decide, not dist, where a test that was deleted may still lie about. */
function testFiles(word: string): string[] {
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && file.includes(word))
    .map((file) => join('dist', 'test', file.replace(/\.ts$/, '.js')))
    .sort();
}

/** Resolves to tap's exit code. */
async function run(files: string[]): Promise<number> {
  const tap = spawn(join(root, 'node_modules', '.bin', 'tap'), ['--reporter=tap', ...files], {
    cwd: root,
    stdio: ['inherit', 'pipe', 'inherit'],
  });
  const parser = new Parser();
  /** Failed assertions of the file at hand. */
  let failures = 0;
  /** Files that failed although all of their assertions held. */
  let broken = 0;
  parser.on('result', (result: Result) => {
    if (result.ok || result.todo || result.skip || files.includes(result.name)) return;
    failures += 1;
    print(`\nFAILED ${result.fullname.replace('dist/test/', '')}\n${details(result)}`);
  });
  parser.on('assert', (file: Result) => {
    const empty = file.skip === 'no tests found';
    const ok = file.ok && !empty;
    let why = '';
    if (!ok && failures === 0) {
      broken += 1;
      why = empty ? ': it tests nothing' : `: it ended with code ${file.diag?.exitCode}, signal ${file.diag?.signal}`;
    }
    failures = 0;
    print(`${ok ? 'ok    ' : 'NOT OK'} ${file.name.replace('dist/test/', '')}${why}`);
  });
  parser.on('comment', (comment: string) => {
    if (!/^# \{ total: /.test(comment)) return;
    for (const [, key, value] of comment.matchAll(/(pass|fail|skip|todo): (\d+)/g))
      counts[key as 'pass'] = Number(value);
  });
  tap.stdout.pipe(parser);
  const [[status]] = await Promise.all([once(tap, 'close'), once(parser, 'complete')]);
  counts.fail += broken;
  return (status as number | null) ?? 1;
}

/** What tap says about a failure: where, and what differed. */
function details({ diag }: Result): string {
  const { at, source: _source, stack, ...rest } = (diag ?? {}) as Record<string, unknown>;
  const { fileName, lineNumber } = (at ?? {}) as { fileName?: string; lineNumber?: number };
  const lines = fileName ? [`at ${fileName}:${lineNumber}`] : [String(stack ?? '')];
  for (const [key, value] of Object.entries(rest)) {
    lines.push(`${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  }
  return lines.join('\n').trimEnd().replace(/^/gm, '    ');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
