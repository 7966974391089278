/** Images of any size through a network of 299 x 299. */
import type { Engine } from '../../../backend/engine.js';
import type { GraphFunction } from '../../../backend/graph-function.js';
import { createMachine } from '../../../backend/machine.js';
import type { Tensor } from '../../../backend/tensor.js';
import type { VariableSpec, Variables, VariableValues } from '../../../backend/variables.js';
import type { Mode } from '../../../inception/modes.js';
import { SIDE } from '../../../inception/network.js';
import { prepare, type Scaling } from '../../../inception/resize.js';
import { callsFor } from '../../../model/calls.js';

export interface ResizedBatchesSettings<Output extends string> {
  specs: readonly VariableSpec[];
  values: VariableValues;
  /** Images float32 [n,299,299,3] → outputs [n, width]. */
  network(variables: Variables, images: Tensor): Record<Output, Tensor>;
  widths: Record<Output, number>;
  mode: Mode;
  scaling: Scaling;
  batchSize?: number;
}

/** Values of a prepared image. */
const SEEN = SIDE * SIDE * 3;

/** Gives a function from uint8 images [n,h,w,1 or 3] to float32 rows [n, width] of each output. */
export function resizedBatches<Output extends string>(engine: Engine, settings: ResizedBatchesSettings<Output>) {
  const { specs, values, network, widths, mode, scaling, batchSize = 16 } = settings;
  const ofImages = (n: number): GraphFunction => ({
    inputs: { images: { shape: [n, SIDE, SIDE, 3], dtype: 'float32' } },
    run: ({ images }, variables) => network(variables, images),
  });
  const functions = { batch: ofImages(batchSize), single: ofImages(1) };
  const machine = createMachine(engine, { execution: 'traced', precision: 'float32', specs, values, functions });
  const outputs = Object.entries(widths) as [Output, number][];

  function run(images: Uint8Array, [count, height, width, channels]: readonly [number, number, number, number]) {
    const rows = Object.fromEntries(outputs.map(([name, row]) => [name, new Float32Array(count * row)])) as Record<
      Output,
      Float32Array
    >;
    const length = height * width * channels;
    for (const { first, count: n, size } of callsFor(count, batchSize)) {
      const batch = new Float32Array(size * SEEN);
      for (let i = 0; i < n; i++) {
        const image = images.subarray((first + i) * length, (first + i + 1) * length);
        prepare(image, [height, width, channels], mode, batch.subarray(i * SEEN, (i + 1) * SEEN), scaling);
      }
      const made = machine.call(size === 1 ? 'single' : 'batch', { images: batch });
      for (const [name, row] of outputs) rows[name].set(made[name].subarray(0, n * row), first * row);
    }
    return rows;
  }
  return { run, close: () => machine.dispose() };
}
