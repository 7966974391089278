import t from 'tap';
import type { EvaluationLine } from '../../../../src/core/train/evaluation/evaluation-line.js';
import { standing } from '../../../../src/core/train/evaluation/selection.js';

const protocol = { data_digest: 'd', seed: 0, images: 8 };
const line = (step: number, top1: number, ratio = 1, more: Partial<EvaluationLine> = {}): EvaluationLine => ({
  ...{ step, epoch: step, data: 'd', protocol, seconds: 1 },
  ...{ linear_probe: { top1, top5: 1 }, reconstruct: { l1_matched: 1, l1_mismatched: 1, l1_ratio: ratio } },
  ...more,
});

t.test('the highest probe, the lowest ratio; the first of equals', async (t) => {
  const lines = [line(2, 0.5, 0.9), line(4, 0.7, 0.8), line(6, 0.7, 0.7), line(8, 0.6, 0.9)];
  t.same(standing(lines, 'probe'), { best: { step: 4, value: 0.7 }, since: 2 });
  t.same(standing(lines, 'reconstruction'), { best: { step: 6, value: 0.7 }, since: 1 });
  t.same(standing(lines.slice(0, 1), 'probe'), { best: { step: 2, value: 0.5 }, since: 0 });
});

t.test('kNN by the nearest neighbour, and the distance', async (t) => {
  const lines = [
    line(1, 0, 0, { knn: { top1: { '1': 0.5, '5': 0.1 } }, fid: { frechet_distance: 9 } }),
    line(2, 0, 0, { knn: { top1: { '1': 0.4, '5': 0.9 } }, fid: { frechet_distance: 3 } }),
  ];
  t.equal(standing(lines, 'knn').best!.step, 1);
  t.same(standing(lines, 'fid'), { best: { step: 2, value: 3 }, since: 0 });
});

t.test('nothing to choose from', async (t) => {
  t.same(standing([], 'probe'), { since: 0 });
  t.same(standing([line(2, 0.5)], 'fid'), { since: 0 });
});

t.test('lines without the number, or of another protocol, do not count', async (t) => {
  const other = { protocol: { ...protocol, images: 9 } };
  t.same(standing([line(2, 0.9, 1, other), line(4, 0.5), line(6, 0.4)], 'probe'), {
    best: { step: 4, value: 0.5 },
    since: 1,
  });
  const none = JSON.parse(JSON.stringify(line(4, NaN))) as EvaluationLine;
  t.same(standing([line(2, 0.5), none, line(6, 0.4)], 'probe'), { best: { step: 2, value: 0.5 }, since: 1 });
  t.same(
    standing([line(2, 0.5), line(4, NaN), line(6, 0.4)], 'probe'),
    { best: { step: 2, value: 0.5 }, since: 1 },
    'as it is before it is written',
  );
});
