// @ts-check
/** @file Where the columns lie in the tokens of an event. */

import { columnOf } from "./inputs.js";
import { CONTROLS, RANKS, echoColumn } from "./names.js";

/** @typedef {import("./inputs.js").Columns} Columns */

/**
 * Give where in an event its columns lie; `own` is -1 where there are no own echoes.
 * @param {Columns} columns
 */
export function layout(columns) {
  const { names, streams } = columns;
  const has = (/** @type {string} */ name) => names.includes(name);
  return {
    places: streams.length,
    echoes: columnOf(columns, echoColumn("melody", 1, "offset")),
    ranks: has(echoColumn("melody", RANKS, "offset")) ? RANKS : 1,
    own: names.indexOf(echoColumn("own", 1, "note")),
    guesses: names.indexOf("offset_guess_1"),
    controls: CONTROLS.filter(has).map((name) => /** @type {[string, number]} */ ([name, names.indexOf(name)])),
  };
}
