// @ts-check
/** @file Music → a MIDI file of one track (Standard MIDI Files 1.0, format 0). */

/** @typedef {import("./music.js").Music} Music */

export const TICKS_PER_QUARTER = 480;
export const DRUM_CHANNEL = 9;
const OFF = 0x80;
const ON = 0x90;
const PROGRAM = 0xc0;

/** @param {number} value */
function variableLength(value) {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}

/**
 * @param {number} value
 * @param {number} count
 */
const bigEndian = (value, count) => Array.from({ length: count }, (_, at) => (value >>> (8 * (count - 1 - at))) & 0xff);

/**
 * @param {number} kind
 * @param {number[]} data
 */
const meta = (kind, data) => [0xff, kind, ...variableLength(data.length), ...data];

/**
 * Write music as MIDI.
 * @param {Music} music
 * @param {number} tempo quarters per minute
 * @param {string} instrument the key of what plays, where there are no parts
 */
export function midiOf(music, tempo, instrument) {
  const [numerator, denominator] = music.signature;
  const opening = [
    meta(3, [...new TextEncoder().encode(music.title)]),
    meta(0x51, bigEndian(Math.round(60e6 / tempo), 3)),
    meta(0x58, [numerator, Math.round(Math.log2(denominator)), 24, 8]),
    meta(0x59, [music.fifths & 0xff, 0]),
  ];
  const messages = [...opening.map((data) => ({ tick: 0, order: 0, data })), ...messagesOf(music, instrument)];
  messages.sort((one, other) => one.tick - other.tick || one.order - other.order);
  const track = [];
  let now = 0;
  for (const { tick, data } of messages) {
    track.push(...variableLength(tick - now), ...data);
    now = tick;
  }
  track.push(0, ...meta(0x2f, []));
  const head = [
    ...text("MThd"),
    ...bigEndian(6, 4),
    ...bigEndian(0, 2),
    ...bigEndian(1, 2),
    ...bigEndian(TICKS_PER_QUARTER, 2),
  ];
  return Uint8Array.from([...head, ...text("MTrk"), ...bigEndian(track.length, 4), ...track]);
}

/** @param {string} word */
const text = (word) => [...word].map((letter) => letter.charCodeAt(0));

/**
 * Give the programs, and where notes begin and end: at one tick notes end before others begin.
 * @param {Music} music
 * @param {string} instrument
 */
function messagesOf(music, instrument) {
  const { stepsPerQuarter, parts } = music.facts;
  const start = music.startOf(music.firstBar);
  const scale = TICKS_PER_QUARTER / stepsPerQuarter;
  /** @param {number} part */
  const channelOf = (part) => (parts[part]?.isDrum ? DRUM_CHANNEL : (part % 15) + Number(part % 15 >= DRUM_CHANNEL));
  const programs = parts.length ? parts.map((part) => part.program) : [Number(instrument)];
  const messages = programs.map((program, part) => ({ tick: 0, order: 1, data: [PROGRAM | channelOf(part), program] }));
  for (const event of music.events) {
    for (const { pitch, part, velocity, onset, steps } of music.notesOf(event)) {
      const tick = Math.round((onset - start) * scale);
      const channel = channelOf(part);
      messages.push({ tick, order: 3, data: [ON | channel, pitch, velocity] });
      messages.push({
        tick: Math.max(Math.round((onset - start + steps) * scale), tick + 1),
        order: 2,
        data: [OFF | channel, pitch, 0],
      });
    }
  }
  return messages;
}
