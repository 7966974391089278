/**
 * The k-th largest of some values, which are reordered; -Infinity where there are fewer than k. Hoare's selection: it
 * sorts only what it must.
 */
export function kthLargest(values: Float32Array | Float64Array, k: number): number {
  if (values.length < k) return -Infinity;
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const pivot = values[k - 1];
    let [i, j] = [low, high];
    while (i <= j) {
      while (values[i] > pivot) i++;
      while (values[j] < pivot) j--;
      if (i > j) break;
      [values[i], values[j]] = [values[j], values[i]];
      i++;
      j--;
    }
    if (j < k - 1) low = i;
    if (i > k - 1) high = j;
  }
  return values[k - 1];
}
