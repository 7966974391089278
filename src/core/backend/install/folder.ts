/** TensorFlow's files from a folder: an unpacked C tarball (`lib`, `include`) or an installed Python package. */
import { constants } from 'node:fs';
import { copyFile, link, mkdir, readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Device } from './release.js';
import { FRAMEWORK_LIBRARY, HEADERS, MAIN_LIBRARIES, placeOf } from './release.js';

/** Puts what it finds into `prefix`; what is missing is found out later, for all kinds of source alike. */
export async function takeFolder(folder: string, prefix: string, device: Device): Promise<void> {
  const libraries = [...MAIN_LIBRARIES, FRAMEWORK_LIBRARY];
  for (const place of ['lib', '.']) {
    for (const library of libraries) await take(join(folder, place, library), join(prefix, 'lib', library));
  }
  for (const header of HEADERS) await take(join(folder, 'include', header), join(prefix, 'include', header));
  if (device === 'gpu' && basename(folder) === 'tensorflow') await takeCuda(join(dirname(folder), 'nvidia'), prefix);
}

/** The CUDA libraries that pip installs beside TensorFlow, in `nvidia/<part>/lib`. */
async function takeCuda(nvidia: string, prefix: string): Promise<void> {
  for (const part of await names(nvidia)) {
    for (const name of await names(join(nvidia, part, 'lib'))) {
      const path = `nvidia/${part}/lib/${name}`;
      const place = placeOf(path);
      if (place) await take(join(dirname(nvidia), path), join(prefix, place));
    }
  }
}

async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** A hard link where the file system allows it, else a copy: the libraries have 850 MB. */
async function take(source: string, target: string): Promise<void> {
  const real = await realpath(source).catch(() => undefined);
  if (!real) return;
  await mkdir(dirname(target), { recursive: true });
  await link(real, target).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') await copyFile(real, target, constants.COPYFILE_FICLONE);
  });
}
