/** The files of a dataset's shards: there, undamaged, and what is said of a row that is not. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expected, type UserError } from '../../errors.js';
import { sha256File } from '../../formats/digest.js';
import type { Shard, ShardFile } from './manifest.js';

/** The file's size in bytes. @throws UserError if the file is missing */
export async function present(dir: string, { file }: ShardFile): Promise<number> {
  const status = await stat(join(dir, file)).catch(() => {
    throw expected(`the shard ${file}`, dir, 'no such file', 'the dataset is incomplete: prepare it again');
  });
  return status.size;
}

/** The path of a file of the dataset whose content is the recorded one. */
export async function verified(dir: string, { file, sha256 }: ShardFile): Promise<string> {
  await present(dir, { file, sha256 });
  const path = join(dir, file);
  const found = await sha256File(path);
  if (found !== sha256) {
    throw expected(
      `SHA-256 ${sha256} as dataset.json says`,
      path,
      found,
      'the file is damaged: prepare the dataset again',
    );
  }
  return path;
}

export async function readIds(dir: string, { ids }: Shard): Promise<string[]> {
  return (await readFile(await verified(dir, ids), 'utf8')).split('\n').slice(0, -1);
}

/** The error for an image that was sound when the dataset was made, by its id, file and row. */
export async function undecodable(dir: string, shard: Shard, row: number, reason: string): Promise<UserError> {
  const id = (await readIds(dir, shard))[row];
  const where = `${id}, row ${row} of ${join(dir, shard.images.file)}`;
  return expected('an image', where, reason, 'the dataset is damaged: prepare it again');
}
