/** Which device the libraries are for, and what the processor offers. */
import { existsSync, readFileSync } from 'node:fs';
import type { Device } from './release.js';
import { runProgram } from './run.js';

/** A GPU counts when its driver answers. */
export async function detectDevice(): Promise<Device> {
  if (existsSync('/dev/nvidia0')) return 'gpu';
  return (await runProgram('nvidia-smi', ['-L'])).code === 0 ? 'gpu' : 'cpu';
}

/** The instruction sets that TensorFlow's kernels make use of, by their names in `/proc/cpuinfo`. */
const FEATURES = ['avx2', 'fma', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'avx512_fp16', 'amx_bf16', 'amx_int8'];

/** Those of this processor, as `AVX2`, `AVX512_BF16`, …; empty where the system does not tell. */
export function processorFeatures(): string[] {
  let text: string;
  try {
    text = readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return [];
  }
  const flags = new Set(/^flags\s*:(.*)$/m.exec(text)?.[1].trim().split(' '));
  return FEATURES.filter((feature) => flags.has(feature)).map((feature) => feature.toUpperCase());
}
