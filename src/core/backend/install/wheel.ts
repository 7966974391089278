/** TensorFlow's files out of a Python wheel, which is a zip: only the few that are needed are unpacked. */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import { placeOf } from './release.js';

/** Unpacks into `prefix`, streaming; yauzl checks sizes and CRCs. */
export async function unpackWheel(wheel: string, prefix: string): Promise<void> {
  const zip = await openPromise(wheel, { lazyEntries: true });
  for await (const entry of zip.eachEntry()) {
    const place = placeOf(entry.fileName);
    if (!place) continue;
    const target = join(prefix, place);
    await mkdir(dirname(target), { recursive: true });
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target));
  }
}
