/**
 * The help texts and the manual pages, as committed. After a change of a command: `make snapshots` (or `npm run
 * snapshots`) writes test/commands/help/*.txt and man/*.1 anew; look at their diff, and commit it with the change.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { buildProgram } from '../../src/cli.js';
import { manPages } from '../../src/man.js';
import { bigbigan, root } from '../paths.js';

const update = process.env.BIGBIGAN_SNAPSHOTS === 'update';
const folder = join(root, 'test', 'commands', 'help');

/** The words after `bigbigan` of every command: `[]`, `['train']`, `['engine', 'install']`, … */
const paths: string[][] = [];
const collect = (command: ReturnType<typeof buildProgram>, path: string[]): void => {
  paths.push(path);
  for (const child of command.commands) collect(child, [...path, child.name()]);
};
collect(buildProgram(), []);

for (const path of paths) {
  const name = ['bigbigan', ...path].join(' ');
  t.test(`${name} --help`, async (t) => {
    const { result, loaded } = await helpAndModules(path);
    t.equal(result.code, 0);
    t.equal(result.stderr, '');

    const file = join(folder, `${['bigbigan', ...path].join('-')}.txt`);
    if (update) writeFileSync(file, result.stdout);
    t.equal(result.stdout, existsSync(file) ? readFileSync(file, 'utf8') : '', `as in ${file}`);

    t.ok(
      loaded.some((module) => module.includes('/commander/')),
      'the modules are seen',
    );
    t.same(
      loaded.filter((module) => /@tensorflow|libtensorflow|\/sharp\/|libvips/.test(module)),
      [],
      'nothing heavy is loaded',
    );
    for (const line of result.stdout.split('\n'))
      t.ok(line.length <= 100 || line.includes('$'), `fits a terminal: ${line}`);
  });
}

t.test('there is a text for every command and no other', async (t) => {
  t.same(readdirSync(folder).sort(), paths.map((path) => `${['bigbigan', ...path].join('-')}.txt`).sort());
});

t.test('the manual pages say what the help says', async (t) => {
  const pages = manPages();
  t.same(readdirSync(join(root, 'man')).sort(), [...pages.keys()].sort());
  for (const [name, text] of pages) {
    const file = join(root, 'man', name);
    t.equal(existsSync(file) ? readFileSync(file, 'utf8') : '', text, name);
  }
});

/** Runs `--help` and notes at its end which modules and libraries the process had loaded. */
async function helpAndModules(path: string[]) {
  const scratch = mkdtempSync(join(tmpdir(), 'bigbigan-help-'));
  try {
    const list = join(scratch, 'loaded');
    const spy = `
      import { createRequire } from 'node:module';
      import { readFileSync, writeFileSync } from 'node:fs';
      const require = createRequire(${JSON.stringify(join(root, 'package.json'))});
      process.on('exit', () => writeFileSync(${JSON.stringify(list)},
        Object.keys(require.cache).join('\\n') + '\\n' + readFileSync('/proc/self/maps', 'utf8')));`;
    const result = await bigbigan([...path, '--help'], {
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(spy)}` },
    });
    return { result, loaded: readFileSync(list, 'utf8').split('\n') };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
