// @ts-check
/** @file The best runs among those that end at some places, as in `lstm_music/generation/echo.py`. */

import { LENGTHS } from "./names.js";

const LONGEST = LENGTHS[LENGTHS.length - 1];
const MOST_PLACES = 2 ** 24; // of which a memory has fewer

/** By the length of a run, how many of `LENGTHS` it reaches. */
const REACHED = Uint8Array.from({ length: LONGEST + 1 }, (_, run) => LENGTHS.filter((length) => length <= run).length);

/** The places of the best runs, and the positions of their lengths in `LENGTHS`; both are 0 where there is none. */
export class BestRuns {
  /** @param {number} ranks */
  constructor(ranks) {
    this.places = new Int32Array(ranks);
    this.lengths = new Int32Array(ranks);
    this.codes = new Float64Array(ranks);
  }

  clear() {
    this.codes.fill(0);
  }

  /**
   * Offer a run of so many events that ends at a place.
   * @param {number} place
   * @param {number} run
   */
  offer(place, run) {
    const { codes } = this;
    const code = REACHED[Math.min(run, LONGEST)] * MOST_PLACES + place;
    let rank = codes.length - 1;
    if (code <= codes[rank]) return;
    for (; rank > 0 && codes[rank - 1] < code; rank--) codes[rank] = codes[rank - 1];
    codes[rank] = code;
  }

  settle() {
    this.codes.forEach((code, rank) => {
      this.places[rank] = code % MOST_PLACES;
      this.lengths[rank] = Math.floor(code / MOST_PLACES);
    });
  }
}
