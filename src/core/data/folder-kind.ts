/** What kind of this program's folders one is, to name a mistake where another kind was wanted. */
import { readdir } from 'node:fs/promises';

export const RUN = 'a run of bigbigan train';

/** By the files that are in every folder of a kind. */
const KINDS: [kind: string, files: string[]][] = [
  [RUN, ['config.json', 'checkpoints']],
  [RUN, ['config.json', 'log.jsonl']],
  ['a dataset made by bigbigan prep-data', ['dataset.json']],
  ['features made by bigbigan encode', ['features.json']],
  ['images made by bigbigan generate', ['images.json']],
  ['a SavedModel', ['saved_model.pb']],
];

/** Undefined for any other folder, for a file, and for nothing at all. */
export async function folderKind(path: string): Promise<string | undefined> {
  const names = await readdir(path).catch((): string[] => []);
  return KINDS.find(([, files]) => files.every((file) => names.includes(file)))?.[0];
}
