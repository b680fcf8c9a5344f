// @ts-check
/** @file What is asked of bars, where the page counts them from the start of the piece. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { BarSoFar, controlId } from "../../lstm_music/studio/engine/conditioning.js";

const TABLES = /** @type {any} */ ({
  stepsPerQuarter: 12,
  offsetSteps: Int32Array.from([0, 0, 0, 0, 12]),
  durationSteps: Int32Array.from([0, 0, 0, 12]),
  durations: Uint8Array.from([0, 0, 0, 1]),
  pitches: Int32Array.from([-1, -1, -1, 60]),
});
const ASKED = { key: [], chord: [[1], [2], [3]], density: [], polyphony: [], mean_pitch: [], repeats: true };

/** @param {number | null} promptBar */
function chordsFrom(promptBar) {
  const soFar = new BarSoFar(TABLES, promptBar);
  const found = [];
  soFar.go(12, 0, 48); // out of the prompt's bar
  for (let bar = 0; bar < 4; bar++) {
    found.push(controlId("chord", ASKED, soFar, 0, 48, 0));
    soFar.go(48, 0, 48);
  }
  return found;
}

test("chords come again by the bars of the piece, wherever the engine begins", () => {
  assert.deepEqual(chordsFrom(0), [2, 3, 1, 2]);
  assert.deepEqual(chordsFrom(4), [3, 1, 2, 3]);
});

test("without a number, bars count from where new music begins", () => {
  assert.deepEqual(chordsFrom(null), [1, 2, 3, 1]);
});

test("the density of a bar is what is left of it", () => {
  const soFar = new BarSoFar(TABLES, null);
  const asked = { ...ASKED, density: [8] };
  soFar.go(0, 24, 48);
  assert.equal(controlId("density", asked, soFar, 24, 48, 0), 4); // half a bar
  soFar.count(Int32Array.from([3, 3, 3]));
  soFar.go(12, 36, 48);
  assert.equal(controlId("density", asked, soFar, 36, 48, 0), 3);
  soFar.go(12, 0, 48);
  assert.equal(controlId("density", asked, soFar, 0, 48, 0), 8);
});
