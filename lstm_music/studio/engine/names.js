// @ts-check
/** @file The names and numbers that tokens are made of, as in `lstm_music/encoding`. */

export const START = 0;
export const END = 1;
export const UNKNOWN = 2;
export const SPECIAL_IDS = 3;

export const PART = "part";
export const VELOCITY = "velocity";
export const ALL_STREAMS = ["offset", "note", "duration", PART, VELOCITY];
export const CHAIN = ["offset", PART, "note", "duration", VELOCITY];

/** The columns of the streams that every recipe has; a part stands behind them. */
export const OFFSET_AT = 0;
export const NOTE_AT = 1;
export const DURATION_AT = 2;
export const PART_AT = 3;

export const PLACES = ["step_in_quarter", "quarter_in_bar"];
export const QUARTERS = 12;

export const KINDS = ["melody", "rhythm"];
export const LENGTHS = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64];
export const RANKS = 8;
export const LENGTH = "length";
export const MOST_PARTS = 256;

export const ORDERS = [0, 1, 2, 3, 5, 8, 12];
export const MOST_ORDER = 12;
export const GUESSES = 16;
export const GUESS_WIDTH = 2 * GUESSES + 1;

export const CONTROLS = ["ending", "key", "chord", "density", "polyphony", "mean_pitch"];

export const PITCHES = 128;
export const OCTAVE = 12;
export const INTERVALS = 2 * PITCHES;
export const NO_INTERVAL = 0;
export const NO_HEIGHT = -1;

/**
 * Return streams in the order in which they are predicted.
 * @param {string[]} streams
 */
export function chainOf(streams) {
  return CHAIN.filter((stream) => streams.includes(stream));
}

/**
 * Return the streams by which music is recognised, in the order of their columns.
 * @param {string[]} streams
 */
export function heardOf(streams) {
  return ALL_STREAMS.filter((stream) => streams.includes(stream) && stream !== VELOCITY);
}

/**
 * Name the column of a part of an echo; the best one has rank 1.
 * @param {string} kind
 * @param {number} rank
 * @param {string} part
 */
export function echoColumn(kind, rank, part) {
  return rank === 1 ? `${kind}_echo_${part}` : `${kind}_echo_${rank}_${part}`;
}
