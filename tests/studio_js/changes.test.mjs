// @ts-check
/** @file Changes that are undone and done again, and where music of a given length ends. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { History } from "../../lstm_music/studio/page/history.js";
import { MOST_EVENTS, Music } from "../../lstm_music/studio/page/music.js";
import { piecesOf, typesOf } from "../../lstm_music/studio/page/note_values.js";
import { endingOf } from "../../lstm_music/studio/page/settings.js";

const FACTS = /** @type {any} */ ({
  stepsPerQuarter: 12,
  offsetSteps: [0, 0, 0, 0, 12],
  streams: ["offset", "note", "duration"],
});
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
  music.cut(100);
  assert.deepEqual([music.frontier, music.newBar], [60, 1]);
});

/**
 * Give events at some onsets.
 * @param {number[]} onsets
 */
const eventsAt = (onsets) => onsets.map((onset) => ({ onset, tokens: [4, 3, 3, 0, 0] }));

/** @param {Music} music */
const onsetsOf = (music) => music.events.map(({ onset }) => onset);

test("music that was cut off comes back as it was, and what came in its place once more", () => {
  const music = Music.of(FACTS, PROMPT);
  music.add(eventsAt([60, 100, 200]));
  music.end = 240;
  music.isOver = true;
  let tail = music.cut(100);
  assert.deepEqual([onsetsOf(music), music.frontier, music.end, music.isOver], [[36, 60], 60, 0, false]);
  music.add(eventsAt([120, 132]));
  tail = music.exchange(tail);
  assert.deepEqual([onsetsOf(music), music.frontier, music.end, music.isOver], [[36, 60, 100, 200], 200, 240, true]);
  music.exchange(tail);
  assert.deepEqual([onsetsOf(music), music.frontier, music.end, music.isOver], [[36, 60, 120, 132], 132, 0, false]);
});

test("music without end stays in the memory that it began with, and its latest events are as they were made", () => {
  const music = Music.of(FACTS, PROMPT);
  const { numbers } = music.rows;
  const tail = music.cut(36);
  for (let onset = 48; onset < 48 + 3 * MOST_EVENTS; onset += 16) {
    music.add(eventsAt(Array.from({ length: 16 }, (_, one) => onset + one)));
    assert.ok(music.rows.length <= MOST_EVENTS);
  }
  const kept = onsetsOf(music);
  assert.equal(music.rows.numbers, numbers);
  assert.equal(music.letGo, kept[0]);
  const latest = 48 + 3 * MOST_EVENTS - 1;
  assert.deepEqual(
    kept,
    kept.map((_, place) => latest - kept.length + 1 + place),
  );
  const other = music.exchange(tail);
  assert.deepEqual([onsetsOf(music), music.letGo], [[36], 36]);
  music.exchange(other);
  assert.deepEqual([onsetsOf(music), music.letGo], [kept, kept[0]]);
});

test("bars are put in the place of others, and the event behind them is led to from the last one", () => {
  const music = Music.of(FACTS, PROMPT);
  music.add(eventsAt([48, 52, 60, 72]));
  const old = music.replace(48, 60, eventsAt([48]));
  assert.deepEqual([onsetsOf(music), old], [[36, 48, 60, 72], eventsAt([48, 52])]);
  assert.equal(music.events[2].tokens[0], 4);
  assert.deepEqual(music.replace(48, 60, old), eventsAt([48]));
  assert.deepEqual(onsetsOf(music), [36, 48, 52, 60, 72]);
  assert.deepEqual([music.between(50, 61), music.events.length], [music.events.slice(2, 4), 5]);
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
