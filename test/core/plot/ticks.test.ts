import t from 'tap';
import { tickLabels, ticks } from '../../../src/core/plot/ticks.js';

t.test('round numbers within the range', async (t) => {
  t.same(ticks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  t.same(ticks(-0.13, 0.31, 5), [-0.1, 0, 0.1, 0.2, 0.3]);
  t.same(ticks(0, 1200, 6), [0, 200, 400, 600, 800, 1000, 1200]);
  t.same(ticks(0.64, 0.87, 5), [0.65, 0.7, 0.75, 0.8, 0.85]);
  t.same(ticks(1e-5, 4.2e-5, 5), [1e-5, 2e-5, 3e-5, 4e-5]);
  const wrong = [];
  for (let i = 0; i < 2000; i++) {
    const low = Math.sin(i) * 10 ** ((i % 17) - 8);
    const high = low + (1.001 + Math.cos(i * 7)) * 10 ** ((i % 13) - 6);
    if (!(high - low > 1e-6 * Math.abs(low))) continue;
    const found = ticks(low, high, 5);
    const step = found[1] - found[0];
    const inside = found[0] >= low - step * 1e-6 && found.at(-1)! <= high + step * 1e-6;
    const all = found[0] - step < low && found.at(-1)! + step > high;
    if (found.length < 2 || found.length > 7 || !inside || !all) wrong.push({ low, high, found });
  }
  t.same(wrong, []);
});

t.test('labels have the decimals that tell them apart', async (t) => {
  t.same(tickLabels([0, 0.5, 1]), ['0', '0.5', '1.0']);
  t.same(tickLabels([-0.1, 0, 0.1]), ['−0.1', '0', '0.1']);
  t.same(tickLabels([0.65, 0.7]), ['0.65', '0.70']);
  t.same(tickLabels([0, 200, 1200]), ['0', '200', '1200']);
  t.same(tickLabels([0, 10_000, 20_000]), ['0', '10k', '20k']);
  t.same(tickLabels([0, 2500, 5000, 12_500]), ['0', '2.5k', '5.0k', '12.5k']);
  t.same(tickLabels([0, 500_000, 1_000_000]), ['0', '500k', '1000k']);
  t.same(tickLabels([0, 5e6, 1e7]), ['0', '5M', '10M']);
  t.same(tickLabels([1e-5, 2e-5]), ['1e−5', '2e−5']);
  for (const values of [
    [1e-4, 1.5e-4],
    [1_000_000, 1_000_001],
    [999.5, 1000, 1000.5],
  ]) {
    const labels = tickLabels(values);
    t.equal(new Set(labels).size, values.length, String(labels));
  }
});
