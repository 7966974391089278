/** Where a non-local block can be. */
import { usage } from '../../errors.js';

export function checkAttention(
  name: string,
  attention: number,
  sizes: readonly number[],
  width: (side: number) => number,
): void {
  if (attention === 0) return;
  const sides = [...new Set(sizes)];
  if (!sides.includes(attention)) {
    throw usage(
      `${name} is ${attention}, but the maps have sides ${sides.join(', ')}`,
      `use one of these, or 0 for no non-local block`,
    );
  }
  if (width(attention) < 8)
    throw usage(`${name} is ${attention}, where there are ${width(attention)} channels; a non-local block needs 8`);
}
