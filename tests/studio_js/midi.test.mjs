// @ts-check
/** @file MIDI as the page reads and writes it, also files of strangers. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { promptOf } from "../../lstm_music/studio/page/encoding.js";
import { readMidi } from "../../lstm_music/studio/page/midi_reader.js";
import { midiOf } from "../../lstm_music/studio/page/midi_writer.js";
import { Music } from "../../lstm_music/studio/page/music.js";
import { Random } from "../../lstm_music/studio/page/random.js";

const FACTS = /** @type {any} */ ({
  streams: ["offset", "note", "duration"],
  stepsPerQuarter: 12,
  points: [0, 3, 4, 6, 8, 9],
  offsetSteps: [0, 0, 0, 0, 3, 6, 12, 24],
  durationSteps: [0, 0, 0, 3, 6, 12, 24],
  pitches: [[], [], [], ...Array.from({ length: 128 }, (_, pitch) => [pitch])],
  drumKeys: Array(131).fill(-1),
  velocities: [],
  parts: [],
});

/** A prompt of a C major chord, a quarter later a D of half a quarter. */
const PROMPT = {
  events: [
    [3, 63, 5, 0, 0],
    [3, 67, 5, 0, 0],
    [3, 70, 5, 0, 0],
    [6, 65, 4, 0, 1],
  ],
  before: [],
  onset: 12,
  position: 12,
  barSteps: 48,
  rest: 0,
  title: "é</script>",
  composer: "",
  bars: [1, 1],
  tempo: 90,
  signature: [4, 4],
  fifths: -2,
  endsBar: false,
  velocity: 77,
};

const written = () => midiOf(Music.of(FACTS, PROMPT), 90, "48");

test("what is written is read again", () => {
  const piece = readMidi(written().buffer);
  assert.deepEqual(piece.signature, [4, 4]);
  assert.equal(Math.round(piece.tempo), 90);
  const notes = piece.notes.map(({ onset, length, pitch }) => [onset, length, pitch]);
  assert.deepEqual(notes, [
    [0, 1, 60],
    [0, 1, 64],
    [0, 1, 67],
    [1, 0.5, 62],
  ]);
  assert.ok(piece.notes.every(({ velocity, program }) => velocity === 77 && program === 48));
  const prompt = promptOf(FACTS, piece, "title", 16);
  assert.deepEqual(prompt.events, PROMPT.events);
  assert.deepEqual([prompt.onset, prompt.position, prompt.barSteps, prompt.velocity], [12, 12, 48, 77]);
});

test("times move to the nearest point of the grid, and values to the nearest that is known", () => {
  const note = { velocity: 60, program: 0, isDrum: false };
  const notes = [
    { ...note, onset: 0.02, length: 0.9, pitch: 60 },
    { ...note, onset: 0.52, length: 9, pitch: 62 },
    { ...note, onset: 0.5, length: 9, pitch: 36, isDrum: true },
  ];
  const { events } = promptOf(FACTS, { notes, tempo: 1000, signature: [3, 4], fifths: 0 }, "", 16);
  assert.deepEqual(events, [
    [3, 63, 5, 0, 0],
    [5, 65, 6, 6, 0],
  ]);
});

test("only the first bars are taken, and a file without notes that the models know is refused", () => {
  const piece = readMidi(written().buffer);
  piece.notes.push({ onset: 100, length: 1, pitch: 60, velocity: 60, program: 0, isDrum: false });
  assert.equal(promptOf(FACTS, piece, "", 16).events.length, 4);
  assert.throws(() => promptOf(FACTS, { ...piece, notes: [] }, "", 16), /know none of the notes/);
});

test("files that are none or count no quarters are refused", () => {
  const bytes = written();
  assert.throws(() => readMidi(new Uint8Array([1, 2, 3]).buffer), /no MIDI file/);
  bytes[12] = 0xe7;
  assert.throws(() => readMidi(bytes.buffer), /counts no quarters/);
});

test("a damaged file is read or refused with an Error, in little time", () => {
  const random = new Random(7);
  const whole = written();
  let refused = 0;
  for (let number = 0; number < 3000; number++) {
    const bytes = whole.slice(0, number % 3 ? whole.length : Math.floor(random.next() * whole.length));
    for (let change = 0; change < 4; change++) bytes[Math.floor(random.next() * bytes.length)] = random.next() * 256;
    try {
      const { notes } = readMidi(bytes.buffer);
      assert.ok(notes.every(({ onset, length, pitch }) => onset >= 0 && length > 0 && pitch < 128));
    } catch (error) {
      assert.ok(error instanceof Error && /^(the file|this is)/.test(error.message), String(error));
      refused += 1;
    }
  }
  assert.ok(refused > 100 && refused < 2900, String(refused));
});

test("random numbers follow from the seed, lie between 0 and 1, and are even", () => {
  const numbers = new Random(1).numbers(20_000);
  assert.deepEqual(new Random(1).numbers(5), numbers.slice(0, 5));
  assert.notDeepEqual(new Random(2).numbers(5), numbers.slice(0, 5));
  assert.ok(numbers.every((one) => one >= 0 && one < 1 && Math.fround(one) === one));
  for (let tenth = 0; tenth < 10; tenth++) {
    const share = numbers.filter((one) => Math.floor(10 * one) === tenth).length / numbers.length;
    assert.ok(Math.abs(share - 0.1) < 0.01, String(share));
  }
});
