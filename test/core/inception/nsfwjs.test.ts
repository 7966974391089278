import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { nsfwjsExtractor } from '../../../src/core/evaluation/fid/extractors/nsfwjs-extractor.js';

const dir = process.env.BIGBIGAN_NSFWJS;

t.test(
  "real weights give tfjs's own layers' numbers",
  { skip: !dir && 'BIGBIGAN_NSFWJS names no folder of the npm package nsfwjs@4.4.0' },
  async (t) => {
    const extractor = await nsfwjsExtractor(await startEngine(), { dir: dir! });
    const ramp = new Uint8Array(299 * 299 * 3);
    for (let i = 0; i < ramp.length; i++) {
      const [y, x, c] = [Math.floor(i / 897), Math.floor(i / 3) % 299, i % 3];
      ramp[i] = 7 * x + 13 * y + 29 * c;
    }
    const { features } = extractor.extract(ramp, [1, 299, 299, 3]);
    const mean = features.reduce((sum, value) => sum + value, 0) / features.length;
    const largest = features.reduce((a, b) => Math.max(a, b));
    // loadLayersModel of tfjs 4.22 on the same pixels / 255: the layer flatten_1.
    for (const [got, wanted] of [
      [mean, 0.003682],
      [largest, 0.36919],
      [features[0], 0.04156],
      [features[1], 0],
      [features[2], 0.01785],
    ]) {
      t.ok(Math.abs(got - wanted) < 1e-5, `${got} against ${wanted}`);
    }
    extractor.close();
  },
);

t.test('what is to be installed is said', async (t) => {
  const message = /expected the npm package nsfwjs for .*got Cannot find module/;
  await t.rejects(nsfwjsExtractor(await startEngine(), { dir: t.testdir() }), {
    name: 'UserError',
    message,
    hint: /npm install .*nsfwjs@4\.4\.0/,
  });
});
