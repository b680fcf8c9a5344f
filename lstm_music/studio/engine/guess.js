// @ts-check
/** @file What the n-grams of the training pieces find likeliest at each event: see `lstm_music/generation/guess.py`. */

import {
  ALL_STREAMS,
  GUESSES,
  GUESS_WIDTH,
  INTERVALS,
  NOTE_AT,
  NO_HEIGHT,
  NO_INTERVAL,
  OFFSET_AT,
  ORDERS,
  PART,
  PART_AT,
  PITCHES,
  UNKNOWN,
} from "./names.js";

/** @typedef {import("./echo.js").Past} Past */
/** @typedef {import("./shapes.js").Shapes} Shapes */

/**
 * The table: contexts by the first bits of their hashes, in buckets; `rests` are the next 24 bits, ascending in each bucket.
 * `oddsFrom` are the least ratios that make odds of 1, 2 and so on.
 * @typedef {{bucketBits: number, buckets: Uint32Array, rests: Uint32Array, starts: Uint32Array,
 *   values: Uint16Array | Uint32Array, counts: Uint8Array | Uint16Array | Uint32Array, oddsFrom: Float32Array}} Ngrams
 */

const FIRST = -7046029254386353131n;
const LAST = -4658895280553007687n;
const SIGN = 1n << 63n;
const REST_BITS = 24;
const SMOOTHING = /** @type {Record<string, [number, number]>} */ ({
  offset: [0.5, 1],
  note: [0.75, 3],
  duration: [0.75, 3],
  part: [0.5, 1],
});
const LEAST_SHARE = Math.fround(1e-5);
const round = Math.fround;

/** @param {bigint} value */
const wrapped = (value) => BigInt.asIntN(64, value);

/** Guesses by a table; `sizes` are the numbers of ids of the heard streams. */
export class Guesser {
  /**
   * @param {Ngrams} table
   * @param {Shapes} shapes
   * @param {Record<string, number>} sizes
   */
  constructor(table, shapes, sizes) {
    this.table = table;
    this.shapes = shapes;
    this.hasParts = PART in sizes;
    const most = Math.max(...Object.values(sizes));
    this.sizes = sizes;
    this.p = new Float32Array(most);
    this.ids = new Int32Array(most);
    this.added = new Float32Array(most);
    this.likeliest = new Float32Array(GUESSES);
    this.known = /** @type {number[]} */ ([]);
  }

  /**
   * Write the guesses of a stream into columns of an event from `first` on, given what is known of it.
   * @param {string} stream
   * @param {Past} past
   * @param {Int32Array} event
   * @param {number} first
   */
  write(stream, past, event, first) {
    event.fill(0, first, first + GUESS_WIDTH);
    if (stream === "note" && past.height === NO_HEIGHT) return;
    this.#learn(stream, past.height, event);
    const order = this.#blend(stream, past);
    if (order > 0) this.#keep(this.sizes[stream], event, first);
    event[first + 2 * GUESSES] = order;
  }

