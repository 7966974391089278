/** The numbers of a record of JSON by their paths, `top1.25` for `{ top1: { 25: … } }`; all else is left out. */
export function numbersOf(record: unknown, path = '', into = new Map<string, number>()): Map<string, number> {
  if (typeof record === 'number') into.set(path, record);
  else if (typeof record === 'object' && record !== null) {
    for (const [key, value] of Object.entries(record)) numbersOf(value, path === '' ? key : `${path}.${key}`, into);
  }
  return into;
}
