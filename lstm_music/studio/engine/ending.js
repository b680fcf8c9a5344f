// @ts-check
/** @file Where music of a given length ends: see `lstm_music/generation/ending.py`. */

import { END } from "./names.js";

/** @typedef {import("./grammar.js").GrammarTables} GrammarTables */

/**
 * `length` in steps from the barline before the first event; before `wait` steps from the prompt's last event the music does not
 * begin, and it begins before `latest`.
 * @typedef {{length: number, wait: number, latest: number}} Ending
 */

/** The bounds of the music; `end` is where it ends, in steps since the start of the piece. */
export class Bounds {
  /**
   * @param {GrammarTables} tables
   * @param {Ending} ending
   */
  constructor(tables, ending) {
    this.tables = tables;
    this.ending = ending;
    this.end = 2 ** 30;
    this.within = new Uint8Array(tables.offsetSteps.length);
  }

  /**
   * Say which offsets may follow the event before, which began at `onset`.
   * @param {boolean} isFirst
   * @param {number} onset
   * @param {number} barSteps
   */
  offsets(isFirst, onset, barSteps) {
    const { offsetSteps } = this.tables;
    const { within } = this;
    if (isFirst) return this.#first(onset);
    const mayLeave = onset >= this.end - barSteps;
    for (let id = 0; id < within.length; id++) within[id] = offsetSteps[id] < this.end - onset || mayLeave ? 1 : 0;
    return within;
  }

  /** @param {number} onset */
  #first(onset) {
    const { offsetSteps, onGrid, stepsPerQuarter } = this.tables;
    const { within, ending } = this;
    const row = (onset % stepsPerQuarter) * within.length;
    /** @param {number} id */
    const waits = (id) => offsetSteps[id] >= ending.wait;
    /** @param {number} id */
    const isTimely = (id) => waits(id) && offsetSteps[id] < ending.latest;
    const ids = [...within.keys()];
    const canWait = ids.some((id) => waits(id) && onGrid[row + id]);
    const canBeTimely = ids.some((id) => isTimely(id) && onGrid[row + id]);
    for (const id of ids) within[id] = (canBeTimely ? isTimely(id) : waits(id) || !canWait) ? 1 : 0;
    return within;
  }

  /**
   * Leave the durations that end with the music, or the shortest where all are longer.
   * @param {Uint8Array} allowed
   * @param {number} onset
   */
  durations(allowed, onset) {
    const { durationSteps } = this.tables;
    const room = this.end - onset;
    let shortest = Infinity;
    for (let id = 0; id < allowed.length; id++) {
      if (allowed[id]) shortest = Math.min(shortest, durationSteps[id]);
    }
    const most = Math.max(room, shortest);
    for (let id = 0; id < allowed.length; id++) {
      if (durationSteps[id] > most) allowed[id] = 0;
    }
  }

  /**
   * Put the end in place of an offset that leads past it.
   * @param {number} chosen
   * @param {boolean} isFirst
   * @param {number} onset
   */
  cut(chosen, isFirst, onset) {
    return !isFirst && onset + this.tables.offsetSteps[chosen] >= this.end ? END : chosen;
  }

  /**
   * Set the end, once the first event has a place.
   * @param {number} onset
   * @param {number} position
   */
  begin(onset, position) {
    this.end = onset - position + this.ending.length;
  }
}
