/** Which images a run is trained on: data.json of its folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset/dataset.js';
import { expected, UserError } from '../errors.js';
import { writeAtomic } from '../formats/atomic.js';

const DATA_FILE = 'data.json';

interface RunData {
  /** As of `Dataset`: the same images and classes have the same digest in any folder. */
  digest: string;
  /** Where they lay when the run was begun. */
  path: string;
  images: number;
}

type Trained = Pick<Dataset, 'path' | 'digest' | 'count'>;

/**
 * Fails if the run was begun with other images: it would go on, and its numbers would be of neither. Says nothing of a
 * run without a record.
 * @throws UserError
 */
export async function checkSameData(run: string, dataset: Trained): Promise<void> {
  const begun = await readRunData(run);
  if (!begun || begun.digest === dataset.digest) return;
  throw new UserError(
    `${run} was begun with the ${begun.images} images of ${begun.path}, not the ${dataset.count} of --data ${dataset.path} (digests ${begun.digest.slice(0, 12)}, ${dataset.digest.slice(0, 12)})`,
    { exitCode: 2, hint: 'continue it with its own images, or choose another --run' },
  );
}

/** Records the images of a run that has no record yet. */
export async function recordData(run: string, { path, digest, count }: Trained): Promise<void> {
  if (await readRunData(run)) return;
  const data: RunData = { digest, path, images: count };
  await writeAtomic(join(run, DATA_FILE), async (handle) => {
    await handle.writeFile(`${JSON.stringify(data, null, 2)}\n`);
  });
}

async function readRunData(run: string): Promise<RunData | undefined> {
  const path = join(run, DATA_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const data = JSON.parse(text) as RunData;
    if (typeof data.digest === 'string') return data;
  } catch {
    // Told below.
  }
  throw expected(
    'a record of the data, as train writes it',
    path,
    'something else',
    'remove it if the data is known to be the same',
  );
}
