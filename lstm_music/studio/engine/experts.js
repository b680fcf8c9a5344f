// @ts-check
/** @file What experts add to the logits of a stream: see `lstm_music/inference/experts.py`. */

import { addProduct } from "./lstm.js";
import { GUESSES, LENGTHS, ORDERS, RANKS } from "./names.js";

/** @typedef {import("./inputs.js").PieceInputs} PieceInputs */
/** @typedef {import("./inputs.js").NgramInputs} NgramInputs */

const DISCOUNT = 0.5;
const ODDS_STEP = 0.125;

/** The experts of a stream with so many `ids`, and the weights of their gate. */
export class Experts {
  /**
   * @param {Array<PieceInputs | NgramInputs>} inputs
   * @param {number} ids
   * @param {Float32Array} kernel
   * @param {Float32Array} bias
   */
  constructor(inputs, ids, kernel, bias) {
    this.inputs = inputs;
    this.kernel = kernel;
    this.bias = bias;
    this.gates = new Float64Array(bias.length);
    this.odds = new Float64Array(ids);
    this.piece = new PieceOdds(ids);
  }

  /**
   * Add what they say to logits, given the hidden state and the event before and this one.
   * @param {Float64Array} logits
   * @param {Float64Array} hidden
   * @param {Int32Array} previous
   * @param {Int32Array} current
   */
  add(logits, hidden, previous, current) {
    this.gates.set(this.bias);
    addProduct(this.gates, hidden, this.kernel);
    let first = 0;
    for (const one of this.inputs) {
      this.odds.fill(0);
      const event = one.ofCurrent ? current : previous;
      const level = one.kind === "piece" ? this.#ofPiece(one, event, current) : this.#ofNgrams(one, event);
      const gate = this.gates[first + level];
      for (let id = 0; id < logits.length; id++) logits[id] += gate * this.odds[id];
      first += (one.kind === "piece" ? LENGTHS.length : ORDERS.length) + 1;
    }
  }

  /**
   * @param {PieceInputs} one
   * @param {Int32Array} event
   * @param {Int32Array} current
   */
  #ofPiece(one, event, current) {
    const { ids, lengths, found } = this.piece;
    for (let rank = 0; rank < RANKS; rank++) {
      const isMatch = one.known.every((known) => event[known.columns[rank]] === current[known.at]);
      lengths[rank] = isMatch ? event[one.lengths[rank]] : 0;
      ids[rank] = lengths[rank] > 0 ? event[one.ids[rank]] : 0;
    }
    this.piece.find();
    for (let rank = 0; rank < RANKS; rank++) this.odds[ids[rank]] = Math.max(this.odds[ids[rank]], found[rank]);
    return Math.max(...lengths);
  }

  /**
   * @param {NgramInputs} one
   * @param {Int32Array} event
   */
  #ofNgrams(one, event) {
    for (let place = 0; place < GUESSES; place++) {
      const id = event[one.first + place];
      this.odds[id] = Math.max(this.odds[id], ODDS_STEP * event[one.first + GUESSES + place]);
    }
    return event[one.first + 2 * GUESSES];
  }
}

/** ln p of each match less ln p of an id that none of them has: `found`, for `ids` and the positions of their `lengths`. */
class PieceOdds {
  /** @param {number} size */
  constructor(size) {
    this.size = size;
    this.ids = new Int32Array(RANKS);
    this.lengths = new Int32Array(RANKS);
    this.found = new Float64Array(RANKS);
  }

  find() {
    const { ids, lengths, found, size } = this;
    found.fill(1 / size);
    let ofOthers = 1;
    for (let length = 1; length <= LENGTHS.length; length++) {
      let total = 0;
      let different = 0;
      for (let rank = 0; rank < RANKS; rank++) {
        if (lengths[rank] < length) continue;
        total += 1;
        if (this.#isNew(rank)) different += 1;
      }
      const toShorter = total > 0 ? (DISCOUNT * different) / total : 1;
      ofOthers *= toShorter;
      for (let rank = 0; rank < RANKS; rank++) {
        const count = this.#timesOf(ids[rank], length);
        found[rank] = Math.max(count - DISCOUNT, 0) / Math.max(total, 1) + toShorter * found[rank];
      }
    }
    ofOthers /= size;
    for (let rank = 0; rank < RANKS; rank++) found[rank] = lengths[rank] > 0 ? Math.log(found[rank] / ofOthers) : 0;
  }

  /**
   * Count the matches of so long a run that have an id.
   * @param {number} id
   * @param {number} length
   */
  #timesOf(id, length) {
    let count = 0;
    for (let other = 0; other < RANKS; other++) {
      if (this.lengths[other] >= length && this.ids[other] === id) count += 1;
    }
    return count;
  }

  /** @param {number} rank */
  #isNew(rank) {
    for (let other = 0; other < rank; other++) {
      if (this.lengths[other] > 0 && this.ids[other] === this.ids[rank]) return false;
    }
    return true;
  }
}
