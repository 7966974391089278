import t from 'tap';
import { knnAccuracy, vote } from '../../../../src/core/metrics/neighbours/knn.js';

t.test('the most frequent class wins', async (t) => {
  t.equal(vote([4, 2, 2, 4, 2], 5), 2);
  t.equal(vote([4, 2, 2, 4, 2], 1), 4);
});

t.test('a tie goes to the class of the nearest neighbour among the tied', async (t) => {
  t.equal(vote([9, 2, 5, 5, 2], 5), 2);
  t.equal(vote([9, 5, 2, 2, 5, 9], 6), 9);
  t.equal(vote([9, 5, 2], 3), 9);
});

t.test('accuracy for several k of one search', async (t) => {
  const top1 = knnAccuracy({
    neighbours: Int32Array.of(0, 1, 2, 2, 1, 0),
    found: 3,
    trainLabels: Int32Array.of(7, 8, 8),
    testLabels: Int32Array.of(7, 8),
    ks: [1, 3],
    leaveOneOut: false,
  });
  t.same(top1, { 1: 1, 3: 0.5 });
});

t.test('leave-one-out drops the row itself, wherever it is', async (t) => {
  const labels = Int32Array.of(7, 8, 8);
  const top1 = knnAccuracy({
    // Row 1 and row 2 are equal, so row 2 finds row 1 before itself.
    neighbours: Int32Array.of(0, 1, 1, 2, 1, 2),
    found: 2,
    trainLabels: labels,
    testLabels: labels,
    ks: [1],
    leaveOneOut: true,
  });
  t.same(top1, { 1: 2 / 3 });
});
