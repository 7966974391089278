/** What every source of images offers: a listing first, then the images in a stable order. */
import { expected } from '../../errors.js';
import type { Pixels } from '../pixels.js';

export const FORMATS = ['folder', 'csv', 'idx', 'cifar10', 'cifar100', 'tar', 'zip'] as const;
export type SourceFormat = (typeof FORMATS)[number];

/** Decoded pixels, encoded bytes, the path of an encoded file, or why there is neither. */
export type SourceImage = { pixels: Pixels } | { bytes: Uint8Array } | { path: string } | { error: string };

export interface SourceItem {
  /** Position in the source, from 0. */
  index: number;
  /** The path in the source, or the number of a record. */
  id: string;
  /** Class number; absent without labels. */
  label?: number;
  image: SourceImage;
}

export interface ImageSource {
  format: SourceFormat;
  /** The files that are read. */
  files: string[];
  count: number;
  /** Names by class number; absent without labels. */
  classes?: string[];
  /** Channels of the images, where the format fixes them. */
  channels?: 1 | 3;
  /** The images whose index is wanted, in order. */
  items(wanted: (index: number) => boolean): AsyncIterable<SourceItem>;
}

/** Class names in sorted order with their numbers; two that differ only by case are an error. */
export function classNumbers(names: Iterable<string>, where: string): Map<string, number> {
  const sorted = [...new Set(names)].sort(byCodePoint);
  checkCase(sorted, where);
  return new Map(sorted.map((name, number) => [name, number]));
}

/** Sorting that does not depend on the language settings of the machine. */
export function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function checkCase(names: readonly string[], where: string): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const folded = name.toLowerCase();
    const other = seen.get(folded);
    if (other !== undefined) {
      throw expected(
        'class names that differ by more than case',
        where,
        `${other} and ${name}`,
        'rename or merge the two',
      );
    }
    seen.set(folded, name);
  }
}
