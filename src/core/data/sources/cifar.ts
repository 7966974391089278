/**
 * CIFAR's binary records, plain or gzipped: one label byte (CIFAR-100: coarse, then fine), then the red, green and blue
 * plane of 32 x 32 pixels. https://www.cs.toronto.edu/~kriz/cifar.html
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expected } from '../../errors.js';
import { exists } from '../../formats/exists.js';
import { readUnpacked } from './bytes.js';
import { byCodePoint, type ImageSource, type SourceItem } from './source.js';

export type CifarKind = 'cifar10' | 'cifar100';

const SIDE = 32;
const PLANE = SIDE * SIDE;
const labelBytes = { cifar10: 1, cifar100: 2 };
const CIFAR10_CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
/** The training files of the official archives. */
const trainingFile = { cifar10: /^data_batch_\d+\.bin(\.gz)?$/, cifar100: /^train\.bin(\.gz)?$/ };

/** Bytes of one record. */
export function recordLength(kind: CifarKind): number {
  return labelBytes[kind] + 3 * PLANE;
}

/** The training files in a folder, sorted; empty if it is no CIFAR folder. */
export async function cifarFiles(dir: string, kind: CifarKind): Promise<string[]> {
  return (await readdir(dir))
    .filter((name) => trainingFile[kind].test(name))
    .sort(byCodePoint)
    .map((name) => join(dir, name));
}

/** A file of records, or the folder of the unpacked archive, of which the training files are taken. */
export async function openCifar(path: string, kind: CifarKind): Promise<ImageSource> {
  const files = (await stat(path)).isDirectory() ? await cifarFiles(path, kind) : [path];
  if (files.length === 0) {
    throw expected(
      kind === 'cifar10' ? 'data_batch_1.bin and so on' : 'train.bin',
      path,
      'none',
      'name the .bin file itself',
    );
  }
  const parts = await Promise.all(files.map((file) => readRecords(file, kind)));
  const classes = kind === 'cifar10' ? CIFAR10_CLASSES : await fineNames(dirname(files[0]));
  async function* items(wanted: (index: number) => boolean): AsyncGenerator<SourceItem> {
    let index = 0;
    for (const [part, records] of parts.entries()) {
      for (let start = 0; start < records.length; start += recordLength(kind), index++) {
        if (!wanted(index)) continue;
        const label = records[start + labelBytes[kind] - 1];
        if (label >= classes.length) {
          const record = start / recordLength(kind);
          throw expected(
            `a label from 0 to ${classes.length - 1}`,
            `record ${record} of ${files[part]}`,
            `${label}`,
            `is it ${kind}?`,
          );
        }
        const planes = records.subarray(start + labelBytes[kind], start + recordLength(kind));
        const pixels = { data: interleave(planes), height: SIDE, width: SIDE, channels: 3 as const };
        yield { index, id: String(index), label, image: { pixels } };
      }
    }
  }
  const count = parts.reduce((sum, part) => sum + part.length / recordLength(kind), 0);
  return { format: kind, files, count, classes, channels: 3, items };
}

async function readRecords(path: string, kind: CifarKind): Promise<Uint8Array> {
  const bytes = await readUnpacked(path);
  if (bytes.length > 0 && bytes.length % recordLength(kind) === 0) return bytes;
  throw expected(
    `${kind} records of ${recordLength(kind)} bytes`,
    path,
    `${bytes.length} bytes`,
    'check the path and --format',
  );
}

/** Planes [3, 32, 32] to pixels [32, 32, 3]. */
function interleave(planes: Uint8Array): Uint8Array {
  const pixels = new Uint8Array(3 * PLANE);
  for (let i = 0; i < PLANE; i++) {
    pixels[3 * i] = planes[i];
    pixels[3 * i + 1] = planes[PLANE + i];
    pixels[3 * i + 2] = planes[2 * PLANE + i];
  }
  return pixels;
}

/** CIFAR-100's class names from the file beside the records, or just the numbers. */
async function fineNames(dir: string): Promise<string[]> {
  const path = join(dir, 'fine_label_names.txt');
  const names = (await exists(path)) ? (await readFile(path, 'utf8')).split(/\r?\n/).filter(Boolean) : [];
  return names.length === 100 ? names : Array.from({ length: 100 }, (_, i) => String(i));
}
