/** From a path to its source: by `--format`, or by what the path holds. */
import { stat } from 'node:fs/promises';
import { expected } from '../../errors.js';
import { peek } from './bytes.js';
import { cifarFiles, openCifar, recordLength } from './cifar.js';
import { openFolder } from './folder.js';
import { isIdxImages, openIdx } from './idx.js';
import { FORMATS, type ImageSource, type SourceFormat } from './source.js';

/** Opens a path as `format`; csv, tar and zip readers are loaded only when they are needed. */
export async function openSource(path: string, format: SourceFormat, labels?: string): Promise<ImageSource> {
  const status = await stat(path);
  const folderOnly = format === 'folder';
  if (status.isDirectory() !== folderOnly && !(status.isDirectory() && format.startsWith('cifar'))) {
    throw expected(
      folderOnly ? 'a folder' : `a file of format ${format}`,
      path,
      folderOnly ? 'a file' : 'a folder',
      'check --format',
    );
  }
  switch (format) {
    case 'folder':
      return openFolder(path);
    case 'csv':
      return (await import('./csv.js')).openCsv(path);
    case 'idx':
      return openIdx(path, labels);
    case 'cifar10':
    case 'cifar100':
      return openCifar(path, format);
    case 'tar':
      return (await import('./tar.js')).openTar(path);
    case 'zip':
      return (await import('./zip.js')).openZip(path);
  }
}

/** Tells the format from the kind of path, its first bytes, its size and its name; an error if nothing fits. */
export async function recogniseFormat(path: string): Promise<SourceFormat> {
  const status = await stat(path).catch(() => undefined);
  if (!status) throw expected('a folder or file of images', path, 'no such file or folder', 'check the path');
  if (status.isDirectory()) {
    for (const kind of ['cifar10', 'cifar100'] as const) {
      if ((await cifarFiles(path, kind)).length > 0) return kind;
    }
    return 'folder';
  }
  if (/\.(csv|tsv)$/i.test(path)) return 'csv';
  if (/\.(tar|tar\.gz|tgz)$/i.test(path)) return 'tar';
  const { start, size } = await peek(path);
  if (start[0] === 0x50 && start[1] === 0x4b) return 'zip';
  if (isIdxImages(start)) return 'idx';
  if (/\.bin(\.gz)?$/i.test(path) && size > 0) {
    const fits = (['cifar10', 'cifar100'] as const).filter((kind) => size % recordLength(kind) === 0);
    if (fits.length === 1) return fits[0];
  }
  throw expected(
    `one of ${FORMATS.join(', ')}`,
    path,
    'a file that cannot be recognised',
    'say which with --format; for single images name their folder',
  );
}