  /**
   * Collect the values that are known of the event.
   * @param {string} stream
   * @param {number} height
   * @param {Int32Array} event
   */
  #learn(stream, height, event) {
    const { known, shapes } = this;
    known.length = 0;
    if (stream === "offset") return;
    known.push(event[OFFSET_AT]);
    if (this.hasParts && stream !== PART) known.push(event[PART_AT]);
    if (stream !== "duration") return;
    const note = event[NOTE_AT];
    const hasInterval = height !== NO_HEIGHT && (!this.hasParts || shapes.isPitched[note] === 1);
    known.push(shapes.shape[note] * INTERVALS + (hasInterval ? shapes.lowest[note] - height + PITCHES : NO_INTERVAL));
  }

  /**
   * Blend p of each id from the orders that are known; return how many there are.
   * @param {string} stream
   * @param {Past} past
   */
  #blend(stream, past) {
    const size = this.sizes[stream];
    this.p.fill(1 / size, 0, size);
    let state = wrapped(BigInt(ALL_STREAMS.indexOf(stream) + 1) * FIRST);
    for (const value of this.known) state = wrapped((state + BigInt(value) + 1n) * FIRST);
    let before = 0;
    for (let order = 0; order < ORDERS.length; order++) {
      for (; before < ORDERS[order]; before++) state = wrapped((state + past.latestKeys[before] + 2n) * FIRST);
      const number = this.#find(wrapped((state + BigInt(before)) * LAST));
      if (number < 0 || !this.#add(stream, number, Math.max(past.height, 0))) return order;
    }
    return ORDERS.length;
  }

  /**
   * Give the number of a context, or -1.
   * @param {bigint} hash
   */
  #find(hash) {
    const { bucketBits, buckets, rests } = this.table;
    const place = BigInt.asUintN(64, hash + SIGN);
    const bucket = Number(place >> BigInt(64 - bucketBits));
    const rest = Number((place >> BigInt(64 - REST_BITS - bucketBits)) & 0xffffffn);
    let low = buckets[bucket];
    let high = buckets[bucket + 1];
    const end = high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (rests[middle] < rest) low = middle + 1;
      else high = middle;
    }
    return low < end && rests[low] === rest ? low : -1;
  }

  /**
   * Blend what followed a context into p; say whether anything did.
   * @param {string} stream
   * @param {number} number
   * @param {number} before
   */
  #add(stream, number, before) {
    const { starts, values, counts } = this.table;
    const { ids, added, p } = this;
    const [discount, strength] = SMOOTHING[stream];
    let different = 0;
    let total = 0;
    for (let entry = starts[number]; entry < starts[number + 1]; entry++) {
      const id = stream === "note" ? this.#noteOf(values[entry], before) : values[entry];
      if (id === UNKNOWN) continue;
      ids[different] = id;
      added[different] = counts[entry];
      different += 1;
      total += counts[entry];
    }
    if (!different) return false;
    const divisor = round(round(total) + strength);
    const scale = round(round(round(discount * different) + strength) / divisor);
    const size = this.sizes[stream];
    for (let id = 0; id < size; id++) p[id] *= scale;
    for (let one = 0; one < different; one++) {
      const share = round(round(added[one] - discount) / divisor);
      added[one] = p[ids[one]] + share;
    }
    for (let one = 0; one < different; one++) p[ids[one]] = added[one]; // of entries with one id, the last counts
    return true;
  }

  /**
   * @param {number} value
   * @param {number} before
   */
  #noteOf(value, before) {
    return this.shapes.idAt(Math.floor(value / INTERVALS), before + (value % INTERVALS) - PITCHES);
  }

  /**
   * Keep the likeliest ids and their odds.
   * @param {number} size
   * @param {Int32Array} event
   * @param {number} first
   */
  #keep(size, event, first) {
    const { p, ids, likeliest } = this;
    const count = Math.min(GUESSES, size);
    let kept = 0;
    for (let id = 0; id < size; id++) {
      if (kept === count && p[id] <= likeliest[count - 1]) continue;
      let rank = kept < count ? kept : count - 1;
      for (; rank > 0 && likeliest[rank - 1] < p[id]; rank--) {
        likeliest[rank] = likeliest[rank - 1];
        ids[rank] = ids[rank - 1];
      }
      likeliest[rank] = p[id];
      ids[rank] = id;
      kept = Math.min(kept + 1, count);
    }
    const left = Math.max(round(1 - sumAsNumpy(likeliest, count)), LEAST_SHARE);
    const rest = round(left / Math.max(size - GUESSES, 1));
    for (let rank = 0; rank < count; rank++) {
      const odds = this.#odds(round(likeliest[rank] / rest));
      event[first + rank] = odds > 0 ? ids[rank] : 0;
      event[first + GUESSES + rank] = odds;
    }
  }

  /** @param {number} ratio */
  #odds(ratio) {
    const { oddsFrom } = this.table;
    let low = 0;
    let high = oddsFrom.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (oddsFrom[middle] <= ratio) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Add up to 16 numbers in 32 bits in numpy's order: eight sums side by side.
 * @param {Float32Array} values
 * @param {number} count
 */
function sumAsNumpy(values, count) {
  if (count < 8) {
    let sum = 0;
    for (let at = 0; at < count; at++) sum = round(sum + values[at]);
    return sum;
  }
  const sums = values.slice(0, 8);
  const whole = count - (count % 8);
  for (let at = 8; at < whole; at++) sums[at % 8] += values[at];
  const pairs = [0, 2, 4, 6].map((at) => round(sums[at] + sums[at + 1]));
  let sum = round(round(pairs[0] + pairs[1]) + round(pairs[2] + pairs[3]));
  for (let at = whole; at < count; at++) sum = round(sum + values[at]);
  return sum;
}
