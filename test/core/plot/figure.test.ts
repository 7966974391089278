/** Reads figures back: what is drawn is where the numbers at the axes say. */
import t, { type Test } from 'tap';
import { drawFigure } from '../../../src/core/plot/figure.js';
import type { MeanCurve } from '../../../src/core/plot/groups.js';
import { elements, panelsIn } from './read-svg.js';

const curve = (points: [number, number][], deviation?: number[]): MeanCurve => ({
  steps: points.map(([x]) => x),
  x: points.map(([x]) => x),
  mean: points.map(([, y]) => y),
  deviation,
  runs: deviation ? 3 : 1,
});

function near(t: Test, found: number[][], wanted: number[][], message: string) {
  t.equal(found.length, wanted.length, message);
  found.forEach(([x, y], i) =>
    t.ok(
      Math.abs(x - wanted[i][0]) < 0.2 && Math.abs(y - wanted[i][1]) < 0.01,
      `${message}: ${[x, y]} is ${wanted[i]}`,
    ),
  );
}

t.test('lines and bands lie where the axes say', async (t) => {
  const points: [number, number][] = [
    [0, 1],
    [50, 1.5],
    [100, -0.5],
    [200, 2],
  ];
  const svg = drawFigure({
    groups: ['a', 'b'],
    panels: [
      {
        keys: ['loss'],
        curves: [
          [{ curve: curve(points, [0.1, 0.2, 0.3, 0.4]) }],
          [
            {
              curve: curve([
                [100, 0],
                [200, 3],
              ]),
              raw: curve([
                [100, -1],
                [200, 3.5],
              ]),
            },
          ],
        ],
      },
      { keys: ['top1'], curves: [[undefined], [{ curve: curve([[200, 0.9]]) }]] },
    ],
    x: 'step',
  });
  const [loss, top1] = panelsIn(svg);
  t.equal(loss.lines.length, 3);
  near(
    t,
    loss.lines[0].points,
    [
      [100, -1],
      [200, 3.5],
    ],
    'raw',
  );
  t.equal(loss.lines[0].opacity, 0.3);
  near(t, loss.lines[1].points, points, 'a');
  near(
    t,
    loss.lines[2].points,
    [
      [100, 0],
      [200, 3],
    ],
    'b',
  );
  t.equal(loss.bands.length, 1, 'a single run has none');
  near(
    t,
    loss.bands[0].points,
    [
      [0, 1.1],
      [50, 1.7],
      [100, -0.2],
      [200, 2.4],
      [200, 1.6],
      [100, -0.8],
      [50, 1.3],
      [0, 0.9],
    ],
    'band',
  );
  t.equal(loss.bands[0].colour, loss.lines[1].colour);
  t.not(loss.lines[1].colour, loss.lines[2].colour);
  t.same(loss.title, ['loss']);
  near(t, top1.dots, [[200, 0.9]], 'a single evaluation is a dot');
  t.equal(top1.lines[0].colour, loss.lines[2].colour, 'a group has its colour in every panel');
});

t.test('one run: a colour for each key; several: a dash', async (t) => {
  const curves = ['loss_d', 'loss_eg', 'third'].map((_, i) => ({
    curve: curve([
      [0, i],
      [9, i + 1],
    ]),
  }));
  const panel = { keys: ['loss_d', 'loss_eg', 'third'], curves: [curves] };
  const [alone] = panelsIn(drawFigure({ groups: ['a'], panels: [panel], x: 'step' }));
  t.same(alone.title, panel.keys);
  t.equal(new Set(alone.lines.map(({ colour }) => colour)).size, 3);
  t.same(
    alone.lines.map(({ dash }) => dash),
    [undefined, undefined, undefined],
  );
  const [both] = panelsIn(
    drawFigure({ groups: ['a', 'b'], panels: [{ ...panel, curves: [curves, curves] }], x: 'step' }),
  );
  t.equal(new Set(both.lines.map(({ colour }) => colour)).size, 2);
  t.equal(new Set(both.lines.map(({ colour, dash }) => `${colour}${dash}`)).size, 6);
});

t.test('text is escaped, and nothing lies outside', async (t) => {
  const name = `</text><script>alert("&")</script>\u0007\ud800`;
  const panels = Array.from({ length: 8 }, (_, i) => ({
    keys: [`k${i}<&>"`],
    curves: [
      [
        {
          curve: curve([
            [1, 1e9 * i],
            [2, -1e9],
          ]),
        },
      ],
    ],
  }));
  const svg = drawFigure({ groups: [name], panels, x: 'epoch', remark: 'a < b' });
  const all = elements(svg);
  t.notOk(svg.includes('<script'));
  t.ok(
    all.some(({ name: kind, text }) => kind === 'text' && text === `</text><script>alert("&")</script>\ufffd\ufffd`),
  );
  t.same(
    panelsIn(svg).map(({ title }) => title),
    panels.map(({ keys }) => keys),
  );
  t.ok(all.some(({ text }) => text === 'a < b'));
  const [{ attributes }] = all;
  for (const { name: kind, attributes: at } of all.filter(({ name: kind }) => kind === 'text' || kind === 'circle')) {
    const [x, y] = [Number(at.x ?? at.cx), Number(at.y ?? at.cy)];
    t.ok(x >= 0 && x <= Number(attributes.width) && y >= 0 && y <= Number(attributes.height), `${kind} at ${x}, ${y}`);
  }
});

t.test('curves that do not move', async (t) => {
  for (const value of [0, 3, -1e-7, 0.1 + 0.2]) {
    const points: [number, number][] = [
      [10, value],
      [20, value * (1 + 1e-15)],
    ];
    const [panel] = panelsIn(
      drawFigure({ groups: ['a'], panels: [{ keys: ['x'], curves: [[{ curve: curve(points) }]] }], x: 'step' }),
    );
    near(t, panel.lines[0].points, points, String(value));
    t.ok(
      panel.labels.every((label) => label.length < 9),
      String(panel.labels),
    );
  }
});
