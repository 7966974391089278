/** Floating-point operations of a training step, counted on the recorded graph: convolutions and matrix products. */
import { withExecutor } from '../src/core/backend/executor.js';
import type { GraphNode } from '../src/core/backend/graph/graph.js';
import { createRecorder } from '../src/core/backend/graph/recorder.js';
import { size } from '../src/core/backend/tensor.js';
import type { Config } from '../src/core/train/config.js';
import { runVariables } from '../src/core/train/initial.js';
import { stepFunction } from '../src/core/train/step.js';

/** Needs no engine. */
export function stepFlops(config: Config): number {
  const recorder = createRecorder(runVariables(config));
  const { inputs, run } = stepFunction(config);
  withExecutor(recorder, () =>
    recorder.record('step', () => {
      const given = Object.entries(inputs).map(([name, spec]) => [name, recorder.placeholder(name, spec)] as const);
      return run(Object.fromEntries(given), recorder.variables);
    }),
  );
  return recorder.nodes().reduce((total, node) => total + flopsOf(node), 0);
}

/** A multiplication and an addition for each pair that meets. */
function flopsOf({ op, inputs, outputs, attributes }: GraphNode): number {
  const input = (i: number) => inputs[i].node.outputs[inputs[i].output].shape;
  // Of an output, or a gradient of one: each of its elements is a sum over the kernel without its last axis.
  const convolution = (values: readonly number[], kernel: readonly number[]) => 2 * size(values) * size(kernel.slice(0, 3));
  switch (op) {
    case 'Conv2D':
      return convolution(outputs[0].shape, input(1));
    case 'Conv2DBackpropInput':
      return convolution(input(2), input(1));
    case 'Conv2DBackpropFilter':
      return convolution(input(2), outputs[0].shape);
    case 'MatMul': {
      const transposed = attributes.transpose_a.kind === 'bool' && attributes.transpose_a.value;
      return 2 * size(outputs[0].shape) * input(0)[transposed ? 0 : 1];
    }
    default:
      return 0;
  }
}
