import t from 'tap';
import { thinned } from '../../../src/core/plot/thin.js';

t.test('long lines keep their ends and every peak', async (t) => {
  const x = Array.from({ length: 100_000 }, (_, i) => i / 100);
  const y = x.map((value, i) => Math.sin(value / 30) + (i === 34_567 ? 50 : 0) + (i === 70_001 ? -50 : 0));
  const found = thinned({ x, y }, 300);
  t.ok(found.x.length <= 1200 && found.x.length > 600);
  t.same([found.x[0], found.x.at(-1)], [x[0], x.at(-1)]);
  for (const peak of [34_567, 70_001]) t.equal(found.y[found.x.indexOf(x[peak])], y[peak]);
  t.ok(
    found.x.every((value, i) => i === 0 || value > found.x[i - 1]),
    'in order',
  );
  t.ok(
    found.x.every((value, i) => y[Math.round(value * 100)] === found.y[i]),
    'nothing is invented',
  );
});

t.test('short lines stay', async (t) => {
  const line = { x: [1, 2, 3], y: [4, 5, 6] };
  t.same(thinned(line, 300), line);
});
