// @ts-check
/** @file Sessions that anybody may have written. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { readSession } from "../../lstm_music/studio/page/session.js";

const FACTS = /** @type {any} */ ({
  models: "abc",
  stepsPerQuarter: 12,
  streams: ["offset", "note", "duration"],
  sizes: [13, 14, 12, 12, 8],
});

/** @param {number} barSteps */
const sessionOf = (barSteps) =>
  JSON.stringify({
    format: "lstm-music studio session",
    version: 2,
    models: "abc",
    music: {
      ...{ barSteps, signature: [4, 4], velocity: 80, title: "", fifths: 0, isOver: true },
      ...{ origin: 0, promptEnd: 0, begin: 0, given: 0, first: 0, frontier: 960_000, end: 960_000 },
    },
    events: [],
  });

test("a session of more bars than a file can hold is refused", () => {
  assert.equal(readSession(sessionOf(48), FACTS).music.frontier, 960_000);
  assert.throws(() => readSession(sessionOf(1), FACTS), /it has too many bars/);
});
