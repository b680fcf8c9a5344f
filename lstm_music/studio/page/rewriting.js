// @ts-check
/** @file Bars made anew between bars that stay: of some candidates the one after which the music that follows is likeliest. */

import { Engine } from "../engine/engine.js";

/** @typedef {import("../engine/engine.js").Prompt} Prompt */
/** @typedef {import("../engine/engine.js").Settings} Settings */
/** @typedef {import("../engine/conditioning.js").Asked} Asked */
/** @typedef {import("../engine/tables.js").Tables} Tables */
/** @typedef {{onset: number, tokens: number[]}} Event */

/**
 * Music from `start` to `end`, in steps, both barlines: it goes on from the prompt, and `after` follows.
 * @typedef {{prompt: Prompt, start: number, end: number, after: Event[]}} Gap
 */

const CANDIDATES = 4;
const MOST_NEW_EVENTS = 4000;

/**
 * Make new events for a gap; none where no offset leads into it.
 * @param {Tables} tables
 * @param {Settings} settings
 * @param {Asked | null} asked
 * @param {Gap} gap
 * @param {import("./random.js").Random} random
 * @returns {Event[]}
 */
export function rewritten(tables, settings, asked, gap, random) {
  let best = /** @type {Event[]} */ ([]);
  let lowest = Infinity;
  for (let number = 0; number < CANDIDATES; number++) {
    const { events, nats } = candidate(tables, settings, asked, gap, random);
    if (!events.length || nats >= lowest) continue;
    [best, lowest] = [events, nats];
  }
  return best;
}

/**
 * Make one candidate, and say how unlikely the music is that follows it.
 * @param {Tables} tables
 * @param {Settings} settings
 * @param {Asked | null} asked
 * @param {Gap} gap
 * @param {import("./random.js").Random} random
 */
function candidate(tables, settings, asked, gap, random) {
  const { start, end, after } = gap;
  const prompt = nearEnough(tables, gap);
  const known = tables.columns.streams.length + 2;
  const wait = start - prompt.onset;
  const ending = { length: end - start, wait, latest: wait + prompt.barSteps, isGap: true };
  const engine = new Engine(tables, settings, prompt, asked, ending);
  /** @type {Event[]} */
  const events = [];
  while (events.length < MOST_NEW_EVENTS) {
    const { event, onset } = engine.next(random.numbers(engine.chain.length));
    if (engine.hasEnded) break;
    if (onset < start || onset >= end) return { events: [], nats: Infinity };
    events.push({ onset, tokens: Array.from(event.subarray(0, known)) });
  }
  const nats = events.length && after.length ? engine.score(withFirstOffset(tables, after, engine.lastOnset)) : 0;
  return { events, nats };
}

/**
 * Give the prompt of a gap, or its end a little before the gap or at it, if no offset leads from it into the first bar.
 * @param {Tables} tables
 * @param {Gap} gap
 * @returns {Prompt}
 */
function nearEnough({ grammar }, { prompt, start }) {
  const { offsetSteps, onGrid, stepsPerQuarter } = grammar;
  /** @param {number} onset */
  const reaches = (onset) => {
    const row = (onset % stepsPerQuarter) * offsetSteps.length;
    return offsetSteps.some(
      (steps, id) => onGrid[row + id] && steps >= start - onset && steps < start - onset + prompt.barSteps,
    );
  };
  const onset = [prompt.onset, start - stepsPerQuarter, start].find((one) => one >= prompt.onset && reaches(one));
  if (onset === undefined) return prompt;
  const steps = prompt.position + onset - prompt.onset;
  const bar = (prompt.bar ?? 0) + Math.floor(steps / prompt.barSteps);
  return { ...prompt, onset, position: steps % prompt.barSteps, bar };
}

/**
 * Give tokens of events, the first of which comes a while after `onset`: its offset is the nearest one that the models know.
 * @param {Tables} tables
 * @param {Event[]} events
 * @param {number} onset
 */
export function withFirstOffset(tables, events, onset) {
  const [first, ...others] = events.map((event) => event.tokens);
  const changed = first.slice();
  changed[0] = nearestOffset(tables.grammar.offsetSteps, events[0].onset - onset);
  return [changed, ...others];
}

/**
 * Give the id of the offset that is nearest to so many steps.
 * @param {ArrayLike<number>} offsetSteps
 * @param {number} steps
 */
export function nearestOffset(offsetSteps, steps) {
  let nearest = 3;
  for (let id = 3; id < offsetSteps.length; id++) {
    if (Math.abs(offsetSteps[id] - steps) < Math.abs(offsetSteps[nearest] - steps)) nearest = id;
  }
  return nearest;
}
