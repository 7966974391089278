import { join } from 'node:path';
import t from 'tap';
import { bigbigan, root, run } from '../paths.js';

t.test('--version names the program and its engine', async (t) => {
  const result = await bigbigan(['--version']);
  t.match(result.stdout, /^bigbigan \d+\.\d+\.\d+\nengine: TensorFlow 2\.21\.\d+ \(tfjs-node-gpu 4\.22\.0\)\n$/);
  t.equal(result.stderr, '');
  t.equal(result.code, 0);
  t.equal((await bigbigan(['-V'])).stdout, result.stdout);
});

t.test('no command shows the help as a mistake', async (t) => {
  const result = await bigbigan([]);
  t.equal(result.code, 2);
  t.equal(result.stdout, '');
  t.match(result.stderr, /Usage: bigbigan/);
});

t.test('an unknown command suggests the nearest', async (t) => {
  const result = await bigbigan(['trian']);
  t.equal(result.code, 2);
  t.equal(result.stdout, '');
  t.match(result.stderr, /unknown command 'trian'/);
  t.match(result.stderr, /Did you mean train\?/);
});

t.test('an unknown option suggests the nearest, in commands of commands too', async (t) => {
  for (const [args, nearest] of [
    [['train', '--stps', '3'], '--steps'],
    [['engine', '--jsn'], '--json'],
    [['engine', 'install', '--form', 'x'], '--from'],
  ] as const) {
    const result = await bigbigan([...args]);
    t.equal(result.code, 2, args.join(' '));
    t.equal(result.stdout, '');
    t.match(result.stderr, /unknown option/);
    t.ok(result.stderr.includes(`Did you mean ${nearest}?`), result.stderr);
    t.match(result.stderr, /--help/);
  }
});

t.test('a missing value and a wrong choice are mistakes of the command line', async (t) => {
  t.match(await bigbigan(['engine', 'install', '--from']), { code: 2, stdout: '', stderr: /argument missing/ });
  t.match(await bigbigan(['engine', 'install', '--device', 'tpu']), { code: 2, stdout: '', stderr: /cpu, gpu/ });
});

t.test('a reader that leaves early is no error', async (t) => {
  const program = `"${process.execPath}" "${join(root, 'bin', 'bigbigan.js')}" --help`;
  const result = await run('bash', ['-c', `${program} | true; echo "\${PIPESTATUS[0]}"`]);
  t.equal(result.stdout, '0\n');
  t.equal(result.stderr, '');
});
