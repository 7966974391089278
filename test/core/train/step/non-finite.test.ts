import t from 'tap';
import { resolveConfig } from '../../../../src/core/config/resolve.js';
import { AVERAGE } from '../../../../src/core/layers/scope.js';
import { NotFinite, nonFiniteVariable } from '../../../../src/core/train/step/non-finite.js';
import { images, resume, start } from '../runs.js';

const config = resolveConfig({ preset: 'tiny', settings: ['train.precision=float32'] });
const healthy = start(config, 'traced');
healthy.step(0, images(8));
const values = healthy.values();
healthy.dispose();

/** The report of one more step, after `value` was put into a variable. */
function stepAfter(name: string, value: number, execution: 'traced' | 'eager' = 'traced') {
  const changed = new Map([...values].map(([key, { shape, data }]) => [key, { shape, data: data.slice() }]));
  changed.get(name)!.data[0] = value;
  const trainer = resume(config, changed, execution);
  const report = trainer.step(1, images(8, 2));
  const after = trainer.values();
  trainer.dispose();
  return { report, after };
}

const broken = (report: Record<string, number>) => Object.keys(report).filter((name) => name.startsWith('gradient_'));

t.test('a healthy step says nothing of gradients', async (t) => {
  const { report, after } = stepAfter('generator/linear/bias', 0);
  t.same(broken(report), []);
  t.ok(Object.values(report).every(Number.isFinite));
  t.equal(nonFiniteVariable(after), undefined);
});

t.test('gradients that are not finite are reported by module', async (t) => {
  for (const execution of ['traced', 'eager'] as const) {
    const { report, after } = stepAfter('encoder/output/kernel', NaN, execution);
    t.ok(broken(report).includes('gradient_encoder'), execution);
    t.match(nonFiniteVariable(after), /^(encoder|discriminator|generator)\//);
  }
});

t.test('the variables are searched to the last value', async (t) => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const name = `${AVERAGE}generator/linear/kernel`;
    const copy = new Map([...values].map(([key, { shape, data }]) => [key, { shape, data: data.slice() }]));
    copy.get(name)!.data[copy.get(name)!.data.length - 1] = value;
    t.equal(nonFiniteVariable(copy), name);
  }
});

t.test('the error names step, term, variable and checkpoint', async (t) => {
  const error = new NotFinite(7, 'loss_d is NaN', 'encoder/output/kernel', 'r/5.safetensors');
  t.equal(error.message, 'step 7: loss_d is NaN; encoder/output/kernel has numbers that are not finite');
  t.match(error.hint, /the last good checkpoint is r\/5\.safetensors/);
  t.match(new NotFinite(1, 'x', undefined, undefined).hint, /no checkpoint yet/);
});
