/** From the rounds to the numbers that are printed. */
import type { Peak, Peaks } from './peak.js';
import type { Rounds } from './rounds.js';
import { median, pairedRatio } from './statistics.js';
import type { SystemName } from './systems.js';

/** Times are medians over the rounds; ratios are ours over theirs in the same round, their median. */
export interface SystemResult {
  ms: number;
  first_ms: number;
  peak_rss_mb: number;
  generate_images_per_second: number | null;
  encode_images_per_second: number | null;
}

export interface OwnResult extends SystemResult {
  /** Time of a step outside TensorFlow's session; all of it where there is no session. */
  js_ms: number | null;
  /** Of the rates that the machine reached in the same round, in the same precision. */
  fraction_of_matmul_peak: number;
  fraction_of_conv_peak: number;
}

export interface SettingResult {
  gflop: number;
  float32: OwnResult & { torch_eager_ratio: number | null };
  /** Absent where the processor emulates it. */
  bf16: (OwnResult & { torch_best_ratio: number | null; torch_best: SystemName | null }) | null;
  eager: OwnResult & { torch_eager_ratio: number | null };
  torch_eager: SystemResult | null;
  torch_bf16: SystemResult | null;
  torch_compile: SystemResult | null;
}

export function resultOf({ systems, peaks }: Rounds, flops: number, batchSize: number): SettingResult {
  const times = (name: SystemName) => systems[name]?.step;
  const ratio = (ours: SystemName, theirs: SystemName | null) =>
    theirs && times(theirs) ? pairedRatio(times(ours)!, times(theirs)!) : null;
  const plain = (name: SystemName): SystemResult | null => {
    const measured = systems[name];
    if (!measured) return null;
    const rate = (ms: number[]) => (ms.length > 0 ? (batchSize / median(ms)) * 1000 : null);
    return {
      ms: median(measured.step),
      first_ms: measured.first,
      peak_rss_mb: measured.megabytes,
      generate_images_per_second: rate(measured.generate),
      encode_images_per_second: rate(measured.encode),
    };
  };
  const own = (name: 'float32' | 'bf16' | 'eager'): OwnResult => {
    const precision = name === 'bf16' ? 'bf16' : 'float32';
    const fraction = (kind: 'matmul' | 'conv') =>
      median(times(name)!.map((ms, round) => flops / ms / 1e6 / peaks[round][precision]![kind]));
    return {
      ...plain(name)!,
      js_ms: name === 'eager' ? null : median(systems[name]!.js),
      fraction_of_matmul_peak: fraction('matmul'),
      fraction_of_conv_peak: fraction('conv'),
    };
  };
  const torchNames = (['torch_eager', 'torch_bf16', 'torch_compile'] as const).filter((name) => times(name));
  const best = torchNames.sort((a, b) => median(times(a)!) - median(times(b)!))[0] ?? null;
  return {
    gflop: flops / 1e9,
    float32: { ...own('float32'), torch_eager_ratio: ratio('float32', 'torch_eager') },
    bf16: times('bf16') ? { ...own('bf16'), torch_best_ratio: ratio('bf16', best), torch_best: best } : null,
    eager: { ...own('eager'), torch_eager_ratio: ratio('eager', 'torch_eager') },
    torch_eager: plain('torch_eager'),
    torch_bf16: plain('torch_bf16'),
    torch_compile: plain('torch_compile'),
  };
}

/** The machine's best rates in GFLOP/s, over all rounds. */
export function bestPeaks(peaks: Rounds['peaks']): Peaks {
  const of = (rates: readonly Peak[]): Peak => ({
    matmul: Math.max(...rates.map(({ matmul }) => matmul)),
    conv: Math.max(...rates.map(({ conv }) => conv)),
  });
  const bf16 = peaks.flatMap((peak) => peak.bf16 ?? []);
  return { float32: of(peaks.map(({ float32 }) => float32)), bf16: bf16.length > 0 ? of(bf16) : null };
}
