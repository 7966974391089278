import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import {
  joinNeighbours,
  type NeighbourPart,
  writeNeighbours,
} from '../../../../src/core/evaluation/knn/neighbour-folder.js';
import { readNpy } from '../../../../src/core/formats/npy/npy.js';

const neighbours = (first: number, queries: number) => ({
  rows: Int32Array.from({ length: 2 * queries }, (_, i) => 2 * first + i),
  distances: Float64Array.from({ length: 2 * queries }, (_, i) => (2 * first + i) / 8),
  found: 2,
});

async function part(dir: string, first: number, queries: number): Promise<NeighbourPart> {
  return { path: `${dir}.json`, folder: dir, digests: await writeNeighbours(dir, neighbours(first, queries)), queries };
}

t.test('parts joined are the whole', async (t) => {
  const dir = t.testdir();
  const parts = [await part(join(dir, 'a'), 0, 3), await part(join(dir, 'b'), 3, 2)];
  const whole = await writeNeighbours(join(dir, 'whole'), neighbours(0, 5));
  await joinNeighbours(join(dir, 'joined'), parts, 2);
  for (const name of Object.keys(whole))
    t.same(await readNpy(join(dir, 'joined', name)), await readNpy(join(dir, 'whole', name)), name);
});

t.test('parts that do not fit are named, and nothing is written', async (t) => {
  const dir = t.testdir();
  const [a, b] = [await part(join(dir, 'a'), 0, 3), await part(join(dir, 'b'), 3, 2)];
  const out = join(dir, 'out');
  const rejects = (parts: NeighbourPart[], message: RegExp) =>
    t.rejects(joinNeighbours(out, parts, 2), { name: 'UserError', message });
  await rejects([a, { path: 'c.json', queries: 2 }], /c\.json was made without --neighbours-out/);
  await writeNeighbours(join(dir, 'b'), neighbours(4, 2), true);
  await rejects([a, b], /the neighbours of .*b\.json \(digest [0-9a-f]{12}\) for .*b.indices\.npy, got digest/);
  await rm(join(dir, 'a'), { recursive: true });
  await rejects([a, b], /the neighbours of .*a\.json for .*a.indices\.npy, got no such file/);
  await t.rejects(readNpy(join(out, 'indices.npy')));
});
