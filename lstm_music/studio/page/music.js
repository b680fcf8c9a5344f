// @ts-check
/** @file The music of the page: events with their onsets, in steps of the grid, of a prompt and of what was made after it. */

import { Rows } from "./rows.js";

/** @typedef {import("./rows.js").Event} Event */
/** @typedef {{pitch: number, key: string, part: number, velocity: number, onset: number, steps: number}} Note */
/** @typedef {{temperature: number, top_k: number, top_p: number, min_p: number}} Sampling */
/** @typedef {{sampling: Record<string, Sampling>, maxRepeats: number, minEvents: number, avoidParallels: boolean}} Settings */
/**
 * @typedef {{events: number[][], before: number[], onset: number, position: number, barSteps: number, rest: number, title: string,
 *   composer: string, bars: number[], tempo: number, signature: number[], fifths: number, velocity: number,
 *   endsBar: boolean}} PromptFacts
 */
/**
 * What the page knows of its models: see `lstm_music/stages/music/studio.py`.
 * @typedef {{model: string, models: string, sizes: number[], streams: string[], stepsPerQuarter: number, points: number[],
 *   offsetSteps: number[], durationSteps: number[], pitches: number[][], drumKeys: number[], velocities: number[],
 *   parts: Array<{name: string, program: number, isDrum: boolean}>, instruments: Array<{name: string, key: string}>,
 *   range: [number, number], settings: Settings, controls: string[], prompts: PromptFacts[],
 *   progressions: Array<{name: string, chord: number[][]}>}} Facts
 */

export const SPECIAL = 3;
export const MOST_EVENTS = 20_000;
const DROPPED = 4000;
const ROOM = 4000; // for as many as bars that are written again have at most
const PLACE_TOKENS = 2; // of an event, behind those of the streams
export const DRUMS = "drums";
const HEARD_BEFORE = 256;
const NOTHING = new Int32Array(0);

/**
 * Music from a time on, which was taken out, with what is true of the music that it ends.
 * @typedef {{since: number, rows: Int32Array, first: number, frontier: number, end: number, isOver: boolean, letGo: number}} Tail
 */

/** Music that grows at its end; the oldest events are let go when there are more than `MOST_EVENTS`. */
export class Music {
  /**
   * @param {Facts} facts
   * @param {{barSteps: number, signature: number[], velocity: number, title: string, fifths: number}} meter
   */
  constructor(facts, { barSteps, signature, velocity, title, fifths }) {
    this.facts = facts;
    this.barSteps = barSteps;
    this.signature = signature;
    this.velocity = velocity;
    this.title = title;
    this.fifths = fifths;
    this.origin = 0;
    this.promptEnd = 0; // where its last event begins, or its silence ends
    this.begin = 0; // before which new music does not begin
    this.given = 0; // before which all notes are the prompt's
    this.first = 0; // where new music begins, once there is some
    this.frontier = 0; // up to here all events are known
    this.end = 0; // where the music ends; 0 while it has no end, or none is known
    this.isOver = false; // whether it is made up to its end
    this.letGo = -Infinity; // before which events were let go
    this.rows = new Rows(MOST_EVENTS + ROOM, 1 + facts.streams.length + PLACE_TOKENS);
    this.before = /** @type {number[]} */ ([]);
  }

  /**
   * Begin with a prompt.
   * @param {Facts} facts
   * @param {PromptFacts} prompt
   */
  static of(facts, prompt) {
    const music = new Music(facts, prompt);
    const events = /** @type {Event[]} */ ([]);
    let onset = prompt.onset - prompt.rest;
    for (const tokens of prompt.events.slice(-MOST_EVENTS).reverse()) {
      events.push({ onset, tokens });
      onset -= facts.offsetSteps[tokens[0]];
    }
    music.replace(-Infinity, Infinity, events.reverse());
    const first = events[0]?.onset ?? prompt.onset;
    const barline = prompt.onset - prompt.position;
    music.origin = barline - Math.ceil((barline - first) / prompt.barSteps) * prompt.barSteps;
    music.before = prompt.before.slice();
    music.promptEnd = music.frontier = music.begin = prompt.onset;
    if (prompt.endsBar) music.begin = barline + prompt.barSteps;
    music.given = Math.max(music.begin, prompt.onset + Number(prompt.events.length > 0));
    return music;
  }

  /** All events, as a list of their own. */
  get events() {
    return this.rows.slice(0, this.rows.length);
  }

  /** Whether there is no new music yet. */
  get isFresh() {
    return this.frontier <= this.promptEnd;
  }

  /** The number of the bar with which new music begins, from 0. */
  get newBar() {
    return this.barOf(this.isFresh ? this.begin : this.first);
  }

  /** The number of the first event's bar, from 0. */
  get firstBar() {
    return this.barOf(this.rows.length ? this.rows.onset(0) : this.origin);
  }

  /** The number of bars that are known as a whole. */
  get bars() {
    return Math.max(this.barOf(this.frontier), 0);
  }

  /** @param {number} onset */
  barOf(onset) {
    return Math.floor((onset - this.origin) / this.barSteps);
  }

