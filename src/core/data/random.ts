/** Whole random numbers that are the same on every machine: xoshiro128** (Blackman and Vigna), seeded by splitmix. */

export interface IntegerRandom {
  /** 32 random bits as a number from 0 to 4294967295. */
  next(): number;
  /** A number from 0 to `limit` - 1, without bias; `limit` is at most 2^32. */
  below(limit: number): number;
}

/**
 * A generator for a seed and a stream of it, which one number names or several, such as a step and a place in its
 * batch; all whole numbers from 0 to 2^53 - 1. Other streams of a seed are independent.
 */
export function integerRandom(seed: number, ...stream: [number, ...number[]]): IntegerRandom {
  const mix = splitmix(...[seed, ...stream].flatMap((n) => [n >>> 0, Math.floor(n / 2 ** 32)]));
  return xoshiro([mix(), mix(), mix(), mix()]);
}

/** The generator from its state of four 32-bit words, not all zero. */
export function xoshiro(state: [number, number, number, number]): IntegerRandom {
  let [a, b, c, d] = state;
  const next = () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  };
  const below = (limit: number) => {
    // Numbers of the last, incomplete block are drawn again, or small values would come more often.
    const complete = 2 ** 32 - (2 ** 32 % limit);
    let value = next();
    while (value >= complete) value = next();
    return value % limit;
  };
  return { next, below };
}

/** The numbers 0 to count - 1 in random order (Fisher-Yates). */
export function permutation(count: number, random: IntegerRandom): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  return order;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Stirs several words into a sequence of well-mixed ones (the finaliser of MurmurHash3 on a Weyl sequence). */
function splitmix(...words: number[]): () => number {
  let state = 0;
  const next = () => {
    state = (state + 0x9e3779b9) | 0;
    let value = state ^ (state >>> 16);
    value = Math.imul(value, 0x85ebca6b);
    value ^= value >>> 13;
    value = Math.imul(value, 0xc2b2ae35);
    return (value ^ (value >>> 16)) >>> 0;
  };
  for (const word of words) {
    state ^= word;
    state = next();
  }
  return next;
}
