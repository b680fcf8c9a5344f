// @ts-check
/** @file The sound: recorded notes of instruments, played at other pitches by another rate. */

import { DRUMS } from "./music.js";

const HIGHEST_VELOCITY = 127;
const VOICE_GAIN = 0.32;
const RELEASE_SECONDS = 0.12;
const TAIL_SECONDS = 0.8;

/** Plays notes; the files of an instrument are decoded when it is first wanted. */
export class Sound {
  /**
   * @param {AudioContext} context
   * @param {Map<string, ArrayBuffer>} files by `instrument/pitch`
   */
  constructor(context, files) {
    this.context = context;
    this.files = files;
    this.known = /** @type {Map<string, Map<number, AudioBuffer>>} */ (new Map());
    this.voices = /** @type {Set<AudioBufferSourceNode>} */ (new Set());
    this.volume = context.createGain();
    const limiter = context.createDynamicsCompressor();
    this.volume.connect(limiter).connect(context.destination);
  }

  /**
   * Decode the notes of an instrument.
   * @param {string} key
   */
  async load(key) {
    if (this.known.has(key)) return;
    const notes = [...this.files.keys()].filter((name) => name.startsWith(`${key}/`));
    const buffers = await Promise.all(
      notes.map((name) => this.context.decodeAudioData(/** @type {ArrayBuffer} */ (this.files.get(name)).slice(0))),
    );
    this.known.set(key, new Map(notes.map((name, at) => [Number(name.split("/")[1]), buffers[at]])));
  }

  /**
   * Play a note at a time of the context; one whose sounds are not there yet is left out. Return what ends it earlier.
   * @param {{key: string, pitch: number, velocity: number, when: number, seconds: number}} note
   * @returns {() => void}
   */
  play({ key, pitch, velocity, when, seconds }) {
    const found = this.#nearest(key, pitch);
    if (!found) return () => {};
    const source = this.context.createBufferSource();
    source.buffer = found.buffer;
    source.playbackRate.value = key === DRUMS ? 1 : 2 ** ((pitch - found.pitch) / 12);
    const gain = this.context.createGain();
    gain.gain.value = VOICE_GAIN * (velocity / HIGHEST_VELOCITY) ** 2;
    source.connect(gain).connect(this.volume);
    source.start(when);
    /** @param {number} time */
    const endAt = (time) => {
      gain.gain.cancelScheduledValues(time);
      gain.gain.setTargetAtTime(0, time, RELEASE_SECONDS);
      source.stop(time + TAIL_SECONDS);
    };
    if (key !== DRUMS) endAt(when + seconds);
    this.voices.add(source);
    source.addEventListener("ended", () => {
      this.voices.delete(source);
      gain.disconnect();
    });
    return () => endAt(this.context.currentTime);
  }

  /** Stop all notes at once. */
  silence() {
    for (const voice of this.voices) voice.stop();
  }

  /**
   * @param {string} key
   * @param {number} pitch
   */
  #nearest(key, pitch) {
    let best = null;
    for (const [at, buffer] of this.known.get(key) ?? []) {
      if (!best || Math.abs(at - pitch) < Math.abs(best.pitch - pitch)) best = { pitch: at, buffer };
    }
    return best;
  }
}
