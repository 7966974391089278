import t from 'tap';
import { integerRandom } from '../../../../src/core/data/random.js';
import { kthLargest } from '../../../../src/core/metrics/neighbours/kth-largest.js';

t.test('what sorting finds, among values that differ, that are equal, and in any order', async (t) => {
  const random = integerRandom(1, 0);
  for (const kinds of [1, 3, 1000]) {
    for (let length = 1; length < 60; length++) {
      const values = Float64Array.from({ length }, () => random.below(kinds));
      const sorted = values.slice().sort().reverse();
      sorted.forEach((wanted, n) =>
        t.equal(kthLargest(values.slice(), n + 1), wanted, `${n + 1} of ${length}, ${kinds} kinds`),
      );
    }
  }
});

t.test('fewer than k values have none', async (t) => {
  t.equal(kthLargest(Float32Array.of(1, 2), 3), -Infinity);
});
