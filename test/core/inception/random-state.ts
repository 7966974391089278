/**
 * NumPy's RandomState as far as published numbers depend on it: which images were chosen, and in which order. The
 * Mersenne Twister of Matsumoto & Nishimura (1998) and shuffles by masked rejection.
 */
export interface RandomState {
  permutation(count: number): Uint32Array;
  /** `size` different ones of `count` numbers. */
  choice(count: number, size: number): Uint32Array;
}

const [WORDS, MIDDLE] = [624, 397];

export function randomState(seed: number): RandomState {
  const state = new Uint32Array(WORDS);
  state[0] = seed;
  for (let i = 1; i < WORDS; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  let at = WORDS;

  const renew = () => {
    for (let i = 0; i < WORDS; i++) {
      const joined = (state[i] & 0x80000000) | (state[(i + 1) % WORDS] & 0x7fffffff);
      state[i] = state[(i + MIDDLE) % WORDS] ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };

  const bits = () => {
    if (at === WORDS) renew();
    let word = state[at++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  };

  /** 0 to `largest`. */
  const upTo = (largest: number) => {
    const mask = 2 ** (32 - Math.clz32(largest)) - 1;
    for (;;) {
      const value = (bits() & mask) >>> 0;
      if (value <= largest) return value;
    }
  };

  const permutation = (count: number) => {
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = upTo(i);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  };
  return { permutation, choice: (count, size) => permutation(count).slice(0, size) };
}
