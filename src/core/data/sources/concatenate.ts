/** Several sources of one format as one. */
import { basename } from 'node:path';
import { expected } from '../../errors.js';
import { classNumbers, type ImageSource, type SourceItem } from './source.js';

/** One after the other; classes are matched by name, ids begin with the name of their source. */
export function concatenate(sources: readonly ImageSource[], paths: readonly string[]): ImageSource {
  if (sources.length === 1) return sources[0];
  const [first] = sources;
  const odd = sources.findIndex(
    (source) => source.format !== first.format || Boolean(source.classes) !== Boolean(first.classes),
  );
  if (odd >= 0) {
    const describe = (source: ImageSource) => `${source.format} ${source.classes ? 'with' : 'without'} labels`;
    throw expected(
      `sources of one kind (${describe(first)})`,
      paths[odd],
      describe(sources[odd]),
      'prepare them apart',
    );
  }
  const classes =
    first.classes &&
    commonClasses(
      sources.map((source) => source.classes!),
      paths.join(', '),
    );
  async function* items(wanted: (index: number) => boolean): AsyncGenerator<SourceItem> {
    let start = 0;
    for (const [which, source] of sources.entries()) {
      const offset = start;
      for await (const item of source.items((index) => wanted(offset + index))) {
        const label = item.label === undefined ? undefined : classes!.indexOf(source.classes![item.label]);
        yield { ...item, index: offset + item.index, id: `${basename(paths[which])}/${item.id}`, label };
      }
      start += source.count;
    }
  }
  const count = sources.reduce((sum, source) => sum + source.count, 0);
  return {
    format: first.format,
    files: sources.flatMap(({ files }) => files),
    count,
    classes,
    channels: first.channels,
    items,
  };
}

/** The longest list if it begins with all others (numbered classes), else all names sorted. */
function commonClasses(lists: readonly (readonly string[])[], where: string): string[] {
  const longest = lists.reduce((a, b) => (b.length > a.length ? b : a));
  if (lists.every((list) => list.every((name, number) => longest[number] === name))) return [...longest];
  return [...classNumbers(lists.flat(), where).keys()];
}
