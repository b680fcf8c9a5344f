// @ts-check
/** @file What the engine needs, read from one block of bytes in the layout of safetensors: see `lstm_music/studio/tables.py`. */

import { Model } from "./model.js";
import { GRID } from "./exact.js";
import { Shapes } from "./shapes.js";

/** @typedef {import("./grammar.js").GrammarTables} GrammarTables */
/** @typedef {import("./guess.js").Ngrams} Ngrams */
/** @typedef {import("./inputs.js").Columns} Columns */
/** @typedef {import("./inputs.js").ModelSpec} ModelSpec */

/** @typedef {{dtype: string, shape: number[], data_offsets: [number, number]}} Entry */
/** @typedef {{grammar: GrammarTables, columns: Columns, models: Model[], ngrams: Ngrams | null}} Tables */

const ARRAYS = /** @type {Record<string, any>} */ ({
  I32: Int32Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
  U16: Uint16Array,
  U32: Uint32Array,
  F32: Float32Array,
});
const PLANES = 3;
const MIDDLE = 2 ** 23;

/**
 * Read the tables; `bytes` begin with the length of the header.
 * @param {ArrayBuffer} bytes
 * @returns {Tables}
 */
export function readTables(bytes) {
  const length = new DataView(bytes).getUint32(0, true); // of 64 bits, of which the upper half is 0
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length)));
  const { __metadata__: metadata, ...entries } = header;
  const facts = JSON.parse(metadata.studio);
  /** @param {string} name */
  const array = (name) => arrayOf(bytes, 8 + length, /** @type {Entry} */ (entries[name]), name);
  const columns = /** @type {Columns} */ (facts.columns);
  const models = facts.models.map(
    (/** @type {ModelSpec} */ spec) => new Model(spec, columns, (part) => weightsOf(array(`${spec.stream}/${part}`))),
  );
  const grammar = grammarOf(array, facts);
  return { grammar, columns, models, ngrams: entries["ngrams/rests"] ? ngramsOf(array, facts) : null };
}

/**
 * @param {ArrayBuffer} bytes
 * @param {number} first
 * @param {Entry | undefined} entry
 * @param {string} name
 * @returns {any}
 */
function arrayOf(bytes, first, entry, name) {
  if (!entry) throw new Error(`expected a table of the page, got ${name}`);
  const kind = ARRAYS[entry.dtype];
  const [start, stop] = entry.data_offsets;
  return new kind(bytes, first + start, (stop - start) / kind.BYTES_PER_ELEMENT);
}

/**
 * Give weights, which are stored as planes: the lowest byte of all steps of the grid, the middle one, and the highest.
 * @param {Uint8Array} planes
 */
function weightsOf(planes) {
  const count = planes.length / PLANES;
  const weights = new Float32Array(count);
  for (let at = 0; at < count; at++) {
    const steps = planes[at] + (planes[count + at] << 8) + (planes[2 * count + at] << 16);
    weights[at] = (steps - MIDDLE) / GRID;
  }
  return weights;
}

/**
 * @param {(name: string) => any} array
 * @param {any} facts
 * @returns {GrammarTables}
 */
function grammarOf(array, facts) {
  /** @param {string} name */
  const table = (name) => array(`grammar/${name}`);
  return {
    streams: facts.columns.streams,
    stepsPerQuarter: facts.stepsPerQuarter,
    ascending: facts.ascending,
    offsetSteps: table("offset_steps"),
    durationSteps: table("duration_steps"),
    onGrid: table("on_grid"),
    notes: table("notes"),
    durations: table("durations"),
    parts: table("parts"),
    notesOfPart: table("notes_of_part"),
    durationsOfPart: table("durations_of_part"),
    pitches: table("pitches"),
    shapes: new Shapes(table("shape"), table("lowest"), table("ids")),
  };
}

/**
 * @param {(name: string) => any} array
 * @param {any} facts
 * @returns {Ngrams}
 */
function ngramsOf(array, facts) {
  /** @param {string} name */
  const table = (name) => array(`ngrams/${name}`);
  return {
    bucketBits: facts.bucketBits,
    buckets: summed(table("bucket_lengths")),
    rests: unsigned(table("rests")),
    starts: summed(table("lengths")),
    values: table("values"),
    counts: countsOf(table("counts"), table("often"), table("often_counts")),
    oddsFrom: table("odds_from"),
  };
}

/**
 * Give numbers whose bytes are stored as planes, the lowest ones first.
 * @param {Uint8Array} planes
 */
function unsigned(planes) {
  const count = planes.length / PLANES;
  const numbers = new Uint32Array(count);
  for (let at = 0; at < count; at++) {
    numbers[at] = planes[at] | (planes[count + at] << 8) | (planes[2 * count + at] << 16);
  }
  return numbers;
}

/**
 * Give counts, of which those `often` are larger than a byte.
 * @param {Uint8Array} bytes
 * @param {Uint32Array} often
 * @param {Uint32Array} oftenCounts
 */
function countsOf(bytes, often, oftenCounts) {
  if (!often.length) return bytes;
  const counts = new Uint16Array(bytes);
  const found = oftenCounts.some((count) => count >= 2 ** 16) ? new Uint32Array(bytes) : counts;
  often.forEach((at, place) => {
    found[at] = oftenCounts[place];
  });
  return found;
}

/**
 * Give where each of some stretches begins, and where the last one ends.
 * @param {ArrayLike<number>} lengths
 */
function summed(lengths) {
  const starts = new Uint32Array(lengths.length + 1);
  for (let at = 0; at < lengths.length; at++) starts[at + 1] = starts[at] + lengths[at];
  return starts;
}
