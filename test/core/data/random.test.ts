import t from 'tap';
import { integerRandom, permutation, xoshiro } from '../../../src/core/data/random.js';

t.test('xoshiro128** as its authors define it', async (t) => {
  // From the reference C code with state {1, 2, 3, 4}.
  const random = xoshiro([1, 2, 3, 4]);
  t.same(
    Array.from({ length: 10 }, () => random.next()),
    [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804],
  );
});

t.test('seeds and streams give sequences of their own', async (t) => {
  const first = (seed: number, stream: number) => {
    const random = integerRandom(seed, stream);
    return `${random.next()} ${random.next()}`;
  };
  t.equal(first(1, 2), first(1, 2));
  const seeds = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1];
  const all = seeds.flatMap((seed) => seeds.map((stream) => first(seed, stream)));
  t.equal(new Set(all).size, 36);
});

t.test('a permutation is one, and every place is equally likely', async (t) => {
  t.same(
    [...permutation(1000, integerRandom(3, 0))].sort((a, b) => a - b),
    Array.from({ length: 1000 }, (_, i) => i),
  );
  const counts = Array.from({ length: 5 }, () => new Array<number>(5).fill(0));
  for (let seed = 0; seed < 10_000; seed++)
    permutation(5, integerRandom(seed, 0)).forEach((value, place) => counts[place][value]++);
  // 2,000 expected, standard deviation 40.
  t.ok(
    counts.flat().every((n) => Math.abs(n - 2000) < 200),
    String(counts),
  );
  t.same([...permutation(0, integerRandom(0, 0))], []);
});

t.test('below is even, also where the modulus would not be', async (t) => {
  const random = integerRandom(7, 0);
  const limit = 3 * 2 ** 30;
  let low = 0;
  for (let i = 0; i < 30_000; i++) if (random.below(limit) < 2 ** 30) low++;
  // Without drawing again it would be one half.
  t.ok(Math.abs(low - 10_000) < 500, String(low));
});
