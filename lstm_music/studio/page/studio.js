// @ts-check
/** @file The studio: the music, what plays it and what makes it, and what a person does with them. */

import { Composer } from "./composer.js";
import { promptOf } from "./encoding.js";
import { History } from "./history.js";
import { readMidi } from "./midi_reader.js";
import { Music } from "./music.js";
import { filesOf, unpacked } from "./packed.js";
import { Player } from "./player.js";
import { Roll } from "./roll.js";
import { barsOfFields, hasEmptyField, stretches, within, writeFields } from "./marking.js";
import { MOST_BYTES, readSession } from "./session.js";
import { askedOf, byId, fillForm, settingsOf, taken, writeValues } from "./settings.js";
import { Sound } from "./sound.js";

/** @typedef {import("./roll.js").Bars} Bars */
/** @typedef {import("./music.js").Facts} Facts */

const FIXED_BARS = 2; // behind the one that is played, which a change of settings leaves
const FRAME_MILLISECONDS = 33;
const MOST_PROMPT_BARS = 16; // of a file
const MOST_SEEDS = 2 ** 32;

/** The page with all that it holds. */
export class Studio {
  /** @param {Facts} facts */
  constructor(facts) {
    this.facts = facts;
    this.roll = new Roll(byId("roll", HTMLCanvasElement));
    this.history = new History();
    this.marked = /** @type {Bars | null} */ (null);
    this.kept = /** @type {Set<number>} */ (new Set());
    this.music = Music.of(facts, facts.prompts[0]);
    this.sound = new Sound(new AudioContext(), new Map());
    this.player = new Player(this.sound);
    this.player.take(this.music, this.music.startOf(0));
    this.isRewriting = false;
    this.drawnAt = 0;
    this.composer = new Composer({
      onReady: () => this.say("The models are loaded."),
      onChange: () => this.#show(),
      onEnd: () => this.#goOnAfterEnd(),
      onFail: (text) => this.say(`The engine failed: ${text}`),
    });
    this.sounds = this.#unpackSounds();
    this.newPiece();
    this.say("Loading the models; the prompt plays already.");
  }

  /**
   * Write a sentence for the user.
   * @param {string} text
   */
  say(text) {
    byId("status", HTMLElement).textContent = text;
  }

