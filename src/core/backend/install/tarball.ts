/** TensorFlow's files out of the C library's tarball. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { UserError } from '../../errors.js';
import { placeOf } from './release.js';

export async function unpackTarball(path: string, prefix: string): Promise<void> {
  await unpack(createReadStream(path), prefix);
}

/** Unpacks while it downloads. */
export async function downloadTarball(url: string, prefix: string): Promise<void> {
  const response = await fetch(url).catch((error: Error & { cause?: Error }) => {
    throw new UserError(`no connection to ${new URL(url).host} (${error.cause?.message || error.message})`);
  });
  if (!response.ok || !response.body) throw new UserError(`${url} answered ${response.status}`);
  await unpack(Readable.fromWeb(response.body as import('node:stream/web').ReadableStream), prefix);
}

async function unpack(source: Readable, prefix: string): Promise<void> {
  const tar = extract();
  const reading = pipeline(source, createGunzip(), tar);
  reading.catch((error) => tar.destroy(error));
  for await (const entry of tar) {
    const place = entry.header.type === 'file' ? placeOf(entry.header.name) : undefined;
    if (!place) {
      entry.resume();
      continue;
    }
    const target = join(prefix, place);
    await mkdir(dirname(target), { recursive: true });
    await pipeline(entry, createWriteStream(target));
  }
  await reading;
}
