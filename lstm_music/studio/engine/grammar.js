// @ts-check
/** @file Which ids may be chosen now: see `lstm_music/generation/grammar.py` and `allowed.py`. */

import { DURATION_AT, END, NOTE_AT, OFFSET_AT, PART, PART_AT, SPECIAL_IDS, START } from "./names.js";

/** @typedef {import("./shapes.js").Shapes} Shapes */

/**
 * The rules of an encoding as tables, row after row: `onGrid` [steps per quarter, offset ids], `notesOfPart` [part ids, note ids],
 * `durationsOfPart` [part ids, duration ids]. `pitches` is -1 for a drum.
 * @typedef {{streams: string[], stepsPerQuarter: number, offsetSteps: Int32Array, durationSteps: Int32Array, onGrid: Uint8Array,
 *   notes: Uint8Array, durations: Uint8Array, ascending: boolean, parts: Uint8Array, notesOfPart: Uint8Array,
 *   durationsOfPart: Uint8Array, pitches: Int32Array, shapes: Shapes}} GrammarTables
 */

/** The rules of the grammar for one event after another. */
export class Grammar {
  /** @param {GrammarTables} tables */
  constructor(tables) {
    this.tables = tables;
    this.hasParts = tables.streams.includes(PART);
    this.lastNote = tables.notes.lastIndexOf(1);
    this.lastPart = tables.parts.lastIndexOf(1);
    const width = tables.notes.length;
    this.highestOfPart = Int32Array.from(tables.parts, (mayPlay, part) =>
      mayPlay ? Math.max(tables.notesOfPart.subarray(part * width, (part + 1) * width).lastIndexOf(1), 0) : -1,
    );
  }

  /**
   * Write into `allowed` which ids of the offset may follow the event `last`, which began at `onset`.
   * @param {Uint8Array} allowed
   * @param {Int32Array} last
   * @param {number} onset
   * @param {boolean} mayEnd
   * @param {Uint8Array | null} within the offsets that may follow, if not all
   */
  offsets(allowed, last, onset, mayEnd, within) {
    const { onGrid, offsetSteps, stepsPerQuarter, ascending } = this.tables;
    const row = (onset % stepsPerQuarter) * allowed.length;
    const isLast = ascending && this.#isLastOfAll(last);
    let isStuck = true;
    for (let id = 0; id < allowed.length; id++) {
      const isAllowed =
        id >= SPECIAL_IDS && onGrid[row + id] && !(isLast && offsetSteps[id] === 0) && (!within || within[id]);
      allowed[id] = Number(Boolean(isAllowed));
      if (isAllowed) isStuck = false;
    }
    if (mayEnd || isStuck) allowed[END] = 1;
  }

  /**
   * Write into `allowed` which ids of another stream may be chosen after the event `last`, given what is known of `current`.
   * @param {string} stream
   * @param {Uint8Array} allowed
   * @param {Int32Array} last
   * @param {Int32Array} current
   */
  others(stream, allowed, last, current) {
    const isAtOnce = this.tables.offsetSteps[current[OFFSET_AT]] === 0;
    if (stream === PART) this.#parts(allowed, last, isAtOnce);
    else if (stream === "note") this.#notes(allowed, last, current, isAtOnce);
    else if (stream === "duration") this.#durations(allowed, current);
    else allowed.fill(1);
    allowed.fill(0, 0, SPECIAL_IDS);
  }

  /**
   * @param {Uint8Array} allowed
   * @param {Int32Array} last
   * @param {boolean} isAtOnce
   */
  #parts(allowed, last, isAtOnce) {
    const ofLast = last[PART_AT];
    const mayPlayAgain = !this.#isLastOfPart(last);
    for (let id = 0; id < allowed.length; id++) {
      const follows = id > ofLast || (id === ofLast && mayPlayAgain) || ofLast === START;
      allowed[id] = this.tables.parts[id] && (!isAtOnce || follows) ? 1 : 0;
    }
  }

  /**
   * @param {Uint8Array} allowed
   * @param {Int32Array} last
   * @param {Int32Array} current
   * @param {boolean} isAtOnce
   */
  #notes(allowed, last, current, isAtOnce) {
    const { notes, notesOfPart, ascending } = this.tables;
    const part = current[PART_AT];
    const isBound = ascending && isAtOnce && (!this.hasParts || part === last[PART_AT]) && last[NOTE_AT] !== START;
    for (let id = 0; id < allowed.length; id++) {
      const mayPlay = this.hasParts ? notesOfPart[part * allowed.length + id] : notes[id];
      allowed[id] = mayPlay && (!isBound || id > last[NOTE_AT]) ? 1 : 0;
    }
  }

  /**
   * @param {Uint8Array} allowed
   * @param {Int32Array} current
   */
  #durations(allowed, current) {
    const { durations, durationsOfPart } = this.tables;
    const first = current[PART_AT] * allowed.length;
    allowed.set(this.hasParts ? durationsOfPart.subarray(first, first + allowed.length) : durations);
  }

  /** @param {Int32Array} last */
  #isLastOfAll(last) {
    if (!this.hasParts) return last[NOTE_AT] >= this.lastNote;
    return last[PART_AT] >= this.lastPart && this.#isLastOfPart(last);
  }

  /** @param {Int32Array} last */
  #isLastOfPart(last) {
    return last[NOTE_AT] >= this.highestOfPart[last[PART_AT]];
  }
}

/**
 * Give the rules for notes of some ids only, such as those in a range of pitches; a part that has none of them does not play.
 * @param {GrammarTables} tables
 * @param {Uint8Array} among [note ids]
 * @returns {GrammarTables}
 */
export function withNotes(tables, among) {
  const width = among.length;
  const notesOfPart = tables.notesOfPart.map((mayPlay, at) => mayPlay & among[at % width]);
  return {
    ...tables,
    notes: tables.notes.map((mayPlay, id) => mayPlay & among[id]),
    notesOfPart,
    parts: tables.parts.map((mayPlay, part) =>
      Number(mayPlay && notesOfPart.subarray(part * width, (part + 1) * width).includes(1)),
    ),
  };
}

/**
 * Leave only what `keeps` wants, if it wants anything that is allowed; say whether it did.
 * @param {Uint8Array} allowed
 * @param {(id: number) => boolean} keeps
 */
export function narrow(allowed, keeps) {
  let isAny = false;
  for (let id = 0; id < allowed.length && !isAny; id++) isAny = allowed[id] === 1 && keeps(id);
  if (!isAny) return false;
  for (let id = 0; id < allowed.length; id++) {
    if (allowed[id] && !keeps(id)) allowed[id] = 0;
  }
  return true;
}

/**
 * Give how long an event lasts, in steps.
 * @param {GrammarTables} tables
 * @param {Int32Array} event
 */
export function stepsOf(tables, event) {
  return tables.durationSteps[event[DURATION_AT]];
}