  async #unpackSounds() {
    try {
      this.sound.files = filesOf(await unpacked(taken("sounds")));
      await this.#loadSounds();
    } catch {
      this.say("This browser cannot play the page's sounds, which are Ogg Vorbis. Use a newer one.");
    }
  }

  async #loadSounds() {
    const { parts } = this.facts;
    const keys = parts.length
      ? parts.map((part) => (part.isDrum ? "drums" : String(part.program)))
      : [this.player.instrument];
    await Promise.all([...new Set(keys)].map((key) => this.sound.load(key)));
  }

  /** Begin anew with the chosen prompt. */
  newPiece() {
    const prompt = this.facts.prompts[Number(byId("prompt", HTMLSelectElement).value)];
    this.goOnFrom(prompt);
    this.say(prompt.events.length ? `New piece after ${prompt.title}.` : "New piece from its start.");
  }

  /**
   * Begin anew with a prompt.
   * @param {import("./music.js").PromptFacts} prompt
   */
  goOnFrom(prompt) {
    byId("tempo", HTMLInputElement).value = String(prompt.tempo);
    this.take(Music.of(this.facts, prompt), new Set());
  }

  /**
   * Take other music.
   * @param {Music} music
   * @param {Set<number>} kept
   */
  take(music, kept) {
    this.music = music;
    this.kept = kept;
    this.history = new History();
    this.mark(null);
    this.player.setTempo(Number(byId("tempo", HTMLInputElement).value));
    this.player.take(music, music.startOf(music.firstBar));
    byId("about", HTMLElement).textContent = music.title ? `After ${music.title}` : "";
    this.#goOn();
    writeValues();
    this.#show();
  }

  #goOn() {
    const seed = Math.floor(Math.random() * MOST_SEEDS);
    this.composer.goOn(this.music, settingsOf(this.facts), askedOf(this.facts), seed);
    this.composer.keepAhead(this.player.step);
  }

  /** Where the models know nothing that may follow, music goes on with the next bar. */
  #goOnAfterEnd() {
    const { music } = this;
    music.frontier = music.startOf(music.barOf(music.frontier) + 1);
    this.#goOn();
  }

  /** Play or pause. */
  async toggle() {
    const { player } = this;
    if (player.isPlaying) player.pause();
    else {
      await this.sounds;
      await player.play();
    }
    document.documentElement.classList.toggle("playing", player.isPlaying);
    byId("play-text", HTMLElement).textContent = player.isPlaying ? "Pause" : "Play";
  }

  /**
   * Mark bars, or none.
   * @param {Bars | null} bars
   */
  mark(bars) {
    this.marked = bars;
    writeFields(bars);
    this.#show();
  }

  /** Mark the bars that the fields say. */
  markByFields() {
    this.marked = barsOfFields(this.music);
    if (!hasEmptyField()) writeFields(this.marked); // a person is still writing the other one
    this.#show();
  }

  /**
   * Move the marking by a bar, or its end.
   * @param {number} step
   * @param {boolean} isEnd
   */
  moveMarks(step, isEnd) {
    const bar = this.music.barOf(this.player.step);
    const { first, last } = this.marked ?? { first: bar - step, last: bar - step };
    this.mark(
      isEnd && this.marked
        ? within(this.music, first, Math.max(last + step, first))
        : within(this.music, first + step, last + step),
    );
  }

  /** Make the marked bars anew, but those that are kept. */
  async again() {
    if (!this.marked || this.isRewriting) return;
    const changing = stretches(this.marked, this.kept);
    if (!changing.length) {
      this.say("All marked bars are kept.");
      return;
    }
    this.isRewriting = true;
    this.#show();
    this.say("Writing the marked bars again …");
    const { music } = this;
    this.history.begin();
    let written = 0;
    for (const { first, last } of changing) {
      const [start, end] = [music.startOf(first), music.startOf(last + 1)];
      const events = await this.composer.rewrite(start, end, Math.floor(Math.random() * MOST_SEEDS));
      if (this.music !== music || !events.length) continue;
      this.history.replace(music, start, end, events);
      written += 1;
    }
    this.isRewriting = false;
    if (this.music === music) {
      this.#changed(written ? "The marked bars are new." : "The models found nothing for these bars.");
    }
  }

  /** Keep the marked bars, or no longer. */
  keep() {
    if (!this.marked) return;
    const { first, last } = this.marked;
    const bars = Array.from({ length: last - first + 1 }, (_, at) => first + at);
    const isKept = bars.every((bar) => this.kept.has(bar));
    for (const bar of bars) {
      if (isKept) this.kept.delete(bar);
      else this.kept.add(bar);
    }
    this.say(isKept ? "The marked bars may change again." : "The marked bars stay as they are.");
    this.#show();
  }

  undo() {
    if (!this.isRewriting && this.history.undo(this.music)) this.#changed("Undone.");
  }

  /**
   * Go on after music that has changed.
   * @param {string} text
   */
  #changed(text) {
    this.say(text);
    this.#goOn();
    this.#show();
  }

  /** Play in the tempo of the form. */
  setTempo() {
    writeValues();
    this.player.setTempo(Number(byId("tempo", HTMLInputElement).value));
  }

  /** Make what comes anew by the settings of the form: the music from the bar after next on, behind bars that are kept. */
  change() {
    const { music, player } = this;
    const latest = Math.max(music.barOf(player.step) + FIXED_BARS, ...[...this.kept].map((bar) => bar + 1));
    const onset = Math.max(music.startOf(latest), music.promptEnd);
    music.cut(onset);
    this.history.cut(onset);
    this.mark(null);
    this.#goOn();
    this.say(`The music from bar ${music.barOf(Math.max(onset, music.frontier)) + 1} on is new.`);
  }

  /** Play with the chosen instrument. */
  async choose() {
    this.player.instrument = byId("instrument", HTMLSelectElement).value;
    await this.sounds;
    await this.#loadSounds();
  }

  /**
   * Open a file of the user's.
   * @param {File} file
   */
  async open(file) {
    try {
      if (file.size > MOST_BYTES) throw new Error("the file is too large");
      if (file.name.toLowerCase().endsWith(".json")) this.#openSession(await file.text());
      else this.goOnFrom(promptOf(this.facts, readMidi(await file.arrayBuffer()), file.name, MOST_PROMPT_BARS));
      this.say(`Opened ${file.name}.`);
    } catch (error) {
      this.say(`${file.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** @param {string} text */
  #openSession(text) {
    const { music, kept, fields } = readSession(text, this.facts);
    fillForm(fields);
    this.take(music, kept);
    void this.choose();
  }

  /** Show the state in buttons and fields. */
  #show() {
    const { music, marked, isRewriting } = this;
    byId("again", HTMLButtonElement).disabled = !marked || isRewriting;
    byId("unmark", HTMLButtonElement).disabled = !marked;
    const keep = byId("keep", HTMLButtonElement);
    keep.disabled = !marked;
    keep.setAttribute("aria-pressed", String(Boolean(marked && !stretches(marked, this.kept).length)));
    byId("undo", HTMLButtonElement).disabled = isRewriting || !this.history.changes.length;
    const place = byId("place", HTMLInputElement);
    place.min = String(music.firstBar + 1);
    place.max = String(Math.max(music.bars, music.firstBar + 1));
    for (const id of ["from", "to"]) Object.assign(byId(id, HTMLInputElement), { min: place.min, max: place.max });
    this.draw();
  }

  /** Draw what is played, and make sure that there is enough. */
  draw() {
    const { music, player } = this;
    const { step } = player;
    this.composer.keepAhead(step);
    this.roll.draw(music, step, this.marked, this.kept);
    const bar = music.barOf(step) + 1;
    const place = byId("place", HTMLInputElement);
    if (place !== document.activeElement || player.isPlaying) place.value = String(bar);
    byId("time", HTMLElement).textContent = `Bar ${bar} of ${music.bars}`;
  }

  /** @param {number} now */
  frame(now) {
    if (this.player.isPlaying && now - this.drawnAt >= FRAME_MILLISECONDS) {
      this.drawnAt = now;
      this.draw();
    }
    requestAnimationFrame((next) => this.frame(next));
  }
}
