// @ts-check
/** @file Rails for the bars of new music: see `lstm_music/generation/rails.py`. */

import { ofBar } from "./conditioning.js";
import { rint } from "./exact.js";
import { narrow } from "./grammar.js";
import { OCTAVE, SPECIAL_IDS } from "./names.js";

/** @typedef {import("./conditioning.js").Asked} Asked */
/** @typedef {import("./conditioning.js").BarSoFar} BarSoFar */

const SLACK = 0.1;
const SEMITONES = 1.5;
const NOTES = 0.05;
const NOTES_A_QUARTER = 4;
const LATER = 0.3;

/**
 * Leave the ids of a stream that lead to what is asked, or all where none does.
 * @param {string} stream
 * @param {Asked} asked
 * @param {Uint8Array} allowed
 * @param {BarSoFar} soFar
 * @param {number} position that of the event before for an offset, else that of the event
 * @param {number} barSteps
 */
export function keepToRails(stream, asked, allowed, soFar, position, barSteps) {
  if (stream === "offset") offsets(asked, allowed, soFar, position, barSteps);
  else if (stream === "note") notes(asked, allowed, soFar);
  else if (stream === "duration") durations(asked, allowed, soFar, position, barSteps);
}

/**
 * @param {Asked} asked
 * @param {Uint8Array} allowed
 * @param {BarSoFar} soFar
 * @param {number} position
 * @param {number} barSteps
 */
function offsets(asked, allowed, soFar, position, barSteps) {
  if (soFar.bar < 0) return;
  const { offsetSteps } = soFar.tables;
  const span = barSteps - soFar.begun;
  const wanted = rint((ofBar(asked, "density", soFar.bar) * span) / barSteps);
  const slack = Math.floor(SLACK * wanted);
  const sounding = ofBar(asked, "polyphony", soFar.bar);
  const area = soFar.area + soFar.soundingUntil(barSteps - position);
  const isFull = wanted > 0 && soFar.events >= Math.max(wanted + slack, 1);
  const isThin =
    (wanted > 0 && soFar.events < wanted - slack) || (sounding > 0 && area < (sounding - 2 * NOTES) * span);
  let farthest = 0;
  for (let id = 0; id < allowed.length; id++) {
    if (allowed[id]) farthest = Math.max(farthest, offsetSteps[id]);
  }
  /** @param {number} id */
  const leaves = (id) => offsetSteps[id] >= barSteps - position || id < SPECIAL_IDS;
  if (isFull) narrow(allowed, (id) => leaves(id) || offsetSteps[id] === farthest);
  else if (isThin) narrow(allowed, (id) => !leaves(id));
}

/**
 * @param {Asked} asked
 * @param {Uint8Array} allowed
 * @param {BarSoFar} soFar
 */
function notes(asked, allowed, soFar) {
  const { pitches } = soFar.tables;
  const wanted = ofBar(asked, "mean_pitch", soFar.bar);
  if (wanted <= 0) return;
  const count = soFar.notes + 1;
  narrow(allowed, (id) => {
    const mean = (soFar.pitches + pitches[id]) / count;
    return pitches[id] < 0 || Math.abs(mean - wanted) <= SEMITONES + OCTAVE / count;
  });
}

/**
 * @param {Asked} asked
 * @param {Uint8Array} allowed
 * @param {BarSoFar} soFar
 * @param {number} position
 * @param {number} barSteps
 */
function durations(asked, allowed, soFar, position, barSteps) {
  const { durationSteps, durations: allDurations, stepsPerQuarter } = soFar.tables;
  const [left, span] = [barSteps - position, barSteps - soFar.begun];
  const wanted = ofBar(asked, "polyphony", soFar.bar);
  const area = soFar.area + soFar.soundingUntil(left);
  let shortest = Infinity;
  allDurations.forEach((isAllowed, id) => {
    if (isAllowed) shortest = Math.min(shortest, durationSteps[id]);
  });
  if (wanted > 0) {
    const room = (wanted + NOTES) * span - LATER * left - area;
    narrow(allowed, (id) => durationSteps[id] <= shortest || Math.min(durationSteps[id], left) <= room);
  }
  const next = ofBar(asked, "polyphony", soFar.bar + 1);
  if (next > 0) {
    const ofNext = soFar.soundingUntil(left + barSteps) - soFar.soundingUntil(left);
    narrow(allowed, (id) => {
      const over = Math.min(Math.max(durationSteps[id] - left, 0), barSteps);
      return durationSteps[id] <= shortest || ofNext + over <= (next + NOTES) * barSteps;
    });
  }
  if (wanted > 0) {
    const missing = (wanted - 2 * NOTES) * span - area;
    const share = missing / (1 + (NOTES_A_QUARTER * left) / stepsPerQuarter);
    narrow(allowed, (id) => durationSteps[id] >= Math.min(share, left));
  }
}
