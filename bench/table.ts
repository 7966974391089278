/** The result as text. */
import type { Peak, Peaks } from './peak.js';
import type { OwnResult, SettingResult, SystemResult } from './result.js';
import { SYSTEMS, type SystemName } from './systems.js';

const HEAD = [
  '',
  'ms/step',
  'of PyTorch f32',
  'of its best',
  'G img/s',
  'E img/s',
  'of matmul peak',
  'of conv peak',
  'JS ms',
  'first s',
  'peak MB',
];

export function settingTable(name: string, result: SettingResult): string {
  const rows = (Object.keys(SYSTEMS) as SystemName[]).flatMap((system) => {
    const numbers = result[system];
    return numbers ? [[SYSTEMS[system].label, ...row(numbers)]] : [];
  });
  return `${name}, ${Math.round(result.gflop)} GFLOP a step\n${align([HEAD, ...rows])}`;
}

export function peakText({ float32, bf16 }: Peaks): string {
  const rates = ({ matmul, conv }: Peak) => `matmul ${Math.round(matmul)}, convolution ${Math.round(conv)} GFLOP/s`;
  return `machine at best: float32 ${rates(float32)}; bf16 ${bf16 ? rates(bf16) : 'is emulated, and left out'}`;
}

function row(
  numbers: SystemResult & Partial<OwnResult & { torch_eager_ratio: number | null; torch_best_ratio: number | null }>,
): string[] {
  return [
    number(numbers.ms, 0),
    number(numbers.torch_eager_ratio, 2),
    number(numbers.torch_best_ratio, 2),
    number(numbers.generate_images_per_second, 0),
    number(numbers.encode_images_per_second, 0),
    number(numbers.fraction_of_matmul_peak, 2),
    number(numbers.fraction_of_conv_peak, 2),
    number(numbers.js_ms, 1),
    number(numbers.first_ms / 1000, 1),
    number(numbers.peak_rss_mb, 0),
  ];
}

const number = (value: number | null | undefined, digits: number) => (value == null ? '' : value.toFixed(digits));

/** The first column to the left, numbers to the right. */
export function align(rows: string[][]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  const pad = (cell: string, column: number) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]));
  return rows.map((cells) => cells.map(pad).join('  ').trimEnd()).join('\n');
}
