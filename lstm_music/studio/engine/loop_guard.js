// @ts-check
/** @file The guard against events that repeat again and again: see `lstm_music/generation/loop_guard.py`. */

import { NOTE_AT, OFFSET_AT, PART_AT } from "./names.js";

const PERIODS = 128;
export const NO_NOTE = -1;

/** What the guard remembers: the latest events, and of each period the run of events that repeat after it. */
export class LoopGuard {
  /** @param {number} streams those that are heard */
  constructor(streams) {
    this.streams = streams;
    this.events = new Int32Array(PERIODS * streams).fill(-1); // a ring, whose latest is at `latest`
    this.latest = 0;
    this.runs = new Int32Array(PERIODS);
    this.steps = new Int32Array(PERIODS);
  }

  /**
   * Remember an event of the prompt, in which loops are not looked for.
   * @param {Int32Array} event
   */
  follow(event) {
    this.latest = (this.latest + PERIODS - 1) % PERIODS;
    for (let stream = 0; stream < this.streams; stream++) {
      this.events[this.latest * this.streams + stream] = event[stream];
    }
  }

  /**
   * Remember an event that came `passed` steps after the one before it.
   * @param {Int32Array} event
   * @param {number} passed
   */
  remember(event, passed) {
    for (let period = 0; period < PERIODS; period++) {
      const isSame = this.#isSame(event, period);
      this.runs[period] = isSame ? this.runs[period] + 1 : 0;
      this.steps[period] = isSame ? this.steps[period] + passed : 0;
    }
    this.follow(event);
  }

  /**
   * Give the note that would go on with a loop, or `NO_NOTE`.
   * @param {Int32Array} current
   * @param {number} mostRepeats
   * @param {number} bar steps of a bar
   * @param {boolean} hasParts
   */
  forbidden(current, mostRepeats, bar, hasParts) {
    const again = mostRepeats - 1;
    for (let period = 0; period < PERIODS; period++) {
      if (this.runs[period] < again * (period + 1) || this.steps[period] < again * bar) continue;
      const at = this.#at(period);
      if (this.events[at + OFFSET_AT] !== current[OFFSET_AT]) continue;
      if (hasParts && this.events[at + PART_AT] !== current[PART_AT]) continue;
      return this.events[at + NOTE_AT];
    }
    return NO_NOTE;
  }

  /** @param {number} period */
  #at(period) {
    return ((this.latest + period) % PERIODS) * this.streams;
  }

  /**
   * @param {Int32Array} event
   * @param {number} period
   */
  #isSame(event, period) {
    const at = this.#at(period);
    for (let stream = 0; stream < this.streams; stream++) {
      if (this.events[at + stream] !== event[stream]) return false;
    }
    return true;
  }
}
