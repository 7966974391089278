import t, { type Test } from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { bool, execute1, ints, type } from '../../../src/core/backend/executor.js';
import { readSafetensors } from '../../../src/core/formats/safetensors.js';
import { MODES } from '../../../src/core/inception/modes.js';
import { prepare, resize } from '../../../src/core/inception/resize.js';
import { fixture } from '../../paths.js';
import { images } from './synthetic.js';

const { tensors: references } = await readSafetensors(fixture('inception/reference.safetensors'));

/** In grey levels. Pillow and PyTorch compute in single precision too. */
const TOLERANCE = 1e-3;

function near(t: Test, got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number, what: string) {
  t.equal(got.length, wanted.length);
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) worst = Math.max(worst, Math.abs(got[i] - wanted[i]));
  t.ok(worst <= tolerance, `${what}: ${worst}`);
}

t.test("each mode resizes as its program does: TensorFlow 1's formula, Pillow, PyTorch", async (t) => {
  let compared = 0;
  for (const [name, { data }] of references) {
    const [, kind, mode, h, w] = /^(resize|samples)\/(\w+)\/(\d+)x(\d+)$/.exec(name) ?? [];
    if (!kind) continue;
    const [height, width] = [Number(h), Number(w)];
    const image = images(`resize/${h}x${w}`, [height, width, 3]);
    const known = MODES.find((one) => one === mode)!;
    if (kind === 'resize') near(t, resize(image, [height, width, 3], known, 16), data as Float32Array, TOLERANCE, name);
    else near(t, samples(resize(image, [height, width, 3], known)), data as Float32Array, TOLERANCE, name);
    compared += 1;
  }
  t.equal(compared, 18);
});

/** Every 29th row and 31st column of 299 x 299. */
function samples(image: Float32Array): number[] {
  const result: number[] = [];
  for (let y = 0; y < 299; y += 29) {
    for (let x = 0; x < 299; x += 31) result.push(...image.subarray((y * 299 + x) * 3, (y * 299 + x) * 3 + 3));
  }
  return result;
}

t.test("tf is TensorFlow's own ResizeBilinear, everywhere", async (t) => {
  const engine = await startEngine();
  for (const [h, w] of [
    [32, 32],
    [299, 299],
    [480, 360],
    [1, 2],
    [300, 298],
  ]) {
    const image = images(`own/${h}x${w}`, [h, w, 3]);
    const wanted = engine.scope(() => {
      const x = engine.constant(Float32Array.from(image), [1, h, w, 3], 'float32');
      const attributes = { T: type('float32'), align_corners: bool(false), half_pixel_centers: bool(false) };
      return engine.read(
        execute1('ResizeBilinear', attributes, [x, ints([299, 299])], { shape: [1, 299, 299, 3], dtype: 'float32' }),
      );
    });
    near(t, resize(image, [h, w, 3], 'tf'), wanted, 1e-4, `${w} x ${h}`);
  }
});

t.test('an image of the right size is not changed, and a constant one stays so', async (t) => {
  const image = images('same', [299, 299, 3]);
  for (const mode of MODES) {
    near(t, resize(image, [299, 299, 3], mode), image, 0, mode);
    near(
      t,
      resize(new Uint8Array(41 * 77).fill(93), [41, 77, 1], mode),
      new Float32Array(299 * 299).fill(93),
      1e-4,
      `${mode} of a constant`,
    );
  }
});

t.test('values that the network takes', async (t) => {
  const target = new Float32Array(299 * 299 * 3);
  const edge = Uint8Array.of(0, 255);
  const range = (mode: (typeof MODES)[number]) => {
    prepare(edge, [1, 2, 1], mode, target);
    return [target.reduce((a, b) => Math.min(a, b)), target.reduce((a, b) => Math.max(a, b))];
  };
  t.same(range('tf'), [-1, 127 / 128]);
  t.same(range('pytorch'), [-1, 1]);
  // Bicubic would go beyond at the edge.
  t.same(range('clean'), [-1, 127 / 128]);
  prepare(Uint8Array.of(10, 20, 30), [1, 1, 3], 'tf', target);
  t.same(
    target.subarray(0, 6),
    Float32Array.from([10, 20, 30, 10, 20, 30], (value) => (value - 128) / 128),
  );
  prepare(Uint8Array.of(10), [1, 1, 1], 'tf', target);
  t.ok(target.every((value) => value === (10 - 128) / 128));
});
