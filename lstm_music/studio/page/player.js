// @ts-check
/** @file Playing: which notes sound when, a little ahead of the clock of the audio. */

/** @typedef {import("./music.js").Music} Music */
/** @typedef {import("./sound.js").Sound} Sound */

const AHEAD_SECONDS = 0.35;
const HIDDEN_AHEAD_SECONDS = 2.5; // a page in the background is heard of once a second
const TICK_MILLISECONDS = 80;
const START_SECONDS = 0.08;

/** Plays music from a place on. Where the music is not made yet, it waits, and counts that as a gap. */
export class Player {
  /**
   * @param {Sound} sound
   * @param {() => void} onEnd called where the music ends
   */
  constructor(sound, onEnd) {
    this.sound = sound;
    this.onEnd = onEnd;
    this.music = /** @type {Music | null} */ (null);
    this.tempo = 120;
    this.instrument = "0";
    this.gaps = 0;
    this.isPlaying = false;
    this.scheduled = 0; // up to here notes are handed over, in steps
    this.anchor = { seconds: 0, step: 0 };
    this.isWaiting = false;
    this.timer = 0;
  }

  /** How long a step of the grid lasts. */
  get secondsPerStep() {
    return 60 / (this.tempo * (this.music?.facts.stepsPerQuarter ?? 1));
  }

  /** Where the music is now, in steps. */
  get step() {
    if (!this.isPlaying) return this.anchor.step;
    const passed = this.sound.context.currentTime - this.anchor.seconds;
    return this.anchor.step + Math.max(passed, 0) / this.secondsPerStep;
  }

  /**
   * Take other music, and stand at a place of it.
   * @param {Music} music
   * @param {number} step
   */
  take(music, step) {
    this.music = music;
    this.seek(step);
  }

  /** @param {number} step */
  seek(step) {
    this.sound.silence();
    this.anchor = { seconds: this.sound.context.currentTime + START_SECONDS, step };
    this.scheduled = step;
  }

  /** @param {number} tempo */
  setTempo(tempo) {
    this.anchor = { seconds: this.sound.context.currentTime, step: this.step };
    this.tempo = tempo;
  }

  async play() {
    await this.sound.context.resume();
    this.seek(this.anchor.step);
    this.isPlaying = true;
    this.timer = window.setInterval(() => this.#tick(), TICK_MILLISECONDS);
    this.#tick();
  }

  pause() {
    const { step } = this;
    this.isPlaying = false;
    window.clearInterval(this.timer);
    this.seek(step);
  }

  #tick() {
    const { music } = this;
    if (!music) return;
    const ahead = document.hidden ? HIDDEN_AHEAD_SECONDS : AHEAD_SECONDS;
    const wanted = this.step + ahead / this.secondsPerStep;
    const until = Math.min(wanted, music.frontier);
    if (until > this.scheduled) {
      for (const event of music.between(this.scheduled, until)) this.#schedule(event);
      this.scheduled = until;
    }
    if (music.isOver && this.step >= music.frontier) this.#stop(music);
    else this.#wait(wanted, music);
  }

  /**
   * Stop at the end of the music, whose last notes fade by themselves, and stand at its beginning.
   * @param {Music} music
   */
  #stop(music) {
    this.isPlaying = false;
    window.clearInterval(this.timer);
    this.anchor = { seconds: this.sound.context.currentTime, step: music.startOf(music.firstBar) };
    this.scheduled = this.anchor.step;
    this.onEnd();
  }

  /**
   * Stand still at the frontier until there is more.
   * @param {number} wanted
   * @param {Music} music
   */
  #wait(wanted, music) {
    const isLate = !music.isOver && wanted > music.frontier && this.step >= music.frontier;
    if (isLate) {
      if (!this.isWaiting) this.gaps += 1;
      this.anchor = { seconds: this.sound.context.currentTime + START_SECONDS, step: music.frontier };
    }
    this.isWaiting = isLate;
  }

  /** @param {import("./music.js").Event} event */
  #schedule(event) {
    const { music, anchor, secondsPerStep, sound } = this;
    if (!music) return;
    for (const { pitch, key, velocity, onset, steps } of music.notesOf(event)) {
      const when = Math.max(anchor.seconds + (onset - anchor.step) * secondsPerStep, sound.context.currentTime);
      sound.play({ key: key || this.instrument, pitch, velocity, when, seconds: steps * secondsPerStep });
    }
  }
}
