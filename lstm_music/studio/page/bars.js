// @ts-check
/** @file What is done with marked bars: they are made anew or kept. */

import { barsOfFields, hasEmptyField, stretches, within, writeFields } from "./marking.js";
import { show } from "./view.js";

/** @typedef {import("./studio.js").Studio} Studio */
/** @typedef {import("./music.js").Event} Event */
/** @typedef {{start: number, end: number, events: Event[]}} Stretch */

/**
 * Mark the bars that the fields say.
 * @param {Studio} studio
 */
export function markByFields(studio) {
  studio.marked = barsOfFields(studio.music);
  if (!hasEmptyField()) writeFields(studio.marked); // a person is still writing the other one
  show(studio);
}

/**
 * Move the marking by a bar, or its end.
 * @param {Studio} studio
 * @param {number} step
 * @param {boolean} isEnd
 */
export function moveMarks(studio, step, isEnd) {
  const { music, marked } = studio;
  const bar = music.barOf(studio.player.step);
  const { first, last } = marked ?? { first: bar - step, last: bar - step };
  studio.mark(
    isEnd && marked ? within(music, first, Math.max(last + step, first)) : within(music, first + step, last + step),
  );
}

/**
 * Make the marked bars anew, but those that are kept.
 * @param {Studio} studio
 */
export async function writeAgain(studio) {
  if (!studio.marked || studio.isRewriting) return;
  const changing = stretches(studio.marked, studio.kept);
  if (!changing.length) {
    studio.say("All marked bars are kept.");
    return;
  }
  studio.isRewriting = true;
  show(studio);
  studio.say("Writing the marked bars again …");
  const { music, changes } = studio;
  /** @type {Stretch[]} */
  const written = [];
  for (const { first, last } of changing) {
    const [start, end] = [music.startOf(first), music.startOf(last + 1)];
    const events = await studio.composer.rewrite(start, end);
    if (studio.changes !== changes) break; // the music has become another meanwhile
    if (!events.length) continue;
    if (!written.length) remember(studio, written);
    written.push({ start, end, events: music.replace(start, end, events) });
  }
  studio.isRewriting = false;
  if (studio.changes === changes) {
    studio.say(written.length ? "The marked bars are new." : "The models found nothing for these bars.");
    studio.goOn();
  } else show(studio);
}

/**
 * Let bars be brought back, and nothing else: the music behind them stays.
 * @param {Studio} studio
 * @param {Stretch[]} written with the events of before
 */
function remember(studio, written) {
  const swap = () => {
    for (const one of written) one.events = studio.music.replace(one.start, one.end, one.events);
    studio.goOn();
  };
  studio.record({ name: "bars written again", swap });
}

/**
 * Keep the marked bars, or no longer.
 * @param {Studio} studio
 */
export function keepMarked(studio) {
  if (!studio.marked) return;
  const { first, last } = studio.marked;
  const bars = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  const isKept = bars.every((bar) => studio.kept.has(bar));
  for (const bar of bars) {
    if (isKept) studio.kept.delete(bar);
    else studio.kept.add(bar);
  }
  studio.say(isKept ? "The marked bars may change again." : "The marked bars stay as they are.");
  show(studio);
}
