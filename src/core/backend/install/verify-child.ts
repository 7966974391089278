/** The program that `verify.ts` starts: prints what the engine is as one line of JSON. */
import { createRequire } from 'node:module';
import { installNodeShim } from '../node-shim.js';

installNodeShim();
const tf = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu') as typeof import('@tensorflow/tfjs-node-gpu');
const backend = tf.backend() as unknown as {
  binding: { TF_Version: string };
  isGPUPackage: boolean;
  isUsingGpuDevice: boolean;
};
process.stdout.write(
  `${JSON.stringify({
    tensorflow: backend.binding.TF_Version,
    device: backend.isUsingGpuDevice ? 'gpu' : 'cpu',
    sum: tf.add(1, 2).dataSync()[0],
  })}\n`,
);
