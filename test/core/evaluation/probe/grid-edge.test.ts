import t from 'tap';
import { gridEdge } from '../../../../src/core/evaluation/probe/grid-edge.js';

t.test('the ends of what was tried', async (t) => {
  t.equal(gridEdge([0.1, 0.001, 0.01], 0.1), 'largest');
  t.equal(gridEdge([0.1, 0.001, 0.01], 0.001), 'smallest');
  t.equal(gridEdge([0.1, 0.001, 0.01], 0.01), undefined);
  t.equal(gridEdge([0, 0.01, 0.1], 0), undefined, 'nothing is below 0');
  t.equal(gridEdge([0.01], 0.01), undefined, 'nothing was chosen');
});