  /** @param {number} bar */
  startOf(bar) {
    return this.origin + bar * this.barSteps;
  }

  /**
   * Add events at the end.
   * @param {Event[]} events
   */
  add(events) {
    const { rows } = this;
    if (this.isFresh) this.first = events[0].onset;
    rows.replace(rows.length, rows.length, rows.packed(events));
    this.frontier = Math.max(this.frontier, events[events.length - 1].onset);
    this.#letGo();
  }

  #letGo() {
    const { rows } = this;
    if (rows.length <= MOST_EVENTS) return;
    this.before = rows.slice(DROPPED - 1, DROPPED)[0].tokens;
    rows.replace(0, DROPPED, NOTHING);
    this.letGo = rows.onset(0);
  }

  /**
   * Let go of the events from a time on, and of the end; give what brings them back.
   * @param {number} since
   */
  cut(since) {
    const { first, frontier, letGo, rows } = this;
    const tail = this.exchange({ since, rows: NOTHING, first, frontier, end: 0, isOver: false, letGo });
    if (since < frontier || tail.isOver) {
      this.frontier = Math.max(rows.length ? rows.onset(rows.length - 1) : this.promptEnd, this.promptEnd);
    }
    return tail;
  }

  /**
   * Put music in the place of all that follows its beginning; give that. Events that were let go meanwhile stay away.
   * @param {Tail} tail
   * @returns {Tail}
   */
  exchange({ since, rows, letGo, ...others }) {
    const { first, frontier, end, isOver } = this;
    const old = this.rows.replace(this.placeOf(since), this.rows.length, rows);
    const given = { since, rows: old, first, frontier, end, isOver, letGo: this.letGo };
    Object.assign(this, others, { letGo: Math.max(letGo, Math.min(this.letGo, since)) });
    return given;
  }

  /**
   * Give the place of the first event that begins at a time or later.
   * @param {number} onset
   */
  placeOf(onset) {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.rows.onset(middle) < onset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Give the events that begin in a stretch of time.
   * @param {number} start
   * @param {number} end
   */
  between(start, end) {
    return this.rows.slice(this.placeOf(start), this.placeOf(end));
  }

  /**
   * Put other events in a stretch of time; return those that were there. The event behind gets the offset that now leads to it.
   * Where events were let go, nothing changes.
   * @param {number} start
   * @param {number} end
   * @param {Event[]} events
   */
  replace(start, end, events) {
    if (start < this.letGo) return events;
    const { rows } = this;
    const place = this.placeOf(start);
    const old = rows.replace(place, this.placeOf(end), rows.packed(events));
    for (const behind of [place, place + events.length]) this.#join(behind);
    this.#letGo();
    return rows.unpacked(old);
  }

  /**
   * Set the offset of an event to the one that the models know and that is nearest to the time since the event before.
   * @param {number} place
   */
  #join(place) {
    const { rows } = this;
    const offset = rows.onset(place) - rows.onset(place - 1);
    if (Number.isNaN(offset)) return;
    rows.numbers[place * rows.width + 1] = nearest(this.facts.offsetSteps, offset);
  }

  /**
   * Give where an onset lies, as the engine has it.
   * @param {number} onset
   */
  placeAt(onset) {
    const { barSteps } = this;
    return { onset, position: (onset - this.origin) % barSteps, barSteps, bar: this.barOf(onset) };
  }

  /**
   * Give what the engine goes on from, before a time: the latest events.
   * @param {number} until
   */
  promptBefore(until) {
    const stop = this.placeOf(until);
    const start = Math.max(stop - HEARD_BEFORE, 0);
    const events = this.rows.slice(start, stop).map((event) => event.tokens);
    const onset = stop > 0 ? this.rows.onset(stop - 1) : this.origin;
    const before = start > 0 ? this.rows.slice(start - 1, start)[0].tokens : this.before;
    return { events, before, ...this.placeAt(onset) };
  }

  /**
   * Give the notes of an event.
   * @param {Event} event
   * @returns {Note[]}
   */
  notesOf({ onset, tokens }) {
    const { facts } = this;
    const [, note, duration] = tokens;
    const partAt = facts.streams.indexOf("part");
    const velocityAt = facts.streams.indexOf("velocity");
    const part = partAt < 0 ? 0 : tokens[partAt] - SPECIAL;
    const velocity = (velocityAt < 0 ? 0 : facts.velocities[tokens[velocityAt]]) || this.velocity;
    const drum = facts.drumKeys[note];
    const pitches = drum >= 0 ? [drum] : facts.pitches[note];
    const key = drum >= 0 ? DRUMS : partAt < 0 ? "" : String(facts.parts[part]?.program ?? 0);
    return pitches.map((pitch) => ({ pitch, key, part, velocity, onset, steps: facts.durationSteps[duration] }));
  }
}

/**
 * Give the id, behind the special ones, whose steps are nearest to so many.
 * @param {number[]} steps
 * @param {number} wanted
 */
export function nearest(steps, wanted) {
  let best = SPECIAL;
  for (let id = SPECIAL; id < steps.length; id++) {
    if (Math.abs(steps[id] - wanted) < Math.abs(steps[best] - wanted)) best = id;
  }
  return best;
}
