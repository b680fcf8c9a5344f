// @ts-check
/** @file The echoes of each event as it is made: see `lstm_music/generation/echo.py`. */

import {
  DURATION_AT,
  INTERVALS,
  KINDS,
  MOST_ORDER,
  MOST_PARTS,
  NOTE_AT,
  NO_HEIGHT,
  NO_INTERVAL,
  OFFSET_AT,
  PART_AT,
  PITCHES,
  START,
} from "./names.js";
import { BestRuns } from "./runs.js";

/** @typedef {import("./shapes.js").Shapes} Shapes */

/** The farthest echo, in events. */
export const MOST_HEARD = 4096;
export const CAPACITY = 2 * MOST_HEARD;
const KEPT = MOST_HEARD + 2; // at the least, once the oldest events are let go
const NO_KEY = -1n;
const MELODY = KINDS.indexOf("melody");

/** The runs of one kind of echo: how many events in a row, up to each place, sounded like those up to the latest one. */
class Runs {
  constructor() {
    this.keys = new Float64Array(CAPACITY);
    this.lengths = new Int32Array(CAPACITY + 1);
    this.places = new Int32Array(CAPACITY + 1);
    this.count = 0;
    this.longer = new Int32Array(CAPACITY + 1);
    this.found = new Int32Array(CAPACITY + 1);
  }

  /**
   * Go on to the event at a place, whose key is set.
   * @param {number} here
   */
  goOn(here) {
    const { keys, lengths, places, longer, found } = this;
    const key = keys[here];
    let count = 0;
    for (let place = Math.max(here - MOST_HEARD, 0); place < here; place++) {
      if (keys[place] !== key) continue;
      found[count] = place + 1;
      longer[count] = lengths[place] + 1;
      count += 1;
    }
    for (let run = 0; run < this.count; run++) lengths[places[run]] = 0;
    for (let run = 0; run < count; run++) {
      places[run] = found[run];
      lengths[found[run]] = longer[run];
    }
    this.count = count;
  }

  /**
   * Forget the first events.
   * @param {number} shift
   * @param {number} count the events so far
   */
  forget(shift, count) {
    this.keys.copyWithin(0, shift, count);
    this.lengths.copyWithin(0, shift, count + 1);
    let kept = 0;
    for (let run = 0; run < this.count; run++) {
      if (this.places[run] > shift) this.places[kept++] = this.places[run] - shift;
    }
    this.count = kept;
    this.lengths.fill(0, count + 1 - shift);
  }
}

/** What was heard, the earliest event first; what lies farther back than `MOST_HEARD` is let go from time to time. */
export class Past {
  /**
   * @param {number} streams those that are heard
   * @param {Shapes} shapes
   * @param {number} durations how many ids of durations there are
   * @param {number} ranks
   */
  constructor(streams, shapes, durations, ranks) {
    this.streams = streams;
    this.shapes = shapes;
    this.durations = durations;
    this.hasParts = streams > PART_AT;
    this.count = 0;
    this.forgotten = 0;
    this.events = new Int32Array(CAPACITY * streams);
    this.heights = new Int32Array(CAPACITY + 1).fill(NO_HEIGHT);
    this.runs = KINDS.map(() => new Runs());
    this.best = new BestRuns(ranks);
    /** The melody keys of the latest events, packed as in Python, the latest first. */
    this.latestKeys = new Array(MOST_ORDER).fill(NO_KEY);
  }

  /** The pitch from which the next interval is counted. */
  get height() {
    return this.heights[this.count];
  }

  /**
   * Remember an event, given by its first columns.
   * @param {Int32Array} event
   */
  hear(event) {
    if (this.count === CAPACITY) this.#forget();
    const { shapes, hasParts } = this;
    const here = this.count;
    const before = this.heights[here];
    const [offset, note, duration] = [event[OFFSET_AT], event[NOTE_AT], event[DURATION_AT]];
    const isPitched = !hasParts || shapes.isPitched[note] === 1;
    const lowest = shapes.lowest[note];
    const interval = before !== NO_HEIGHT && isPitched ? lowest - before + PITCHES : NO_INTERVAL;
    const shape = hasParts ? shapes.shape[note] * MOST_PARTS + event[PART_AT] : shapes.shape[note];
    this.heights[here + 1] = isPitched ? lowest : before;
    for (let stream = 0; stream < this.streams; stream++) this.events[here * this.streams + stream] = event[stream];
    const rhythm = offset * this.durations + duration;
    const shapesOfAll = shapes.count * (hasParts ? MOST_PARTS : 1);
    const [melodies, rhythms] = this.runs;
    melodies.keys[here] = (rhythm * shapesOfAll + shape) * INTERVALS + interval;
    rhythms.keys[here] = rhythm;
    this.latestKeys.pop();
    this.latestKeys.unshift(packed(offset, duration, shape, interval));
    this.count += 1;
    for (const runs of this.runs) runs.goOn(here);
  }

  /**
   * Write the best echoes of the latest event into columns of an event, from `first` on.
   * @param {Int32Array} event
   * @param {number} first
   */
  writeEchoes(event, first) {
    const { streams, best } = this;
    const width = streams + 1;
    const ranks = best.places.length;
    this.runs.forEach((runs, kind) => {
      best.clear();
      for (let run = 0; run < runs.count; run++) best.offer(runs.places[run], runs.lengths[runs.places[run]]);
      best.settle();
      for (let rank = 0; rank < ranks; rank++) {
        const at = first + (rank * KINDS.length + kind) * width;
        const [place, length] = [best.places[rank], best.lengths[rank]];
        for (let stream = 0; stream < streams; stream++) {
          event[at + stream] = length > 0 ? this.events[place * streams + stream] : START;
        }
        if (length > 0 && kind === MELODY) event[at + NOTE_AT] = this.#inTheKeyOfHere(event[at + NOTE_AT], place);
        event[at + streams] = length;
      }
    });
  }

  /**
   * Move the note at a place as far as what stands before it is from the latest.
   * @param {number} note
   * @param {number} place
   */
  #inTheKeyOfHere(note, place) {
    const here = this.height;
    const there = this.heights[place];
    return this.shapes.moved(note, here === NO_HEIGHT || there === NO_HEIGHT ? 0 : here - there);
  }

  #forget() {
    const shift = this.count - KEPT;
    this.events.copyWithin(0, shift * this.streams, this.count * this.streams);
    this.heights.copyWithin(0, shift, this.count + 1);
    for (const runs of this.runs) runs.forget(shift, this.count);
    this.count = KEPT;
    this.forgotten += shift;
  }
}

/**
 * Pack what identifies a melody, as `lstm_music.encoding.echoes.pack` does.
 * @param {number} offset
 * @param {number} duration
 * @param {number} shape
 * @param {number} interval
 */
function packed(offset, duration, shape, interval) {
  return (BigInt(offset * 2 ** 16 + duration) << 28n) + BigInt(shape * INTERVALS + interval);
}
