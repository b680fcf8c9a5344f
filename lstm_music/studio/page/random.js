// @ts-check
/** @file Random numbers that a seed decides: xorshift128 of G. Marsaglia (2003), seeded by SplitMix32. */

const WHOLE = 2 ** 24; // as fine as numbers of 32 bits between 0 and 1

/** Gives numbers from 0 to 1. */
export class Random {
  /** @param {number} seed */
  constructor(seed) {
    let state = seed >>> 0;
    this.words = Uint32Array.from({ length: 4 }, () => {
      state = (state + 0x9e3779b9) >>> 0;
      let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      return (word ^ (word >>> 15)) >>> 0;
    });
  }

  /** Give the next number. */
  next() {
    const { words } = this;
    let word = words[3];
    words.copyWithin(1, 0, 3);
    word ^= word << 11;
    word ^= word >>> 8;
    words[0] = word ^ words[1] ^ (words[1] >>> 19);
    return (words[0] >>> 8) / WHOLE;
  }

  /**
   * Give so many numbers.
   * @param {number} count
   */
  numbers(count) {
    return Array.from({ length: count }, () => this.next());
  }
}
