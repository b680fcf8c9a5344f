// @ts-check
/** @file What the page shows of the studio's state: buttons, fields and the piano roll. */

import { stretches } from "./marking.js";
import { byId } from "./settings.js";

/** @typedef {import("./studio.js").Studio} Studio */

/**
 * Show the state in buttons and fields.
 * @param {Studio} studio
 */
export function show(studio) {
  const { music, marked, isRewriting, history } = studio;
  byId("again", HTMLButtonElement).disabled = !marked || isRewriting;
  byId("unmark", HTMLButtonElement).disabled = !marked;
  const keep = byId("keep", HTMLButtonElement);
  keep.disabled = !marked;
  keep.setAttribute("aria-pressed", String(Boolean(marked && !stretches(marked, studio.kept).length)));
  showStep("undo", "Undo", isRewriting ? [] : history.done);
  showStep("redo", "Redo", isRewriting ? [] : history.undone);
  const place = byId("place", HTMLInputElement);
  place.min = String(music.firstBar + 1);
  place.max = String(Math.max(music.bars, music.firstBar + 1));
  for (const id of ["from", "to"]) Object.assign(byId(id, HTMLInputElement), { min: place.min, max: place.max });
  byId("about", HTMLElement).textContent = music.title ? `After ${music.title}` : "";
  document.documentElement.classList.toggle("playing", studio.player.isPlaying);
  byId("play-text", HTMLElement).textContent = studio.player.isPlaying ? "Pause" : "Play";
  draw(studio);
}

/**
 * Let a button say what it takes back or makes again.
 * @param {string} id
 * @param {string} word
 * @param {import("./history.js").Change[]} changes
 */
function showStep(id, word, changes) {
  const button = byId(id, HTMLButtonElement);
  const change = changes[changes.length - 1];
  button.disabled = !change;
  button.title = change ? `${word}: ${change.name}` : `${word}: nothing so far`;
}

/**
 * Draw what is played, and say where that is.
 * @param {Studio} studio
 */
export function draw({ music, player, roll, marked, kept }) {
  const { step } = player;
  roll.draw(music, step, marked, kept);
  const bar = music.barOf(step) + 1;
  const place = byId("place", HTMLInputElement);
  if (place !== document.activeElement || player.isPlaying) place.value = String(bar);
  const text = `Bar ${bar} of ${music.bars}${music.isOver ? ", where it ends" : ""}`;
  byId("time", HTMLElement).textContent = text;
  place.setAttribute("aria-valuetext", text);
}
