/** The rules of docs/architecture.md that can be read from the imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import t from 'tap';
import { root } from './paths.js';

interface Source {
  /** Path below `src`, with `.ts`. */
  file: string;
  /** As it stands. */
  lines: string[];
  /** Without comments. */
  text: string;
  /** What it imports: files as paths below `src`, packages by name. */
  imports: string[];
}

const sources: Source[] = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => {
    const whole = readFileSync(join(root, 'src', file), 'utf8');
    const text = whole.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');
    return { file, lines: whole.split('\n'), text, imports: importsOf(text).map((name) => resolveImport(file, name)) };
  });

function importsOf(text: string): string[] {
  const forms = [
    /^\s*(?:import|export)\b[^;'"]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]/g,
    /\brequire(?:\([^)]*\))?(?:\.resolve)?\(\s*['"]([^'"]+)['"]/g,
    /createRequire\([^)]*\)(?:\.resolve)?\(\s*['"]([^'"]+)['"]/g,
  ];
  return [...new Set(forms.flatMap((form) => [...text.matchAll(form)].map((match) => match[1])))];
}

function resolveImport(file: string, name: string): string {
  if (!name.startsWith('.')) return name;
  return normalize(join(dirname(file), name)).replace(/\.js$/, '.ts');
}

const isFile = (name: string) => name.endsWith('.ts');

/** The part that a file belongs to: `cli`, `commands`, or the folder or file of core. */
function part(file: string): string {
  return file.startsWith('core/') ? file.split('/')[1].replace(/\.ts$/, '') : file.split('/')[0].replace(/\.ts$/, '');
}

/** What the functions that users call are made of. */
const COMMON = ['errors', 'work', 'version', 'formats', 'data', 'backend', 'model', 'config'];

/** Which parts each part may import, besides itself. A single file may be named in place of its part. */
const ALLOWED: Record<string, string[]> = {
  cli: ['commands', 'errors', 'version'],
  man: ['cli', 'commands', 'version'],
  index: [...COMMON, 'trained', 'train', 'evaluation', 'plot'],
  commands: [...COMMON, 'run', 'trained', 'train', 'metrics', 'inception', 'evaluation', 'plot'],
  errors: [],
  checks: ['errors'],
  work: [],
  version: [],
  formats: ['errors'],
  data: ['errors', 'checks', 'work', 'version', 'formats'],
  backend: ['errors', 'work', 'formats'],
  layers: ['errors', 'backend'],
  model: ['errors', 'backend', 'layers'],
  metrics: ['errors', 'backend', 'core/data/random.ts'],
  inception: ['errors', 'formats', 'backend'],
  config: ['errors', 'checks', 'data', 'backend', 'model'],
  run: ['errors', 'formats', 'data', 'backend', 'model', 'config'],
  trained: [...COMMON, 'checks', 'layers', 'metrics', 'run'],
  train: [...COMMON, 'checks', 'layers', 'metrics', 'run', 'trained', 'evaluation'],
  plot: ['errors', 'checks', 'work', 'version', 'formats', 'data', 'config', 'run', 'trained', 'train'],
  evaluation: [...COMMON, 'checks', 'run', 'trained', 'metrics', 'inception'],
};

/** Where each package may be imported. */
const OWNERS: Record<string, RegExp> = {
  '@tensorflow/': /^core\/backend\//,
  '@mapbox/node-pre-gyp': /^core\/backend\/install\//,
  sharp: /^core\/data\/codec\.ts$/,
  'csv-parse': /^core\/data\/sources\//,
  'tar-stream': /^core\/(data\/sources|backend\/install)\//,
  yauzl: /^core\/(formats\/zip|backend\/install)\//,
  commander: /^(cli|man)\.ts$|^commands\//,
  'cli-progress': /^(cli\.ts$|commands\/)/,
};

t.test('the sources are read', async (t) => {
  t.ok(sources.length > 30);
  t.ok(sources.find(({ file }) => file === 'cli.ts')?.imports.includes('commands/engine.ts'));
  t.ok(sources.find(({ file }) => file === 'core/data/codec.ts')?.imports.includes('sharp'));
  t.ok(sources.find(({ file }) => file === 'commands/engine.ts')?.imports.includes('core/backend/install/install.ts'));
});

t.test('parts import only what is below them', async (t) => {
  for (const { file, imports } of sources) {
    const own = part(file);
    t.ok(ALLOWED[own], `${file} belongs to a known part`);
    for (const name of imports.filter(isFile)) {
      const other = part(name);
      const fine = other === own || ALLOWED[own]?.some((allowed) => allowed === other || allowed === name);
      if (!fine) t.fail(`${file} must not import ${name}`);
    }
  }
});

t.test('packages are imported only where they belong', async (t) => {
  const builtin = (name: string) => name.startsWith('node:') || builtinModules.includes(name);
  for (const { file, imports } of sources) {
    for (const name of imports) {
      if (isFile(name) || name.endsWith('package.json') || builtin(name)) continue;
      const owner = Object.keys(OWNERS).find(
        (key) => name === key || name.startsWith(key.endsWith('/') ? key : `${key}/`),
      );
      if (!owner) t.fail(`${file} imports ${name}, which no rule knows`);
      else if (!OWNERS[owner].test(file)) t.fail(`${file} must not import ${name}`);
    }
  }
  t.pass();
});

t.test('commands do not import each other', async (t) => {
  const isCommand = ({ file, text }: Source) =>
    file.startsWith('commands/') && /export function \w+Command\(/.test(text);
  const commands = new Set(sources.filter(isCommand).map(({ file }) => file));
  t.ok(commands.size >= 1);
  for (const { file, imports } of sources.filter(({ file }) => file.startsWith('commands/'))) {
    for (const name of imports) if (commands.has(name)) t.fail(`${file} must not import ${name}`);
  }
});

t.test('the core neither prints, exits, nor reads arguments or the environment', async (t) => {
  const free = /^core\/backend\/(engine\.ts$|install\/)/;
  for (const { file, text } of sources) {
    if (!file.startsWith('core/') || free.test(file)) continue;
    const found = /\bconsole\.\w+|\bprocess\.(?:argv|env|exit|exitCode|stdout|stderr)\b/.exec(text);
    if (found) t.fail(`${file} must not use ${found[0]}`);
  }
  t.pass();
});

t.test('only the program ends the process, and nothing prints past the report', async (t) => {
  for (const { file, text } of sources) {
    const ends = file !== 'cli.ts' && /\bprocess\.(?:exit|abort|exitCode)\b/.exec(text);
    if (ends && file !== 'man.ts') t.fail(`${file} must not use ${ends[0]}`);
    if (file.startsWith('commands/') && /\bconsole\./.test(text)) t.fail(`${file} prints past the report`);
    if (/\bMath\.random\(/.test(text)) t.fail(`${file} uses chance that no seed governs`);
  }
  t.pass();
});

t.test('no file imports itself through others, for values or for types', async (t) => {
  const graph = new Map(sources.map(({ file, imports }) => [file, imports.filter(isFile)]));
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) return void t.fail(`a circle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
    if (done.has(file)) return;
    for (const name of graph.get(file) ?? []) visit(name, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  t.pass();
});

t.test('folders and files stay small enough to be taken in', async (t) => {
  const counts = new Map<string, number>();
  for (const { file } of sources) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  for (const [folder, count] of counts) if (count > 30) t.fail(`${folder} holds ${count} files`);
  for (const { file, lines } of sources) {
    if (file.startsWith('commands/') && lines.length > 200) t.fail(`${file} has ${lines.length} lines, more than 200`);
    // Strings may be longer: the formatter does not break them.
    const long = lines.findIndex((line) => line.length > 120 && /^\s*(?:\/?\*|\/\/)/.test(line));
    if (long >= 0) t.fail(`${file}:${long + 1} has more than 120 columns`);
  }
  t.pass();
});

t.test('the lock file fits the package and names no registry', async (t) => {
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const { dependencies, devDependencies, engines } = JSON.parse(lock).packages[''];
  t.same(
    { dependencies, devDependencies, engines },
    {
      dependencies: own.dependencies,
      devDependencies: own.devDependencies,
      engines: own.engines,
    },
  );
  t.notMatch(lock, /"resolved"/);
  for (const version of Object.values({ ...dependencies, ...devDependencies })) t.match(version, /^\d+\.\d+\.\d+$/);
});
