// @ts-check
/** @file The piano roll: some bars around what is played, in which bars can be marked. */

/** @typedef {import("./music.js").Music} Music */
/** @typedef {{first: number, last: number}} Bars */

const NARROW = 640; // pixels
const LOWEST = 36;
const HIGHEST = 84;
const MARGIN = 2; // semitones
const HEAD_AT = 0.25; // of the width
const RULER = 22; // pixels
const PART_COLOURS = 6;

/** Draws on a canvas; colours are those of the style sheet. */
export class Roll {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.view = { start: 0, steps: 1 };
    this.isCalm = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.low = LOWEST;
    this.high = HIGHEST;
  }

  /**
   * Draw music around a step.
   * @param {Music} music
   * @param {number} step
   * @param {Bars | null} marked
   * @param {Set<number>} kept
   */
  draw(music, step, marked, kept) {
    const { width, height } = this.#fit();
    const bars = width < NARROW ? 4 : 8;
    this.#look(music, step, bars * music.barSteps);
    const { context, view } = this;
    /** @param {number} at */
    const xOf = (at) => ((at - view.start) / view.steps) * width;
    const colours = getComputedStyle(this.canvas);
    /** @param {string} name */
    const colour = (name) => colours.getPropertyValue(name).trim();
    context.fillStyle = colour("--inset");
    context.fillRect(0, 0, width, height);
    this.#bars(music, xOf, height, colour, marked, kept);
    this.#notes(music, xOf, height, colour);
    if (music.end) {
      context.fillStyle = colour("--ink");
      context.fillRect(xOf(music.end) - 5, RULER, 1, height);
      context.fillRect(xOf(music.end) - 2, RULER, 3, height);
    }
    context.fillStyle = colour("--head");
    context.fillRect(xOf(step) - 1, 0, 2, height);
  }

  /**
   * Give the bar at a place of the canvas.
   * @param {Music} music
   * @param {number} x pixels from its left edge
   */
  barAt(music, x) {
    return music.barOf(this.view.start + (x / this.canvas.clientWidth) * this.view.steps);
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const scale = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
    }
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    return { width, height };
  }

  /**
   * Move the view along with the music; where less motion is wanted, page by page.
   * @param {Music} music
   * @param {number} step
   * @param {number} steps
   */
  #look(music, step, steps) {
    const first = music.startOf(music.firstBar);
    const follow = Math.max(step - HEAD_AT * steps, first);
    const pages = first + Math.floor(Math.max(step - first, 0) / steps) * steps;
    this.view = { start: this.isCalm.matches ? pages : follow, steps };
  }

  /**
   * @param {Music} music
   * @param {(at: number) => number} xOf
   * @param {number} height
   * @param {(name: string) => string} colour
   * @param {Bars | null} marked
   * @param {Set<number>} kept
   */
  #bars(music, xOf, height, colour, marked, kept) {
    const { context, view } = this;
    const last = music.barOf(view.start + view.steps);
    context.font = `12px ${colour("--sans") || "sans-serif"}`;
    context.textBaseline = "middle";
    for (let bar = music.barOf(view.start); bar <= last; bar++) {
      const [left, right] = [xOf(music.startOf(bar)), xOf(music.startOf(bar + 1))];
      if (marked && bar >= marked.first && bar <= marked.last) {
        context.fillStyle = colour("--mark");
        context.fillRect(left, 0, right - left, height);
      }
      context.fillStyle = colour("--line");
      context.fillRect(left, 0, 1, height);
      context.fillStyle = colour("--ink");
      context.fillText(kept.has(bar) ? `${bar + 1} kept` : `${bar + 1}`, left + 5, RULER / 2);
    }
    context.fillStyle = colour("--line");
    context.fillRect(0, RULER, this.canvas.clientWidth, 1);
  }

  /**
   * @param {Music} music
   * @param {(at: number) => number} xOf
   * @param {number} height
   * @param {(name: string) => string} colour
   */
  #notes(music, xOf, height, colour) {
    const { context, view } = this;
    const seen = music
      .between(view.start - 4 * music.barSteps, view.start + view.steps)
      .flatMap((event) => music.notesOf(event));
    for (const { pitch } of seen) {
      this.low = Math.min(this.low, pitch - MARGIN);
      this.high = Math.max(this.high, pitch + MARGIN);
    }
    const row = (height - RULER) / (this.high - this.low + 1);
    for (const { pitch, part, onset, steps } of seen) {
      const left = xOf(onset);
      const width = Math.max(xOf(onset + steps) - left - 1, 2);
      context.fillStyle = colour(onset < music.given ? "--given" : `--part-${part % PART_COLOURS}`);
      context.fillRect(left, RULER + (this.high - pitch) * row, width, Math.max(row - 0.5, 1.5));
    }
  }
}
