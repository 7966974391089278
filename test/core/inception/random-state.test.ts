import { readFileSync } from 'node:fs';
import t from 'tap';
import { fixture } from '../../paths.js';
import { randomState } from './random-state.js';

const wanted = JSON.parse(readFileSync(fixture('inception/random-state.json'), 'utf8')) as {
  permutation: number[];
  choices: { count: number; size: number; first: number[]; sum: number }[];
};

t.test("NumPy's permutations and choices, one after another from one state", async (t) => {
  const random = randomState(2020);
  t.same(random.permutation(20), wanted.permutation);
  for (const { count, size, first, sum } of wanted.choices) {
    const chosen = random.choice(count, size);
    t.same(chosen.subarray(0, 8), first);
    t.equal(chosen.length, size);
    t.equal(
      chosen.reduce((total, value) => total + value, 0),
      sum,
    );
  }
});

t.test("the images of torch-fidelity's tests", async (t) => {
  t.equal(
    randomState(2020)
      .choice(50_000, 256)
      .reduce((a, b) => a + b),
    6_288_956,
  );
  t.equal(
    randomState(2020)
      .choice(10_000, 256)
      .reduce((a, b) => a + b),
    1_297_026,
  );
});
