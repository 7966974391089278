import { readJsonl, truncateJsonl } from '../formats/jsonl.js';

/** Drops the lines of steps after `step`: training continues from there and writes them anew. */
export async function keepLogUntil(path: string, step: number): Promise<void> {
  const lines = await readJsonl<{ step: number }>(path);
  const keep = lines.findIndex((line) => line.step > step);
  if (keep >= 0) await truncateJsonl(path, keep);
}
