/** The bench on the smallest networks: what it prints, not how fast anything is. */
import { join } from 'node:path';
import t from 'tap';
import { emulatesBfloat16 } from '../src/core/backend/precision.js';
import { root, run } from './paths.js';

const bench = (args: string[], env: Record<string, string | undefined> = {}) =>
  run(process.execPath, [join(root, 'dist', 'bench', 'bench.js'), ...args], { env });
const withoutTorch = { BENCH_PYTHON: join(root, 'no', 'python') };
const positive = (value: unknown) => typeof value === 'number' && value > 0;

t.test('--help answers; what is not an option, a part or a setting is a usage error', async (t) => {
  const help = await bench(['--help']);
  t.equal(help.code, 0);
  t.match(help.stdout, /BENCH_PYTHON/);
  for (const wrong of [['--faster'], ['--rounds', '0'], ['--only', 'ch64'], ['walk']]) {
    const { code, stdout, stderr } = await bench(wrong, withoutTorch);
    t.equal(code, 2, wrong.join(' '));
    t.equal(stdout, '');
    t.match(stderr, /^error: /);
  }
});

t.test('the last line of --json is one object, with null where there is no PyTorch', async (t) => {
  const { code, stdout, stderr } = await bench(['--only', 'tiny', '--rounds', '2', '--json'], withoutTorch);
  t.equal(code, 0, stderr);
  t.match(stderr, /no PyTorch/);
  const { step, peak_gflops, rounds, machine } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
  t.equal(rounds, 2);
  t.equal(machine.torch, null);
  t.same(Object.keys(step), ['tiny']);
  const { float32, bf16, eager, torch_eager, torch_bf16, torch_compile } = step.tiny;
  t.equal(bf16 === null, emulatesBfloat16(), 'bf16 is left out where it is emulated');
  for (const ours of [float32, eager, ...(bf16 ? [bf16] : [])]) {
    for (const key of ['ms', 'first_ms', 'peak_rss_mb', 'generate_images_per_second', 'encode_images_per_second']) {
      t.ok(positive(ours[key]), key);
    }
    t.ok(ours.fraction_of_matmul_peak > 0 && ours.fraction_of_matmul_peak < 1);
  }
  t.ok(float32.js_ms > 0 && float32.js_ms < float32.ms);
  t.equal(float32.torch_eager_ratio, null);
  if (bf16) t.equal(bf16.torch_best_ratio, null);
  t.same([torch_eager, torch_bf16, torch_compile], [null, null, null]);
  t.ok(positive(peak_gflops.float32.matmul) && positive(peak_gflops.float32.conv));
  t.equal(peak_gflops.bf16 === null, bf16 === null);
});

t.test('the table has a row for each system; the step alone leaves inference out', async (t) => {
  const { code, stdout } = await bench(['step', '--only', 'tiny', '--rounds', '1'], withoutTorch);
  t.equal(code, 0);
  for (const label of ['traced float32', 'eager float32', ...(emulatesBfloat16() ? [] : ['traced bf16'])])
    t.match(stdout, new RegExp(`^${label} +\\d+ `, 'm'));
  t.match(stdout, /machine at best: float32 matmul \d+/);
});

t.test('data: a rate for each size of image and kind of crop', async (t) => {
  const { code, stdout, stderr } = await bench(['data', '--rounds', '1', '--json'], { BENCH_SIZE: 'small' });
  t.equal(code, 0, stderr);
  const { data } = JSON.parse(stdout) as { data: Record<string, unknown>[] };
  const settings = new Set(data.map(({ resolution, crop }) => `${resolution} ${crop}`));
  t.equal(settings.size, 9);
  for (const { images_per_second, mean_bytes, cpu_ms_per_image } of data) {
    t.ok(positive(images_per_second) && positive(mean_bytes) && positive(cpu_ms_per_image));
  }
});

t.test('probes: rates of neighbours and a classifier, with null where there is nothing to compare with', async (t) => {
  const { code, stdout, stderr } = await bench(['probes', '--rounds', '1', '--json'], {
    ...withoutTorch,
    BENCH_SIZE: 'small',
  });
  t.equal(code, 0, stderr);
  const { knn, probe } = JSON.parse(stdout).probes;
  t.same(
    knn.map(({ width }: { width: number }) => width),
    [256, 2048],
  );
  for (const { queries_per_second, times_faster } of knn) t.ok(positive(queries_per_second) && times_faster === null);
  t.ok(positive(probe.seconds) && positive(probe.objective) && probe.sklearn_seconds === null);
});

t.test('a comparison needs PyTorch', async (t) => {
  const { code, stderr } = await bench(['check'], withoutTorch);
  t.equal(code, 1);
  t.match(stderr, /BENCH_PYTHON/);
});

const skip = process.env.BENCH_PYTHON ? false : 'BENCH_PYTHON is not set';
t.test('PyTorch computes the same step from the same state', { skip }, async (t) => {
  const { code, stdout, stderr } = await bench(['check', '--only', 'tiny', '--json']);
  t.equal(code, 0, stderr);
  const { loss_d, loss_eg, relative_difference } = JSON.parse(stdout);
  for (const { ours, torch } of [loss_d, loss_eg]) t.ok(Math.abs(ours / torch - 1) < 1e-4, `${ours} and ${torch}`);
  for (const [kind, difference] of Object.entries(relative_difference))
    t.ok((difference as number) < 1e-3, `${kind} ${difference}`);
});

t.test("fid: images a second through FID's network, with null where there is no PyTorch", async (t) => {
  const { code, stdout, stderr } = await bench(['fid', '--rounds', '1', '--json'], withoutTorch);
  t.equal(code, 0, stderr);
  const { fid } = JSON.parse(stdout) as { fid: { ours: Record<string, number>; torch: null; torch_ratio: null } };
  for (const key of ['images_per_second', 'cpu_ms_per_image', 'peak_rss_mb']) t.ok(positive(fid.ours[key]), key);
  t.match(fid, { torch: null, torch_ratio: null });
});
