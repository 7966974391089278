import t from 'tap';
import { nearestName } from '../../../src/core/config/nearest-name.js';

t.test('the name with the fewest letters to change, if there is one like it', async (t) => {
  const names = ['batchSize', 'steps', 'loss'];
  t.equal(nearestName('batchsize', names), 'batchSize', 'whatever the case');
  t.equal(nearestName('step', names), 'steps');
  t.equal(nearestName('lss', names), 'loss', 'a letter is missing');
  t.equal(nearestName('x', ['y', 'z']), 'y', 'the first of equals; one change is always few');
  t.equal(nearestName('momentum', names), undefined);
  t.equal(nearestName('loss', []), undefined);
});
