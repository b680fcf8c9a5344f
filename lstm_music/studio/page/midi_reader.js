// @ts-check
/** @file A MIDI file → its notes (Standard MIDI Files 1.0). Files may come from anybody: whatever is wrong is an Error. */

import { DRUM_CHANNEL } from "./midi_writer.js";

const MOST_NOTES = 50_000;
const MOST_TICKS = 2 ** 31;
const CHANNELS = 16;

/** @typedef {{onset: number, length: number, pitch: number, velocity: number, program: number, isDrum: boolean}} PlayedNote */
/** @typedef {{notes: PlayedNote[], tempo: number, signature: [number, number], fifths: number}} PlayedPiece */

/** Reads bytes from the front. */
class Bytes {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get isAtEnd() {
    return this.at >= this.bytes.length;
  }

  next() {
    if (this.isAtEnd) throw new Error("the file ends too soon");
    return this.bytes[this.at++];
  }

  /** @param {number} count */
  number(count) {
    let value = 0;
    for (let byte = 0; byte < count; byte++) value = value * 256 + this.next();
    return value;
  }

  variable() {
    let value = 0;
    for (let byte = 0; byte < 4; byte++) {
      const one = this.next();
      value = value * 128 + (one & 0x7f);
      if (one < 0x80) return value;
    }
    throw new Error("the file is damaged: a number is too long");
  }

  /** @param {number} count */
  part(count) {
    const found = this.bytes.subarray(this.at, this.at + count);
    this.at = Math.min(this.at + count, this.bytes.length);
    return found;
  }

  /** @param {number} count */
  text(count) {
    return String.fromCharCode(...this.part(count));
  }
}

/** What the tracks of a file say. */
class Collected {
  constructor() {
    this.notes = /** @type {PlayedNote[]} */ ([]);
    this.tempo = 0;
    this.signature = /** @type {[number, number] | null} */ (null);
    this.fifths = /** @type {number | null} */ (null);
    this.programs = new Uint8Array(CHANNELS);
  }

  /**
   * @param {number} kind
   * @param {Uint8Array} data
   */
  meta(kind, data) {
    if (kind === 0x51 && data.length === 3 && !this.tempo) {
      const microseconds = data[0] * 65536 + data[1] * 256 + data[2];
      if (microseconds) this.tempo = 60e6 / microseconds;
    }
    if (kind === 0x59 && data.length >= 1) this.fifths ??= Math.min(Math.max((data[0] << 24) >> 24, -7), 7);
    if (kind === 0x58 && data.length >= 2 && data[0] > 0 && data[1] < 7) this.signature ??= [data[0], 2 ** data[1]];
  }
}

/**
 * Read a file: notes by onset and pitch, times in quarters. Throws an Error that says what is wrong.
 * @param {ArrayBuffer} file
 * @returns {PlayedPiece}
 */
export function readMidi(file) {
  const bytes = new Bytes(new Uint8Array(file));
  if (bytes.text(4) !== "MThd") throw new Error("this is no MIDI file");
  const header = new Bytes(bytes.part(bytes.number(4)));
  header.number(4); // format and tracks, which the tracks themselves tell
  const division = header.number(2);
  if (division === 0 || division >= 0x8000) throw new Error("the file counts no quarters");
  const collected = new Collected();
  while (!bytes.isAtEnd) {
    const name = bytes.text(4);
    const track = new Bytes(bytes.part(bytes.number(4)));
    if (name === "MTrk") readTrack(track, collected, division);
  }
  const { notes, tempo, signature, fifths } = collected;
  notes.sort((one, other) => one.onset - other.onset || one.pitch - other.pitch);
  return { notes, tempo: tempo || 120, signature: signature ?? [4, 4], fifths: fifths ?? 0 };
}

/**
 * @param {Bytes} track
 * @param {Collected} collected
 * @param {number} division ticks of a quarter
 */
function readTrack(track, collected, division) {
  const open = /** @type {Map<number, {tick: number, velocity: number, program: number}>} */ (new Map());
  let [tick, status] = [0, 0];
  while (!track.isAtEnd) {
    tick += track.variable();
    if (tick > MOST_TICKS) throw new Error("the file is too long");
    const first = track.next();
    if (first < 0x80) {
      if (status < 0x80) throw new Error("the file is damaged: an event has no kind");
      track.at -= 1;
    } else if (first < 0xf0) status = first;
    if (first >= 0xf0) readOther(track, first, collected);
    else readMessage(track, status, tick, { open, collected, division });
  }
}

/**
 * Read what belongs to no channel.
 * @param {Bytes} track
 * @param {number} first
 * @param {Collected} collected
 */
function readOther(track, first, collected) {
  const kind = first === 0xff ? track.next() : 0;
  const data = track.part(track.variable());
  if (first === 0xff) collected.meta(kind, data);
}

/**
 * @param {Bytes} track
 * @param {number} status
 * @param {number} tick
 * @param {{open: Map<number, {tick: number, velocity: number, program: number}>, collected: Collected, division: number}} read
 */
function readMessage(track, status, tick, { open, collected, division }) {
  const [kind, channel] = [status & 0xf0, status & 0x0f];
  const value = track.next() & 0x7f;
  if (kind === 0xc0) collected.programs[channel] = value;
  if (kind === 0xc0 || kind === 0xd0) return;
  const velocity = track.next() & 0x7f;
  if (kind !== 0x90 && kind !== 0x80) return;
  const key = channel * 128 + value;
  const begun = open.get(key);
  open.delete(key);
  if (begun) {
    if (collected.notes.length >= MOST_NOTES) throw new Error("the file has too many notes");
    const [onset, length] = [begun.tick / division, Math.max(tick - begun.tick, 1) / division];
    const isDrum = channel === DRUM_CHANNEL;
    collected.notes.push({ onset, length, pitch: value, velocity: begun.velocity, program: begun.program, isDrum });
  }
  if (kind === 0x90 && velocity > 0) open.set(key, { tick, velocity, program: collected.programs[channel] });
}
