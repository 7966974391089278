/** Signals that a program handles while TensorFlow computes on its main thread, as when a terminal is resized. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { root } from '../../paths.js';

const PROGRAM = `
const [backend, products] = process.argv.slice(1);
let handled = 0;
process.on('SIGUSR2', () => handled++);
const { startEngine } = await import(backend + 'engine.js');
const { constant, matMul } = await import(backend + 'ops.js');
const engine = await startEngine({ threads: 1 });
const n = 500;
const ones = () => constant(new Float32Array(n * n).fill(1), [n, n]);
console.log('ready');
let wrong = 0;
for (let i = 0; i < Number(products); i++) {
  const product = engine.scope(() => engine.read(matMul(ones(), ones())));
  if (!product.every((value) => value === n)) wrong++;
  await new Promise(setImmediate);
}
process.stdout.write(JSON.stringify({ handled, wrong }), () => process.kill(process.pid, 'SIGKILL'));
`;

t.test('a handled signal does not harm a product of matrices', async (t) => {
  const backend = join(root, 'dist/src/core/backend/');
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, backend, '200'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  let [output, errors] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child.stdout, 'data');
  while (child.signalCode === null && child.exitCode === null) {
    child.kill('SIGUSR2');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const [code, signal] = (await ended) as [number | null, string | null];
  t.same([code, signal], [null, 'SIGKILL']);
  t.notMatch(errors, /Error/);
  const { handled, wrong } = JSON.parse(output.replace('ready', '')) as { handled: number; wrong: number };
  t.ok(handled > 0, `${handled} signals`);
  t.equal(wrong, 0);
});
