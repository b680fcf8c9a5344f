// @ts-check
/** @file The studio: the music, what plays it and what makes it, and what a person does with them. */

import { Composer } from "./composer.js";
import { History } from "./history.js";
import { writeFields } from "./marking.js";
import { Music } from "./music.js";
import { opened } from "./opening.js";
import { filesOf, unpacked } from "./packed.js";
import { Player } from "./player.js";
import { Roll } from "./roll.js";
import { byId, fillForm, formOf, numberOf, taken, wantedOf, withLasting, writeValues } from "./settings.js";
import { Sound } from "./sound.js";
import { draw, show } from "./view.js";

/** @typedef {import("./roll.js").Bars} Bars */
/** @typedef {import("./music.js").Facts} Facts */
/** @typedef {import("./music.js").PromptFacts} PromptFacts */

/**
 * What a change can take away; `step` is where the music was played.
 * @typedef {{music: Music, kept: Set<number>, fields: Array<[string, string]>, step: number}} State
 */

const FIXED_BARS = 2; // behind the one that is played, which a change of settings leaves
const FRAME_MILLISECONDS = 33;

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
    this.fields = formOf(); // as the music was made by
    this.isSaved = true;
    this.sound = new Sound(new AudioContext(), new Map());
    this.player = new Player(this.sound, () => this.#showEnd());
    this.isRewriting = false;
    this.changes = 0; // of the music, for what waits for the worker
    this.drawnAt = 0;
    this.composer = new Composer({
      onReady: () => this.say("The models are loaded."),
      onChange: () => show(this),
      onEnd: () => this.#goOnAfterEnd(),
      onFail: (text) => this.say(`The engine failed: ${text}`),
    });
    this.sounds = this.#unpackSounds();
    this.#begin(facts.prompts[numberOf("prompt")]);
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
    const prompt = this.facts.prompts[numberOf("prompt")];
    this.#remember("new piece", null);
    this.#begin(prompt);
    this.say(
      `New piece ${prompt.events.length ? `after ${prompt.title}` : "from its start"}. Undo brings the music before back.`,
    );
  }

  /**
   * Begin anew with music of the user's, which can be chosen again afterwards.
   * @param {PromptFacts} prompt
   */
  goOnFrom(prompt) {
    this.#remember(prompt.title, null);
    const choice = byId("prompt", HTMLSelectElement);
    const option = document.createElement("option");
    option.value = String(this.facts.prompts.push(prompt) - 1);
    option.textContent = `${prompt.title}, bars ${prompt.bars[0]} to ${prompt.bars[1]}`;
    choice.add(option);
    choice.value = option.value;
    this.#begin(prompt);
  }

  /** @param {PromptFacts} prompt */
  #begin(prompt) {
    byId("tempo", HTMLInputElement).value = String(prompt.tempo);
    const music = Music.of(this.facts, prompt);
    this.#take({ music, kept: new Set(), fields: formOf(), step: 0 }, music.startOf(music.firstBar));
  }

  /**
   * Let the state be brought back that a change is about to take away.
   * @param {string} name
   * @param {import("./music.js").Tail | null} tail of this music, where only that is taken away
   */
  #remember(name, tail) {
    let other = this.#state;
    const swap = () => {
      const now = this.#state;
      if (tail) tail = this.music.exchange(tail);
      const isAhead = tail && this.player.step <= tail.since;
      const fields = tail ? withLasting(other.fields) : other.fields;
      this.#take({ ...other, fields }, isAhead ? null : (tail?.since ?? other.step));
      other = now;
    };
    this.record({ name, swap });
  }

  /** @returns {State} */
  get #state() {
    return { music: this.music, kept: new Set(this.kept), fields: this.fields, step: this.player.step };
  }

  /**
   * Let a change be undone.
   * @param {import("./history.js").Change} change
   */
  record(change) {
    this.history.record(change);
    this.isSaved = false;
  }

  /**
   * Take other music, and go on with it.
   * @param {State} state
   * @param {number | null} step where it is played; null: it is played on
   */
  #take({ music, kept, fields }, step) {
    this.changes += 1;
    this.music = music;
    if (step === null) this.player.music = music;
    else this.player.take(music, step);
    this.kept = kept;
    fillForm(fields);
    this.fields = formOf();
    this.player.setTempo(numberOf("tempo"));
    void this.choose();
    this.mark(null);
    this.goOn();
  }

  /** Go on with the music from its end. */
  goOn() {
    this.composer.goOn(this.music, wantedOf(this.facts, this.music));
    this.composer.keepAhead(this.player.step);
    show(this);
  }

  /** The music is over, or the models know nothing that may follow: then it goes on with the next bar. */
  #goOnAfterEnd() {
    const { music } = this;
    music.frontier = music.startOf(music.barOf(music.frontier) + 1);
    music.isOver = music.end > 0 && music.frontier >= music.end;
    if (music.isOver) show(this);
    else this.goOn();
  }

  #showEnd() {
    show(this);
    this.say("The music has ended. Play begins again.");
  }

  /** Play or pause. */
  async toggle() {
    const { player } = this;
    if (player.isPlaying) player.pause();
    else {
      await this.sounds;
      await player.play();
    }
    show(this);
  }

  /**
   * Mark bars, or none.
   * @param {Bars | null} bars
   */
  mark(bars) {
    this.marked = bars;
    writeFields(bars);
    show(this);
  }

  undo() {
    const name = this.isRewriting ? "" : this.history.undo();
    if (name) this.say(`Undone: ${name}.`);
    show(this);
  }

  redo() {
    const name = this.isRewriting ? "" : this.history.redo();
    if (name) this.say(`Done again: ${name}.`);
    show(this);
  }

  /** Play in the tempo of the form. */
  setTempo() {
    writeValues();
    this.fields = withLasting(this.fields);
    this.player.setTempo(numberOf("tempo"));
  }

  /** Where a change may begin at the earliest: behind what is heard soon, behind kept bars and the prompt. */
  get #changeable() {
    const { music, player } = this;
    const latest = Math.max(music.barOf(player.step) + FIXED_BARS, ...[...this.kept].map((bar) => bar + 1));
    return Math.max(music.startOf(latest), music.begin);
  }

  /** Whether the form asks for other music than this. */
  get #isChanged() {
    return String(formOf()) !== String(this.fields);
  }

  /** Make what comes anew by the settings of the form. */
  change() {
    if (!this.#isChanged) return;
    const onset = this.#changeable;
    this.#recompose("change of the controls", onset);
    const bar = this.music.barOf(Math.max(onset, this.music.frontier)) + 1;
    this.say(`The music from bar ${bar} on is new. Undo brings it back as it was.`);
  }

  /** Let the music end as the form says: what lies before its last bar stays. */
  setLength() {
    if (!this.#isChanged) return;
    const { music } = this;
    const bars = numberOf("length");
    const end = bars ? music.startOf(music.newBar + bars) : Infinity;
    const lastBar = Math.min(end, music.end || Infinity) - music.barSteps;
    this.#recompose("change of the length", Math.max(lastBar, this.#changeable));
    const wanted = wantedOf(this.facts, this.music).ending;
    const last = this.music.isFresh ? music.newBar + bars : music.barOf(wanted?.end ?? 0);
    this.say(bars ? `The music ends with bar ${last}.` : "The music goes on for ever.");
  }

  /**
   * Let go of the music from a time on, and go on from there.
   * @param {string} name
   * @param {number} onset
   */
  #recompose(name, onset) {
    const { music } = this;
    this.#remember(name, music.cut(onset));
    this.#take({ music, kept: new Set(this.kept), fields: formOf(), step: 0 }, null);
  }

  /** Play with the chosen instrument. */
  async choose() {
    if (!this.facts.parts.length) this.player.instrument = byId("instrument", HTMLSelectElement).value;
    this.fields = withLasting(this.fields);
    await this.sounds;
    await this.#loadSounds();
  }

  /**
   * Open a file of the user's.
   * @param {File} file
   */
  async open(file) {
    try {
      const { session, prompt } = await opened(this.facts, file);
      if (prompt) this.goOnFrom(prompt);
      if (session) {
        this.#remember(file.name, null);
        this.#take({ ...session, step: 0 }, session.music.startOf(session.music.firstBar));
      }
      this.say(`Opened ${file.name}. Undo brings the music before back.`);
    } catch (error) {
      this.say(`${file.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Draw what is played, and make sure that there is enough. */
  draw() {
    this.composer.keepAhead(this.player.step);
    draw(this);
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
