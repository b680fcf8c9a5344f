// @ts-check
/** @file The worker as the page sees it: music is made ahead of what is played, and bars are made anew. */

/** @typedef {import("./music.js").Music} Music */
/** @typedef {import("./music.js").Event} Event */

const AHEAD_BARS = 8;
const MORE_BARS = 8;
const EVENTS_AFTER = 16; // by which candidates are compared
const MOST_SEEDS = 2 ** 32;

const anySeed = () => Math.floor(Math.random() * MOST_SEEDS);

/** Makes music in a worker, for one piece at a time. */
export class Composer {
  /**
   * @param {{onReady: () => void, onChange: () => void, onEnd: () => void, onFail: (text: string) => void}} listeners
   */
  constructor(listeners) {
    this.listeners = listeners;
    this.music = /** @type {Music | null} */ (null);
    this.piece = 0;
    this.isIdle = false;
    this.rewriting = /** @type {((events: Event[]) => void) | null} */ (null);
    this.worker = /** @type {Worker | null} */ (null);
    this.isLoaded = false;
    this.waiting = /** @type {unknown[]} */ ([]); // for the tables
  }

  /**
   * Start the worker.
   * @param {string} source its script
   */
  begin(source) {
    this.worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    this.worker.addEventListener("message", (message) => this.#hear(message.data));
    this.worker.addEventListener("error", (error) => this.listeners.onFail(error.message));
  }

  /**
   * Hand on the next piece of the tables, which have `size` bytes.
   * @param {string} piece
   * @param {number} size
   */
  feed(piece, size) {
    this.worker?.postMessage({ type: "piece", piece, size });
  }

  /** All pieces are there: what is wanted can be made. */
  load() {
    for (const order of [{ type: "load" }, ...this.waiting]) this.worker?.postMessage(order);
    this.waiting = [];
    this.isLoaded = true;
  }

  /** @param {unknown} order */
  #say(order) {
    if (this.isLoaded) this.worker?.postMessage(order);
    else this.waiting.push(order);
  }

  /**
   * Go on with music from its end.
   * @param {Music} music
   * @param {import("./settings.js").Wanted} wanted
   */
  goOn(music, wanted) {
    this.music = music;
    this.piece += 1;
    this.isIdle = true;
    const prompt = music.promptBefore(Infinity);
    if (music.frontier > prompt.onset) Object.assign(prompt, music.placeAt(music.frontier)); // after silence
    this.#say({ type: "start", piece: this.piece, prompt, wanted, seed: anySeed() });
  }

  /**
   * Make enough music for what is played at a step.
   * @param {number} step
   */
  keepAhead(step) {
    const { music } = this;
    if (!music || music.isOver || !this.isIdle || this.rewriting) return;
    if (music.frontier >= step + AHEAD_BARS * music.barSteps) return;
    this.isIdle = false;
    const until = Math.max(step, music.frontier) + (AHEAD_BARS + MORE_BARS) * music.barSteps;
    this.#say({ type: "compose", piece: this.piece, until });
  }

  /**
   * Make the events of some time anew; there are none where that cannot be done.
   * @param {number} start
   * @param {number} end
   * @returns {Promise<Event[]>}
   */
  rewrite(start, end) {
    const music = /** @type {Music} */ (this.music);
    const place = music.placeOf(end);
    const after = music.rows.slice(place, Math.min(place + EVENTS_AFTER, music.rows.length));
    this.#say({
      type: "rewrite",
      piece: this.piece,
      prompt: music.promptBefore(start),
      start,
      end,
      after,
      seed: anySeed(),
    });
    return new Promise((resolve) => {
      this.rewriting = resolve;
    });
  }

  /** @param {Event[]} events */
  #finish(events) {
    const resolve = this.rewriting;
    this.rewriting = null;
    resolve?.(events);
  }

  /** @param {any} answer */
  #hear(answer) {
    if (answer.type === "ready") this.listeners.onReady();
    if (answer.type === "failed") {
      this.#finish([]); // whoever waits for bars would wait for ever
      this.listeners.onFail(answer.text);
    }
    if (answer.type === "rewritten") this.#finish(answer.events);
    if (answer.piece !== this.piece) return;
    if (answer.type === "events") {
      if (this.music) this.music.end = answer.end;
      this.music?.add(answer.events);
      this.listeners.onChange();
    } else if (answer.type === "idle") {
      this.isIdle = true;
    } else if (answer.type === "ended") {
      this.listeners.onEnd();
    }
  }
}
