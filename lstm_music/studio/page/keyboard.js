// @ts-check
/** @file Playing oneself, on the computer's keys or a MIDI keyboard: after a pause the models answer. */

import { promptOf } from "./encoding.js";
import { byId } from "./settings.js";

/** @typedef {import("./studio.js").Studio} Studio */
/** @typedef {import("./midi_reader.js").PlayedNote} PlayedNote */

const PAUSE_MILLISECONDS = 2000;
const LONGEST_SECONDS = 3.5;
const VELOCITY = 84;
const OCTAVE_PITCHES = 12;
const HIGHEST_OCTAVE = 8;
const MOST_BARS = 64;
const NOTE_ON = 0x90;
const NOTE_OFF = 0x80;

/** The keys from C on, as they lie: letters by their place on the keyboard, whatever is printed on them. */
const KEYS = [
  "KeyA",
  "KeyW",
  "KeyS",
  "KeyE",
  "KeyD",
  "KeyF",
  "KeyT",
  "KeyG",
  "KeyY",
  "KeyH",
  "KeyU",
  "KeyJ",
  "KeyK",
  "KeyO",
  "KeyL",
];

/** Listens to a person while it is on. */
export class Keyboard {
  /** @param {Studio} studio */
  constructor(studio) {
    this.studio = studio;
    this.isOn = false;
    this.octave = 5;
    this.held = /** @type {Map<string, {note: PlayedNote, begun: number, release: () => void}>} */ (new Map());
    this.notes = /** @type {PlayedNote[]} */ ([]);
    this.begun = 0; // seconds of the context
    this.timer = 0;
    this.hasMidi = false;
  }

  /** Begin or stop to listen. */
  async toggle() {
    this.isOn = !this.isOn;
    byId("listen", HTMLButtonElement).setAttribute("aria-pressed", String(this.isOn));
    if (!this.isOn) return;
    await this.studio.sound.context.resume();
    this.studio.say(
      this.hasMidi || (await this.#askForMidi())
        ? "Listening to your MIDI keyboard and your keys."
        : "Listening to your keys.",
    );
  }

  /**
   * Take a key of the computer; say whether it plays.
   * @param {KeyboardEvent} event
   */
  press(event) {
    if (event.code === "KeyZ" || event.code === "KeyX") {
      const octave = this.octave + (event.code === "KeyX" ? 1 : -1);
      this.octave = Math.min(Math.max(octave, 1), HIGHEST_OCTAVE);
      return true;
    }
    const place = KEYS.indexOf(event.code);
    if (place >= 0 && !event.repeat) this.#on(event.code, this.octave * OCTAVE_PITCHES + place, VELOCITY);
    return place >= 0;
  }

  /** @param {KeyboardEvent} event */
  lift(event) {
    this.#off(event.code);
  }

  async #askForMidi() {
    try {
      const access = await navigator.requestMIDIAccess();
      for (const input of access.inputs.values()) {
        input.addEventListener("midimessage", (event) => this.#hearMidi(event.data));
      }
      this.hasMidi = access.inputs.size > 0;
    } catch {
      this.hasMidi = false; // the browser has none, or the person does not want it
    }
    return this.hasMidi;
  }

  /** @param {Uint8Array | null} data */
  #hearMidi(data) {
    if (!this.isOn || !data || data.length < 3) return;
    const [status, pitch, velocity] = data;
    const kind = status & 0xf0;
    if (kind === NOTE_ON && velocity > 0) this.#on(`midi ${pitch}`, pitch, velocity);
    else if (kind === NOTE_ON || kind === NOTE_OFF) this.#off(`midi ${pitch}`);
  }

  /**
   * @param {string} key
   * @param {number} pitch
   * @param {number} velocity
   */
  #on(key, pitch, velocity) {
    const { sound, player, facts } = this.studio;
    window.clearTimeout(this.timer);
    if (player.isPlaying) this.studio.toggle();
    this.#off(key);
    const now = sound.context.currentTime;
    if (!this.notes.length && !this.held.size) this.begun = now;
    const part = facts.parts.find(({ isDrum }) => !isDrum);
    const instrument = part ? String(part.program) : player.instrument;
    const release = sound.play({ key: instrument, pitch, velocity, when: now, seconds: LONGEST_SECONDS });
    const note = {
      onset: this.#quarters(now - this.begun),
      length: 0,
      pitch,
      velocity,
      program: part?.program ?? 0,
      isDrum: false,
    };
    this.held.set(key, { note, begun: now, release });
  }

  /** @param {string} key */
  #off(key) {
    const held = this.held.get(key);
    if (!held) return;
    this.held.delete(key);
    held.release();
    const length = this.#quarters(this.studio.sound.context.currentTime - held.begun);
    this.notes.push({ ...held.note, length });
    window.clearTimeout(this.timer);
    if (!this.held.size) this.timer = window.setTimeout(() => this.#answer(), PAUSE_MILLISECONDS);
  }

  /** @param {number} seconds */
  #quarters(seconds) {
    return (seconds * this.studio.player.tempo) / 60;
  }

  /** Let the models go on from what was played. */
  #answer() {
    const { studio, notes } = this;
    const { tempo } = studio.player;
    const [numerator, denominator] = studio.music.signature;
    const { fifths } = studio.music;
    this.notes = [];
    notes.sort((one, other) => one.onset - other.onset || one.pitch - other.pitch);
    try {
      const piece = { notes, tempo, fifths, signature: /** @type {[number, number]} */ ([numerator, denominator]) };
      studio.goOnFrom(promptOf(studio.facts, piece, "what you played", MOST_BARS));
      studio.player.seek(studio.music.frontier);
      studio.toggle();
      studio.say("The models answer.");
    } catch (error) {
      studio.say(error instanceof Error ? error.message : String(error));
    }
  }
}
