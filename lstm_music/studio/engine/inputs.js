// @ts-check
/** @file What the model of a stream reads of tokens, as in `lstm_music/models/inputs.py`. */

import { KINDS, LENGTH, PLACES, RANKS, chainOf, echoColumn, heardOf } from "./names.js";

/** @typedef {{stream: string, layers: number, echoes: boolean, experts: string[], controls: string[]}} ModelSpec */
/** @typedef {{streams: string[], names: string[], sizes: number[]}} Columns */

const READ_KINDS = /** @type {Record<string, string[]>} */ ({
  offset: KINDS,
  part: KINDS,
  note: ["melody"],
  duration: KINDS,
});
const OWN = "own";
const OWN_STREAMS = ["note", "duration"];

/**
 * Give the place of a column by its name.
 * @param {Columns} columns
 * @param {string} name
 */
export function columnOf(columns, name) {
  const place = columns.names.indexOf(name);
  if (place < 0) throw new Error(`expected a column of the models, got ${name}`);
  return place;
}

/** The row numbers of the first layer's kernel for an event. */
export class Fields {
  /**
   * @param {ModelSpec} spec
   * @param {Columns} columns
   */
  constructor(spec, columns) {
    const chain = chainOf(columns.streams);
    const turn = chain.indexOf(spec.stream);
    const earlier = [...chain.slice(0, turn), ...(turn > 0 ? PLACES : [])];
    const echoes = spec.echoes
      ? KINDS.flatMap((kind) => [...heardOf(columns.streams), LENGTH].map((part) => echoColumn(kind, 1, part)))
      : [];
    const read = [...columns.streams, ...PLACES, ...echoes];
    const names = [...read, ...earlier, ...spec.controls];
    this.columns = names.map((name) => columnOf(columns, name));
    this.ofCurrent = names.map(
      (_, place) => place >= read.length && (place < read.length + earlier.length || turn > 0),
    );
    const sizes = this.columns.map((column) => columns.sizes[column]);
    this.firstRows = sizes.map((_, place) => sizes.slice(0, place).reduce((sum, size) => sum + size, 0));
    this.rows = new Int32Array(names.length);
  }

  /**
   * Find the rows for the event before and this one, as far as it is known.
   * @param {Int32Array} previous
   * @param {Int32Array} current
   */
  read(previous, current) {
    for (let place = 0; place < this.rows.length; place++) {
      const event = this.ofCurrent[place] ? current : previous;
      this.rows[place] = event[this.columns[place]] + this.firstRows[place];
    }
    return this.rows;
  }
}

/**
 * What the expert of the piece reads of one kind of echo.
 * @typedef {{kind: "piece", ofCurrent: boolean, ids: Int32Array, lengths: Int32Array, known: Array<{at: number, columns: Int32Array}>}}
 *   PieceInputs
 */

/** @typedef {{kind: "ngrams", ofCurrent: boolean, first: number}} NgramInputs */

/**
 * Give what the experts of a stream read, in their order.
 * @param {ModelSpec} spec
 * @param {Columns} columns
 * @returns {Array<PieceInputs | NgramInputs>}
 */
export function expertInputs(spec, columns) {
  const { stream, experts } = spec;
  if (!heardOf(columns.streams).includes(stream)) return [];
  /** @type {Array<PieceInputs | NgramInputs>} */
  const found = [];
  if (experts.includes("piece")) {
    const hasOwn = OWN_STREAMS.includes(stream) && columns.names.includes(echoColumn(OWN, 1, OWN_STREAMS[0]));
    for (const kind of [...READ_KINDS[stream], ...(hasOwn ? [OWN] : [])]) {
      found.push(pieceInputs(kind, stream, columns));
    }
  }
  if (experts.includes("ngrams")) {
    found.push({ kind: "ngrams", ofCurrent: stream !== "offset", first: columnOf(columns, `${stream}_guess_1`) });
  }
  return found;
}

/**
 * @param {string} kind
 * @param {string} stream
 * @param {Columns} columns
 * @returns {PieceInputs}
 */
function pieceInputs(kind, stream, columns) {
  const chain = chainOf(columns.streams);
  const before = chain.slice(0, chain.indexOf(stream));
  const earlier = kind === OWN ? before.filter((name) => OWN_STREAMS.includes(name)) : before;
  /** @param {string} part */
  const places = (part) =>
    Int32Array.from({ length: RANKS }, (_, rank) => columnOf(columns, echoColumn(kind, rank + 1, part)));
  return {
    kind: "piece",
    ofCurrent: kind === OWN,
    ids: places(stream),
    lengths: places(LENGTH),
    known: earlier.map((name) => ({ at: columnOf(columns, name), columns: places(name) })),
  };
}
