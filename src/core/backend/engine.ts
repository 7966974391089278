/** Starts TensorFlow through tfjs-node: the one module of core that touches the process. */
import { createRequire } from 'node:module';
import { type Binding, createEagerExecutor, type EagerExecutor } from './eager.js';
import { setExecutor } from './executor.js';
import { requireEngine } from './install/status.js';
import { installNodeShim } from './node-shim.js';
import { withoutLibraryNotices } from './quiet.js';

export interface EngineSettings {
  /** Threads of the kernels; all cores when absent. */
  threads?: number;
}

export interface Engine extends EagerExecutor {
  binding: Binding;
  /** TensorFlow's version. */
  tensorflow: string;
}

let started: Engine | undefined;

/**
 * Loads the library (0.5 s, 400 MB) and makes it the executor of all operations. Later calls give the same engine.
 * @throws UserError when the engine is not installed.
 */
export async function startEngine(settings: EngineSettings = {}): Promise<Engine> {
  if (started) return started;
  requireEngine();
  prepareEnvironment(settings);
  installNodeShim();
  started = withoutLibraryNotices(() => {
    const tf = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu') as { backend(): { binding: Binding } };
    const { binding } = tf.backend();
    const executor = createEagerExecutor(binding);
    setExecutor(executor);
    return { ...executor, binding, tensorflow: binding.TF_Version };
  });
  return started;
}

/** TensorFlow reads these once, while it loads; what the user has set stays. */
function prepareEnvironment({ threads }: EngineSettings): void {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  // TensorFlow itself uses oneDNN only where there is AVX-512 with VNNI; with AVX2 alone it is the faster one too.
  if (process.arch === 'x64') process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  // Full float32 on cards that would round it to TF32.
  process.env.NVIDIA_TF32_OVERRIDE ??= '0';
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  if (threads !== undefined) {
    process.env.TF_NUM_INTRAOP_THREADS = String(threads);
    process.env.TF_NUM_INTEROP_THREADS = String(threads);
    process.env.OMP_NUM_THREADS = String(threads);
  }
}
