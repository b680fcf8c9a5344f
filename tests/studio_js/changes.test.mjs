// @ts-check
/** @file Changes that are undone and done again, and where music of a given length ends. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { History } from "../../lstm_music/studio/page/history.js";
import { Music } from "../../lstm_music/studio/page/music.js";
import { piecesOf, typesOf } from "../../lstm_music/studio/page/note_values.js";
import { endingOf } from "../../lstm_music/studio/page/settings.js";

const FACTS = /** @type {any} */ ({ stepsPerQuarter: 12, offsetSteps: [0, 0, 0, 0, 12] });
const PROMPT = /** @type {any} */ ({
  events: [[3, 3, 3, 0, 0]],
  before: [],
  onset: 36,
  position: 36,
  barSteps: 48,
  rest: 0,
  title: "",
  signature: [4, 4],
  fifths: 0,
  velocity: 80,
});

test("changes are undone and done again in their order, until there is a new one", () => {
  const history = new History();
  let now = 0;
  for (const next of [1, 2, 3]) {
    let other = now;
    now = next;
    history.record({ name: `to ${next}`, swap: () => ([now, other] = [other, now]) });
  }
  assert.deepEqual([history.undo(), now, history.undo(), now], ["to 3", 2, "to 2", 1]);
  assert.deepEqual([history.redo(), now], ["to 2", 2]);
  history.record({ name: "other", swap: () => {} });
  assert.equal(history.redo(), "");
  assert.deepEqual(
    [history.undo(), history.undo(), now, history.undo(), now, history.undo()],
    ["other", "to 2", 1, "to 1", 0, ""],
  );
});

test("after a prompt that ends with a bar, music begins with the next one", () => {
  const music = Music.of(FACTS, { ...PROMPT, endsBar: true });
  assert.deepEqual([music.begin, music.newBar], [48, 1]);
  assert.deepEqual(endingOf(music, 0), { length: Infinity, wait: 12, latest: Infinity });
  assert.deepEqual(endingOf(music, 2), { length: 96, wait: 12, latest: Infinity });
  assert.equal(endingOf(Music.of(FACTS, { ...PROMPT, endsBar: false }), 0), null);
});

test("music that has begun ends after its bars, or with the bar that is written", () => {
  const music = Music.of(FACTS, { ...PROMPT, endsBar: true });
  music.add([60, 200].map((onset) => ({ onset, tokens: [4, 3, 3, 0, 0] })));
  assert.equal(endingOf(music, 8)?.end, 48 + 8 * 48);
  assert.equal(endingOf(music, 2)?.end, 240);
  assert.equal(endingOf(music, 0), null);
  const copy = music.copy();
  copy.cut(100);
  assert.deepEqual([copy.frontier, music.frontier, copy.newBar], [60, 200, 1]);
});

test("lengths are shared out to note values that add up, and none crosses a beat that it does not begin on", () => {
  const types = typesOf(12);
  assert.deepEqual(types.get(18), { name: "quarter", isDotted: true, isTriplet: false });
  assert.deepEqual(types.get(4), { name: "eighth", isDotted: false, isTriplet: true });
  for (let at = 0; at < 48; at++) {
    for (let length = 1; at + length <= 48; length++) {
      const pieces = piecesOf(at, length, types, 12);
      assert.equal(
        pieces.reduce((sum, one) => sum + one, 0),
        length,
      );
      let now = at;
      for (const piece of pieces) {
        assert.ok(types.has(piece) && (now % 12 === 0 || (now % 12) + piece <= 12), String([at, length, piece]));
        now += piece;
      }
    }
  }
});
