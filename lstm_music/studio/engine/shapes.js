// @ts-check
/** @file Note values split into what transposition keeps and what it changes: see `lstm_music/encoding/shapes.py`. */

import { PITCHES } from "./names.js";

const WIDTH = 3 * PITCHES;

/** The `shape` and the `lowest` pitch of each note id, and the id of each shape at each pitch: `ids` [shapes, 3 · 128]. */
export class Shapes {
  /**
   * @param {Int32Array} shape
   * @param {Int32Array} lowest
   * @param {Int32Array} ids
   */
  constructor(shape, lowest, ids) {
    this.shape = shape;
    this.lowest = lowest;
    this.ids = ids;
    this.count = ids.length / WIDTH;
    this.isPitched = Uint8Array.from(shape, (one, id) => Number(ids[one * WIDTH] !== id));
  }

  /**
   * Give the id of a shape whose lowest pitch this is.
   * @param {number} shape
   * @param {number} pitch
   */
  idAt(shape, pitch) {
    return this.ids[shape * WIDTH + Math.min(Math.max(PITCHES + pitch, 0), WIDTH - 1)];
  }

  /**
   * Move a note by an interval.
   * @param {number} note
   * @param {number} interval
   */
  moved(note, interval) {
    return this.idAt(this.shape[note], this.lowest[note] + interval);
  }
}
