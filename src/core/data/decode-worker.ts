/** A decoding thread: orders come in, images go out, both in turn. It reads the shards' files itself. */
import { open, type FileHandle } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { readExactly } from '../formats/input.js';
import type { DecodeAnswer, DecodeOrder } from './decode-pool.js';
import { developImage, reasonOf, type Location, type Recipe } from './stored.js';

const port = parentPort!;
const recipe = workerData as Recipe;
const imageLength = recipe.resolution ** 2 * recipe.channels;
const files = new Map<string, Promise<FileHandle>>();
let closing = false;
let work: Promise<void> = Promise.resolve();

port.on('message', (message: DecodeOrder | 'close') => {
  if (message === 'close') closing = true;
  work = work.then(() => (message === 'close' ? close() : answer(message)));
});

async function answer({ order, step, first, locations }: DecodeOrder): Promise<void> {
  const images = new Uint8Array(locations.length * imageLength);
  for (const [i, location] of locations.entries()) {
    if (closing) return;
    const place = first + i;
    try {
      images.set(await developImage(await read(location), recipe, step, place), i * imageLength);
    } catch (error) {
      return port.postMessage({ order, place, reason: reasonOf(error) } satisfies DecodeAnswer);
    }
  }
  port.postMessage({ order, images } satisfies DecodeAnswer, [images.buffer]);
}

async function read({ path, offset, length }: Location): Promise<Uint8Array> {
  let file = files.get(path);
  if (!file) files.set(path, (file = open(path, 'r')));
  const bytes = new Uint8Array(length);
  await readExactly(await file, bytes, offset, path);
  return bytes;
}

async function close(): Promise<void> {
  for (const file of files.values()) await (await file.catch(() => undefined))?.close();
  port.close();
}
