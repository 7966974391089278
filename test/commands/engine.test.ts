/** The engine step as a user meets it; that it has worked once is what every other test shows. */
import { cpSync, mkdirSync, readdirSync, realpathSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isSupported, placeOf } from '../../src/core/backend/install/release.js';
import { bigbigan, root, run } from '../paths.js';

t.test('the status says what is in place', async (t) => {
  const text = await bigbigan(['engine']);
  t.equal(text.code, 0);
  t.equal(text.stderr, '');
  t.match(
    text.stdout,
    /^engine: TensorFlow 2\.21\.\d+ \(tfjs-node-gpu 4\.22\.0\)\nlibraries: .*\nbinding: .*\ndevice: /,
  );
  const json = await bigbigan(['engine', '--json']);
  t.match(JSON.parse(json.stdout), { ready: true, tensorflow: /^2\.21\./, tfjs: '4.22.0', features: Array });
});

t.test('a second install does nothing and says so', async (t) => {
  // Without any program to run it could neither look for Python, nor build, nor verify.
  const result = await bigbigan(['engine', 'install'], { env: { PATH: '/nowhere' } });
  t.equal(result.code, 0);
  t.equal(result.stderr, 'the engine is in place; nothing to do\n');
  t.match(result.stdout, /^engine: TensorFlow 2\.21\./);
  const quiet = await bigbigan(['engine', 'install', '--quiet', '--json'], { env: { PATH: '/nowhere' } });
  t.equal(quiet.stderr, '');
  t.match(JSON.parse(quiet.stdout), { ready: true, changed: false });
});

t.test('the files are known by their names in every kind of source', async (t) => {
  for (const [path, place] of [
    ['tensorflow/libtensorflow_cc.so.2', 'lib/libtensorflow_cc.so.2'],
    ['./lib/libtensorflow.so.2.21.0', 'lib/libtensorflow.so.2'],
    ['lib/libtensorflow_framework.so.2.21.0', 'lib/libtensorflow_framework.so.2'],
    ['tensorflow/include/xla/tsl/c/tsl_status.h', 'include/xla/tsl/c/tsl_status.h'],
    ['include/tensorflow/c/eager/c_api.h', 'include/tensorflow/c/eager/c_api.h'],
    ['nvidia/cudnn/lib/libcudnn.so.9', 'lib/libcudnn.so.9'],
    ['tensorflow/include/tensorflow/c/c_api_experimental.h', undefined],
    ['tensorflow/python/_pywrap_tensorflow.so', undefined],
    ['tensorflow/include/../../../etc/passwd', undefined],
  ] as const) {
    t.equal(placeOf(path), place, path);
  }
  t.same(['2.21.0', '2.21.3', '2.2.1', '2.20.0', '12.21.0', ''].map(isSupported), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

t.test('what cannot be a source is refused by name, and the engine stays', async (t) => {
  const cache = t.testdir({
    'cut.whl': 'PK\u0003\u0004 and no more',
    'cut.tar.gz': 'no gzip',
    'text.txt': 'x',
    empty: {},
  });
  for (const [name, reason] of [
    ['none', /no such file/],
    ['empty', /lacks libtensorflow_cc\.so\.2 or libtensorflow\.so\.2, libtensorflow_framework\.so\.2, .* and \d+ more/],
    ['text.txt', /expected a folder, a \.whl file or a \.tar\.gz file/],
    ['cut.whl', /not a zip file|truncated/],
    ['cut.tar.gz', /header/],
  ] as const) {
    const path = join(cache, name);
    const result = await bigbigan(['engine', 'install', '--from', path], {
      env: { BIGBIGAN_CACHE: join(cache, 'cache') },
    });
    t.equal(result.code, 1, name);
    t.equal(result.stdout, '');
    t.ok(result.stderr.includes(path), result.stderr);
    t.match(result.stderr, reason);
    t.match(result.stderr, /engine install --from FILE\.whl/);
  }
  t.same(readdirSync(join(cache, 'cache')), [], 'nothing is left behind');
  t.equal((await bigbigan(['engine'])).code, 0);
});

t.test('a fresh clone gets its engine, a second one from the cache', async (t) => {
  const folder = t.testdir();
  const cache = join(folder, 'cache');
  const libraries = realpathSync(join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'deps'));
  const first = clone(join(folder, 'first'));
  t.match(await first(['engine'], cache), { code: 1, stdout: /^engine: none/, stderr: /engine install/ });
  t.match(await first(['--version'], cache), { code: 0, stdout: /engine: none; run "bigbigan engine install"/ });

  const built = await first(['engine', 'install', '--from', libraries], cache);
  t.equal(built.code, 0, built.stderr);
  t.match(built.stderr, /building the binding/);
  t.ok(built.stdout.includes(`taken from ${libraries}`));
  t.match(await first(['engine'], cache), { code: 0, stdout: /^engine: TensorFlow 2\.21\./ });

  // A wrong name as BIGBIGAN_TENSORFLOW would fail; the cache makes naming unnecessary.
  const second = clone(join(folder, 'second'));
  const reused = await second(['engine', 'install'], cache);
  t.equal(reused.code, 0, reused.stderr);
  t.match(reused.stderr, /in the cache/);
  t.notMatch(reused.stderr, /building/);

  // A library that was cut short is noticed without loading it; the hard link to the original goes first.
  const library = join(cache, readdirSync(cache)[0], 'lib', 'libtensorflow_framework.so.2');
  unlinkSync(library);
  writeFileSync(library, 'short');
  t.match(await second(['engine'], cache), { code: 1, stdout: /gone or damaged/ });
  t.match(await second(['engine', 'install', '--from', libraries], cache), { code: 0 });
  t.match(await first(['engine'], cache), { code: 0 }, 'it serves the first clone again');
  t.same(
    readdirSync(cache).filter((name) => name.startsWith('work')),
    [],
    'nothing is left behind',
  );
});

/** A copy of the program with its own tfjs-node-gpu, as npm would have unpacked it; returns how to run it. */
function clone(folder: string) {
  const modules = join(folder, 'node_modules');
  const own = join('@tensorflow', 'tfjs-node-gpu');
  mkdirSync(join(modules, '@tensorflow'), { recursive: true });
  for (const name of ['bin', 'dist/src', 'package.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@tensorflow') symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  for (const name of readdirSync(join(root, 'node_modules', '@tensorflow'))) {
    if (name !== 'tfjs-node-gpu')
      symlinkSync(join(root, 'node_modules', '@tensorflow', name), join(modules, '@tensorflow', name));
  }
  mkdirSync(join(modules, own));
  for (const name of ['binding', 'binding.gyp', 'dist', 'package.json']) {
    cpSync(join(root, 'node_modules', own, name), join(modules, own, name), { recursive: true });
  }
  return (args: string[], cache: string) =>
    run(process.execPath, [join(folder, 'bin', 'bigbigan.js'), ...args], {
      env: { BIGBIGAN_CACHE: cache, BIGBIGAN_TENSORFLOW: undefined },
    });
}
