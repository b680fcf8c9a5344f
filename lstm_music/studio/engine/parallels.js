// @ts-check
/** @file The guard against parallel fifths, octaves and unisons: see `lstm_music/generation/parallels.py`. */

import { NOTE_AT, OCTAVE, PART_AT } from "./names.js";

const FIFTH = 7;
const NO_PITCH = -1;

/**
 * The remainder as in Python, never negative.
 * @param {number} value
 */
const inOctave = (value) => ((value % OCTAVE) + OCTAVE) % OCTAVE;

/** What each part did last: its pitch, that before the latest onset, and whether it moved there. */
export class ParallelGuard {
  /**
   * @param {Int32Array} pitches
   * @param {number} parts
   */
  constructor(pitches, parts) {
    this.pitches = pitches;
    this.latest = new Int32Array(parts).fill(NO_PITCH);
    this.before = new Int32Array(parts).fill(NO_PITCH);
    this.isNew = new Uint8Array(parts);
  }

  /**
   * Let time pass.
   * @param {number} passed
   */
  go(passed) {
    if (passed === 0) return;
    this.before.set(this.latest);
    this.isNew.fill(0);
  }

  /**
   * Remember an event, after `go`.
   * @param {Int32Array} event
   */
  remember(event) {
    this.latest[event[PART_AT]] = this.pitches[event[NOTE_AT]];
    this.isNew[event[PART_AT]] = 1;
  }

  /**
   * Say whether a note of a part would make parallels, after `go`.
   * @param {number} note
   * @param {number} part
   */
  isParallel(note, part) {
    const pitch = this.pitches[note];
    const own = this.before[part];
    if (own === NO_PITCH || pitch === NO_PITCH || inOctave(pitch - own) === 0) return false;
    for (let other = 0; other < this.latest.length; other++) {
      const [latest, before] = [this.latest[other], this.before[other]];
      if (other === part || !this.isNew[other] || before === NO_PITCH || latest === NO_PITCH) continue;
      const interval = Math.abs(own - before) % OCTAVE;
      if (interval !== 0 && interval !== FIFTH) continue;
      if (Math.sign(pitch - own) !== Math.sign(latest - before)) continue;
      if (Math.abs(pitch - latest) % OCTAVE === interval) return true;
    }
    return false;
  }
}
