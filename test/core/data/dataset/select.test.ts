import t from 'tap';
import { type Part, select } from '../../../../src/core/data/dataset/select.js';

const indices = (selection: ReturnType<typeof select>, part: Part, count: number) =>
  Array.from({ length: count }, (_, i) => i).filter((i) => selection.partOf(i) === part);

t.test('disjoint parts of the sizes asked for', async (t) => {
  const selection = select(1000, { limit: 300, holdout: 50, seed: 1 });
  t.same([indices(selection, 'main', 1000).length, indices(selection, 'holdout', 1000).length], [250, 50]);
  t.match(selection, { main: 250, holdout: 50 });
  t.same(indices(select(5, { seed: 0 }), 'main', 5), [0, 1, 2, 3, 4]);
  t.match(select(5, { seed: 0, limit: 9 }), { main: 5, holdout: 0 });
});

t.test('the hold-out set does not move with the limit', async (t) => {
  const a = indices(select(1000, { limit: 300, holdout: 50, seed: 1 }), 'holdout', 1000);
  t.same(indices(select(1000, { holdout: 50, seed: 1 }), 'holdout', 1000), a);
  t.notSame(indices(select(1000, { holdout: 50, seed: 2 }), 'holdout', 1000), a);
});

t.test('something must be left', async (t) => {
  t.throws(() => select(10, { holdout: 10, seed: 0 }), { message: /fewer than the 10 images for --holdout, got 10/ });
  t.throws(() => select(10, { limit: 4, holdout: 4, seed: 0 }), { message: /fewer than the 4 images/ });
});
