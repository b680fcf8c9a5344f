// @ts-check
/** @file Where music of a given length ends: see `lstm_music/generation/ending.py`. */

import { DURATION_AT, END, NOTE_AT, PART, PART_AT } from "./names.js";

/** @typedef {import("./grammar.js").GrammarTables} GrammarTables */

/** A length, in steps, for music without a given end, or more. */
const NEVER = 2 ** 30;

/**
 * `length` in steps from the barline before the first event; before `wait` steps from the prompt's last event the music does not
 * begin, and it begins before `latest`. Music that has begun before and goes on has a known `end` instead, in steps since the
 * start of the piece. What fills a gap (`isGap`) is not told that it ends: other music follows.
 * @typedef {{length: number, wait: number, latest: number, end?: number, isGap?: boolean}} Ending
 */

/** @typedef {{onset: number, tokens: number[]}} PlacedEvent */

/** The bounds of the music; `end` is where it ends, in steps since the start of the piece. */
export class Bounds {
  /**
   * @param {GrammarTables} tables
   * @param {Ending} ending
   */
  constructor(tables, ending) {
    this.tables = tables;
    this.ending = ending;
    this.isKnown = ending.end !== undefined;
    this.hasEnd = this.isKnown || ending.length < NEVER;
    this.end = ending.end ?? NEVER;
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
    if (isFirst && !this.isKnown) return this.#first(onset);
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
    return (this.isKnown || !isFirst) && onset + this.tables.offsetSteps[chosen] >= this.end ? END : chosen;
  }

  /**
   * Set the end, once the first event has a place.
   * @param {number} onset
   * @param {number} position
   */
  begin(onset, position) {
    if (!this.isKnown) this.end = onset - position + this.ending.length;
  }

  /**
   * Give how many bars are left, with that in which an event lies; 0 where the music goes on.
   * @param {number} onset
   * @param {number} position
   * @param {number} barSteps
   */
  barsLeft(onset, position, barSteps) {
    return this.hasEnd && !this.ending.isGap ? Math.ceil((this.end - onset + position) / barSteps) : 0;
  }
}

/**
 * End music in its last bar where the models find it likeliest, and hold the last notes until the end, or as near to it as there
 * is a duration.
 * @param {GrammarTables} tables
 * @param {PlacedEvent[]} events
 * @param {number[]} endNats how unlikely an end is after each event
 * @param {number} end in steps since the start of the piece
 * @param {number} barSteps
 * @returns {PlacedEvent[]}
 */
export function endedWell(tables, events, endNats, end, barSteps) {
  const first = events.findIndex(({ onset }) => onset >= end - barSteps);
  let count = events.length;
  if (first >= 0) {
    const likeliest = Math.min(...endNats.slice(first));
    count = endNats.indexOf(likeliest, first) + 1;
  }
  const left = events.slice(0, count);
  const mayBeHeld = left.some((event) => isPitched(tables, event));
  /** @param {PlacedEvent} event */
  const isHeld = (event) => !mayBeHeld || isPitched(tables, event);
  const last = Math.max(...left.filter(isHeld).map(({ onset }) => onset));
  return left.map((event) => (event.onset === last && isHeld(event) ? held(tables, event, end - last) : event));
}

/**
 * Say whether an event can be held: drums cannot.
 * @param {GrammarTables} tables
 * @param {PlacedEvent} event
 */
function isPitched(tables, { tokens }) {
  return !tables.streams.includes(PART) || tables.pitches[tokens[NOTE_AT]] >= 0;
}

/**
 * Give an event its longest duration of at most `room` steps, if that is longer than its own.
 * @param {GrammarTables} tables
 * @param {PlacedEvent} event
 * @param {number} room
 */
function held(tables, { onset, tokens }, room) {
  const { durations, durationsOfPart, durationSteps, streams } = tables;
  const row = streams.includes(PART) ? tokens[PART_AT] * durations.length : -1;
  let best = tokens[DURATION_AT];
  for (let id = 0; id < durations.length; id++) {
    const isAllowed = row < 0 ? durations[id] : durationsOfPart[row + id];
    if (isAllowed && durationSteps[id] <= room && durationSteps[id] > durationSteps[best]) best = id;
  }
  const changed = tokens.slice();
  changed[DURATION_AT] = best;
  return { onset, tokens: changed };
}
