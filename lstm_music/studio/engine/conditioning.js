// @ts-check
/** @file The controls at each new event, by what is asked of its bar: see `lstm_music/generation/conditioning.py`. */

import { DURATION_AT, NOTE_AT, OCTAVE, OFFSET_AT } from "./names.js";
import { rint } from "./exact.js";

/** @typedef {import("./grammar.js").GrammarTables} GrammarTables */

/**
 * What is asked of each bar; 0 asks nothing. `repeats` says whether the lists begin anew at their end, or nothing is asked there.
 * `chord` has a list of quarters for each bar.
 * @typedef {{key: number[], chord: number[][], density: number[], polyphony: number[], mean_pitch: number[], repeats: boolean}} Asked
 */

/** Asks nothing of any bar. @type {Asked} */
export const NOTHING_ASKED = { key: [], chord: [], density: [], polyphony: [], mean_pitch: [], repeats: false };

const ENDING_BARS = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32];
const MOST_EVENTS = 63;
const POLYPHONY_STEPS = 4;
const MOST_NOTES = 10;
const HIGHEST_PITCH = 127;

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
const clipped = (value, low, high) => Math.min(Math.max(value, low), high);

/**
 * Give what is asked of a bar; 0 for nothing.
 * @template T
 * @param {Asked} asked
 * @param {T[]} list
 * @param {number} bar
 * @returns {T | 0}
 */
function entryOf(asked, list, bar) {
  return list[asked.repeats && list.length ? bar % list.length : bar] ?? 0;
}

/**
 * Give the number that is asked of a bar; 0 for nothing.
 * @param {Asked} asked
 * @param {"key" | "density" | "polyphony" | "mean_pitch"} what
 * @param {number} bar
 */
export function ofBar(asked, what, bar) {
  return entryOf(asked, asked[what], bar);
}

/** What happened since the barline, or since the music began if that was later; times are in steps. */
export class BarSoFar {
  /**
   * @param {GrammarTables} tables
   * @param {number | null} promptBar the number of the bar in which the prompt ends; null: bars count from where music begins
   */
  constructor(tables, promptBar) {
    this.tables = tables;
    this.promptBar = promptBar;
    let longest = 1;
    tables.durations.forEach((isAllowed, id) => {
      if (isAllowed) longest = Math.max(longest, tables.durationSteps[id]);
    });
    this.sounding = new Int32Array(longest + 1);
    this.bar = -1;
    this.begun = this.events = this.notes = this.pitches = this.area = 0;
  }

  /**
   * Begin after a prompt.
   * @param {ArrayLike<number>[]} events
   */
  begin(events) {
    const { offsetSteps, durationSteps, pitches } = this.tables;
    let untilLast = 0;
    for (const event of events.slice().reverse()) {
      const rest = durationSteps[event[DURATION_AT]] - untilLast;
      untilLast += offsetSteps[event[OFFSET_AT]];
      if (pitches[event[NOTE_AT]] < 0) continue;
      for (let step = 0; step < Math.min(rest, this.sounding.length); step++) this.sounding[step] += 1;
    }
  }

  /**
   * Go on to an event `passed` steps after the one before, at `position` of a bar of so many steps.
   * @param {number} passed
   * @param {number} position
   * @param {number} barSteps
   */
  go(passed, position, barSteps) {
    const isFirst = this.bar < 0;
    const crossed = Math.floor(Math.max(passed - position + barSteps - 1, 0) / barSteps); // barlines
    const until = this.soundingUntil(passed);
    if (isFirst || crossed > 0) {
      this.area = isFirst ? 0 : until - this.soundingUntil(passed - position);
      this.begun = isFirst ? position : 0;
      if (!isFirst) this.bar += crossed;
      else this.bar = this.promptBar === null ? 0 : this.promptBar + crossed;
      this.events = this.notes = this.pitches = 0;
    } else {
      this.area += until;
    }
    const { sounding } = this;
    for (let step = 0; step < sounding.length; step++) {
      sounding[step] = step + passed < sounding.length ? sounding[step + passed] : 0;
    }
  }

  /**
   * Count an event.
   * @param {Int32Array} event
   */
  count(event) {
    const pitch = this.tables.pitches[event[NOTE_AT]];
    this.events += 1;
    if (pitch < 0) return;
    this.notes += 1;
    this.pitches += pitch;
    const lasts = Math.min(this.tables.durationSteps[event[DURATION_AT]], this.sounding.length);
    for (let step = 0; step < lasts; step++) this.sounding[step] += 1;
  }

  /**
   * Give how long notes sound within the next steps, added up.
   * @param {number} steps
   */
  soundingUntil(steps) {
    let sum = 0;
    for (let step = 0; step < Math.min(steps, this.sounding.length); step++) sum += this.sounding[step];
    return sum;
  }
}

/**
 * Give the id of a control at an event.
 * @param {string} control
 * @param {Asked} asked
 * @param {BarSoFar} soFar
 * @param {number} position
 * @param {number} barSteps
 * @param {number} barsLeft until the end; 0 where that is open
 */
export function controlId(control, asked, soFar, position, barSteps, barsLeft) {
  const left = barSteps - position;
  const span = barSteps - soFar.begun;
  const { bar } = soFar;
  if (control === "ending") return endingId(barsLeft);
  if (control === "key") return ofBar(asked, "key", bar);
  if (control === "chord") return chordId(asked, bar, Math.floor(position / soFar.tables.stepsPerQuarter));
  const wanted = ofBar(asked, /** @type {"density" | "polyphony" | "mean_pitch"} */ (control), bar);
  if (!(wanted > 0)) return 0;
  if (control === "density") return clipped(rint((wanted * span) / barSteps) - soFar.events, 1, MOST_EVENTS);
  if (control === "polyphony") {
    const owed = (wanted * span - soFar.area) / left;
    return 1 + clipped(rint(owed * POLYPHONY_STEPS), 0, POLYPHONY_STEPS * MOST_NOTES - 1);
  }
  const off = soFar.notes > 0 ? wanted - soFar.pitches / soFar.notes : 0;
  const owed = wanted + clipped((off * (span - left)) / left, -OCTAVE, OCTAVE);
  return 1 + clipped(Math.floor(owed + 0.5), 0, HIGHEST_PITCH);
}

/**
 * @param {Asked} asked
 * @param {number} bar
 * @param {number} quarter
 */
function chordId(asked, bar, quarter) {
  const quarters = entryOf(asked, asked.chord, bar);
  return quarters === 0 ? 0 : (quarters[Math.min(quarter, quarters.length - 1)] ?? 0);
}

/** @param {number} bars */
function endingId(bars) {
  if (bars <= 0) return 0;
  return 1 + Math.min(ENDING_BARS.filter((most) => bars > most).length, ENDING_BARS.length - 1);
}

/**
 * Say whether anything but an end is asked.
 * @param {Asked | null} asked
 */
export function asksSomething(asked) {
  if (!asked) return false;
  const { key, chord, density, polyphony, mean_pitch: meanPitch } = asked;
  return [key, density, polyphony, meanPitch, ...chord].some((list) => list.some((value) => value !== 0));
}
