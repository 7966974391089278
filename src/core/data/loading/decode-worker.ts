/** A decoding thread: orders come in, batches go out, both in turn. It reads the shards' files itself. */
import { type FileHandle, open } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { readExactly } from '../../formats/input.js';
import { developImage, type Location, type Recipe, reasonOf } from '../dataset/stored.js';
import type { DecodeAnswer, DecodeOrder } from './decode-pool.js';

const port = parentPort!;
const recipe = workerData as Recipe;
const imageLength = recipe.resolution ** 2 * recipe.channels;
const files = new Map<string, Promise<FileHandle>>();
/** An image goes through Node's pool of four threads several times, waiting for its turn beside a busy main thread. */
const AT_ONCE = 4;
let closing = false;
let work: Promise<void> = Promise.resolve();

port.on('message', (message: DecodeOrder | 'close') => {
  if (message === 'close') closing = true;
  work = work.then(() => (message === 'close' ? close() : answer(message)));
});

async function answer({ order, step, first, locations }: DecodeOrder): Promise<void> {
  const images = new Uint8Array(locations.length * imageLength);
  const failures: Array<{ place: number; reason: string }> = [];
  let next = 0;
  const makeImages = async () => {
    while (next < locations.length && failures.length === 0 && !closing) {
      const i = next++;
      const place = first + i;
      try {
        images.set(await developImage(await read(locations[i]), recipe, step, place), i * imageLength);
      } catch (error) {
        failures.push({ place, reason: reasonOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, makeImages));
  if (closing) return;
  // Places are taken in order, so that the first of those that failed does not depend on who was quicker.
  const [failure] = failures.sort((a, b) => a.place - b.place);
  if (failure) port.postMessage({ order, ...failure } satisfies DecodeAnswer);
  else port.postMessage({ order, images } satisfies DecodeAnswer, [images.buffer]);
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
