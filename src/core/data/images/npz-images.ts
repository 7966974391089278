/** An .npz with an array of images: ADM's samples and reference batches have arr_0. */
import { expected } from '../../errors.js';
import { sha256File } from '../../formats/digest.js';
import type { NpyHeader } from '../../formats/npy/npy.js';
import { npzNames, openNpzStream } from '../../formats/zip/npz-stream.js';
import type { FoundImages } from './image-set.js';
import { streamedImages } from './streamed-images.js';

const USUAL = 'arr_0';

/** The array arr_0, or the only one. */
export async function findNpz(path: string): Promise<FoundImages> {
  const names = await npzNames(path);
  const name = names.includes(USUAL) || names.length !== 1 ? USUAL : names[0];
  if (!names.includes(name)) {
    throw expected(`the images as ${USUAL}`, path, names.join(', ') || 'no array', `numpy.savez(path, images)`);
  }
  const { header, close } = await openNpzStream(path, name);
  close();
  return imagesOfNpz(path, name, header);
}

/** The array `name`, whose header has been read. */
export function imagesOfNpz(path: string, name: string, header: NpyHeader): FoundImages {
  return streamedImages({
    kind: 'npz',
    path,
    title: `${path} (${name})`,
    header,
    digest: () => sha256File(path),
    rows: () => openNpzStream(path, name),
  });
}
