// @ts-check
/** @file Marked bars: in the fields of the page, and beside those that are kept. */

import { byId } from "./settings.js";

/** @typedef {import("./music.js").Music} Music */
/** @typedef {import("./roll.js").Bars} Bars */

/**
 * Give bars that are there, in their order.
 * @param {Music} music
 * @param {number} one
 * @param {number} other
 */
export function within(music, one, other) {
  const [first, last] = [Math.min(one, other), Math.max(one, other)].map((bar) =>
    Math.min(Math.max(bar, music.firstBar), Math.max(music.bars - 1, 0)),
  );
  return { first, last };
}

/**
 * Give the bars that the fields say; null for none.
 * @param {Music} music
 */
export function barsOfFields(music) {
  const [first, last] = ["from", "to"].map((id) => byId(id, HTMLInputElement).valueAsNumber - 1);
  if (Number.isNaN(first) && Number.isNaN(last)) return null;
  return within(music, Number.isNaN(first) ? last : first, Number.isNaN(last) ? first : last);
}

/** Say whether one of the fields says nothing. */
export function hasEmptyField() {
  return ["from", "to"].some((id) => !byId(id, HTMLInputElement).value);
}

/**
 * Write marked bars into the fields.
 * @param {Bars | null} bars
 */
export function writeFields(bars) {
  byId("from", HTMLInputElement).value = bars ? String(bars.first + 1) : "";
  byId("to", HTMLInputElement).value = bars ? String(bars.last + 1) : "";
}

/**
 * Give marked bars without those that are kept.
 * @param {Bars} marked
 * @param {Set<number>} kept
 */
export function stretches({ first, last }, kept) {
  /** @type {Bars[]} */
  const found = [];
  for (let bar = first; bar <= last; bar++) {
    if (kept.has(bar)) continue;
    const latest = found[found.length - 1];
    if (latest?.last === bar - 1) latest.last = bar;
    else found.push({ first: bar, last: bar });
  }
  return found;
}
