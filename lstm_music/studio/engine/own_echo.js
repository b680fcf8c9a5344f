// @ts-check
/** @file What a part itself played the last times its line sounded like this: see `lstm_music/generation/own_echo.py`. */

import { CAPACITY, MOST_HEARD } from "./echo.js";
import {
  DURATION_AT,
  INTERVALS,
  MOST_PARTS,
  NOTE_AT,
  NO_INTERVAL,
  OFFSET_AT,
  PART_AT,
  PITCHES,
  RANKS,
  START,
} from "./names.js";
import { BestRuns } from "./runs.js";

/** @typedef {import("./echo.js").Past} Past */

const NO_STEP = -1;
const NONE = -1;
const MOST_STEPS = 2 ** 19 - 1;

/** The latest event of a part. */
class Latest {
  constructor() {
    this.place = NONE;
    this.note = START;
    this.duration = START;
    this.before = START;
    this.onset = 0;
    this.places = /** @type {number[]} */ ([]); // of its runs
  }
}

/** The step to an event: the places and the lengths of the runs that go on with it. */
class Step {
  constructor() {
    this.part = 0;
    this.key = NO_STEP;
    this.before = START;
    this.now = 0;
    this.places = /** @type {number[]} */ ([]);
    this.lengths = /** @type {number[]} */ ([]);
  }
}

/** What was heard of the parts, beside a `Past`, which hears each event after this. */
export class OwnPast {
  /**
   * @param {Past} past
   * @param {Int32Array} offsetSteps
   */
  constructor(past, offsetSteps) {
    this.past = past;
    this.offsetSteps = offsetSteps;
    // One place more than in the past, which hears each event later.
    this.parts = new Int32Array(CAPACITY + 1).fill(NONE);
    this.previous = new Int32Array(CAPACITY + 1).fill(NONE);
    this.befores = new Int32Array(CAPACITY + 1);
    this.keys = new Float64Array(CAPACITY + 1).fill(NO_STEP);
    this.runs = new Int32Array(CAPACITY + 1);
    this.latest = Array.from({ length: MOST_PARTS }, () => new Latest());
    this.best = new BestRuns(RANKS);
    this.now = 0;
    this.forgotten = 0;
    this.step = new Step();
    if (2 ** 19 * past.durations * past.shapes.count * INTERVALS > Number.MAX_SAFE_INTEGER) {
      throw new Error("expected fewer notes and durations: their steps have no number of 53 bits");
    }
  }

  /**
   * Find the step to an event whose offset and part are known, and write its own echoes into its columns from `first` on.
   * @param {Int32Array} event
   * @param {number} first
   */
  stepTo(event, first) {
    this.#keepUp();
    const { past, best, step } = this;
    const streams = past.streams;
    const latest = this.latest[event[PART_AT]];
    const has = latest.place !== NONE;
    step.part = event[PART_AT];
    step.now = this.now + this.offsetSteps[event[OFFSET_AT]];
    step.key = has ? this.#key(Math.min(step.now - latest.onset, MOST_STEPS), latest) : NO_STEP;
    step.before = has ? latest.note : START;
    this.#findRuns();
    best.clear();
    step.places.forEach((place, run) => best.offer(place, step.lengths[run]));
    best.settle();
    for (let rank = 0; rank < RANKS; rank++) {
      const [place, length, at] = [best.places[rank], best.lengths[rank], first + 3 * rank];
      const there = place * streams;
      const note = past.events[there + NOTE_AT];
      event[at] = length > 0 ? this.#inTheKeyOf(note, this.befores[place], step.before) : START;
      event[at + 1] = length > 0 ? past.events[there + DURATION_AT] : START;
      event[at + 2] = length;
    }
  }

  /**
   * Remember the event to which the latest step led.
   * @param {Int32Array} event
   */
  hear(event) {
    const { step } = this;
    const here = this.past.count;
    const latest = this.latest[step.part];
    for (const place of latest.places) this.runs[place] = 0;
    step.places.forEach((place, run) => (this.runs[place] = step.lengths[run]));
    latest.places = step.places.slice();
    this.parts[here] = step.part;
    this.previous[here] = latest.place;
    this.befores[here] = step.before;
    this.keys[here] = step.key;
    this.runs[here] = 0;
    latest.before = step.before;
    latest.place = here;
    latest.note = event[NOTE_AT];
    latest.duration = event[DURATION_AT];
    latest.onset = step.now;
    this.now = step.now;
  }

  #findRuns() {
    const { past, step, keys, parts, previous } = this;
    const start = Math.max(past.count - MOST_HEARD, 0);
    step.places.length = 0;
    step.lengths.length = 0;
    for (let place = start; place < past.count; place++) {
      if (keys[place] !== step.key || parts[place] !== step.part) continue;
      step.places.push(place);
      step.lengths.push((previous[place] >= start ? this.runs[previous[place]] : 0) + 1);
    }
  }

  /**
   * @param {number} gap
   * @param {Latest} latest
   */
  #key(gap, latest) {
    const { shapes, durations } = this.past;
    const { note, before } = latest;
    const isInterval = shapes.isPitched[note] && shapes.isPitched[before];
    const interval = isInterval ? shapes.lowest[note] - shapes.lowest[before] + PITCHES : NO_INTERVAL;
    return ((gap * durations + latest.duration) * shapes.count + shapes.shape[note]) * INTERVALS + interval;
  }

  /**
   * @param {number} note
   * @param {number} before
   * @param {number} here
   */
  #inTheKeyOf(note, before, here) {
    const { shapes } = this.past;
    const isMoved = shapes.isPitched[before] && shapes.isPitched[here];
    return shapes.moved(note, isMoved ? shapes.lowest[here] - shapes.lowest[before] : 0);
  }

  /** Let go what the past has let go. The past does so as it hears, when this one has heard the event already. */
  #keepUp() {
    const shift = this.past.forgotten - this.forgotten;
    if (!shift) return;
    const count = this.past.count + shift;
    for (const array of [this.parts, this.befores, this.keys, this.runs, this.previous]) {
      array.copyWithin(0, shift, count);
    }
    for (let place = 0; place < this.past.count; place++) {
      this.previous[place] = Math.max(this.previous[place] - shift, NONE);
    }
    for (const latest of this.latest) {
      if (latest.place !== NONE) latest.place = Math.max(latest.place - shift, 0);
      latest.places = latest.places.filter((place) => place >= shift).map((place) => place - shift);
    }
    this.forgotten = this.past.forgotten;
  }
}
