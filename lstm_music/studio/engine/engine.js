// @ts-check
/** @file The loop that makes music, event after event: see `lstm_music/generation/loop.py`. */

import { BarSoFar, NOTHING_ASKED, asksSomething, controlId } from "./conditioning.js";
import { Past } from "./echo.js";
import { Bounds } from "./ending.js";
import { nats } from "./exact.js";
import { Grammar, narrow } from "./grammar.js";
import { Guesser } from "./guess.js";
import { GuidedModel } from "./guidance.js";
import { columnOf } from "./inputs.js";
import { layout } from "./layout.js";
import { LoopGuard, NO_NOTE } from "./loop_guard.js";
import { END, GUESS_WIDTH, OFFSET_AT, PART, PART_AT, QUARTERS, chainOf, heardOf } from "./names.js";
import { OwnPast } from "./own_echo.js";
import { ParallelGuard } from "./parallels.js";
import { keepToRails } from "./rails.js";
import { Sampler } from "./sampling.js";

/** @typedef {import("./conditioning.js").Asked} Asked */
/** @typedef {import("./ending.js").Ending} Ending */
/** @typedef {import("./sampling.js").Sampling} Sampling */
/** @typedef {import("./tables.js").Tables} Tables */

/**
 * The music to go on from: its `events` are streams and places, `before` the event before them. Of its last event, in steps:
 * `onset` since the start of the piece and `position` since that of its bar, which has `barSteps` and the number `bar`. Without a
 * number, bars count from the one in which new music begins.
 * @typedef {{events: ArrayLike<number>[], before: ArrayLike<number>, onset: number, position: number, barSteps: number,
 *   bar?: number}} Prompt
 */

/**
 * How music is made: `sampling` of each stream. `avoidParallels` needs parts.
 * @typedef {{sampling: Record<string, Sampling>, maxRepeats: number, minEvents: number, avoidParallels: boolean}} Settings
 */

/** @typedef {{event: Int32Array, onset: number, position: number, bar: number, nats: number, endNats: number}} Made */

/** Music that goes on from a prompt. `settings` and `asked` may change between two events. */
export class Engine {
  /**
   * @param {Tables} tables
   * @param {Settings} settings
   * @param {Prompt} prompt
   * @param {Asked | null} asked
   * @param {Ending | null} ending
   */
  constructor(tables, settings, prompt, asked = null, ending = null) {
    const { columns, grammar } = tables;
    this.tables = tables;
    this.settings = settings;
    this.asked = asked ?? (ending ? NOTHING_ASKED : null);
    this.chain = chainOf(columns.streams);
    this.heard = heardOf(columns.streams);
    this.sizes = Object.fromEntries(columns.streams.map((name) => [name, columns.sizes[columnOf(columns, name)]]));
    this.at = layout(columns);
    const guided = this.at.controls.filter(([name]) => name !== "ending").map(([, column]) => column);
    this.models = new Map(
      tables.models.map((model) => [model.spec.stream, new GuidedModel(model, this.sizes[model.spec.stream], guided)]),
    );
    this.past = new Past(this.heard.length, grammar.shapes, this.sizes.duration, this.at.ranks);
    this.own = this.at.own < 0 ? null : new OwnPast(this.past, grammar.offsetSteps);
    const heardSizes = Object.fromEntries(this.heard.map((name) => [name, this.sizes[name]]));
    this.guesser = tables.ngrams ? new Guesser(tables.ngrams, grammar.shapes, heardSizes) : null;
    this.grammar = new Grammar(grammar);
    this.guard = new LoopGuard(this.heard.length);
    this.parallels = new ParallelGuard(grammar.pitches, grammar.parts.length);
    this.soFar = new BarSoFar(grammar, prompt.bar ?? null);
    this.bounds = ending ? new Bounds(grammar, ending) : null;
    const most = Math.max(...Object.values(this.sizes));
    this.sampler = new Sampler(most);
    this.allowed = Object.fromEntries(columns.streams.map((name) => [name, new Uint8Array(this.sizes[name])]));
    this.last = /** @type {Int32Array} */ (new Int32Array(columns.names.length));
    this.onset = this.lastOnset = prompt.onset;
    this.position = prompt.position;
    this.barSteps = prompt.barSteps;
    this.made = 0;
    this.loopsLeft = 0;
    this.hasEnded = false;
    this.last.set(prompt.before);
    for (const event of prompt.events) this.#follow(event);
    this.soFar.begin(prompt.events);
  }

  /**
   * Make an event, by uniform random numbers, one for each stream in the order of the chain.
   * @param {ArrayLike<number>} chance
   * @returns {Made}
   */
  next(chance) {
    const current = new Int32Array(this.last.length);
    const isGuided = asksSomething(this.asked);
    const step = { passed: 0, nats: 0, endNats: 0, intervened: false };
    if (this.bounds) for (const model of this.models.values()) model.keep();
    this.chain.forEach((stream, turn) => {
      const model = this.models.get(stream);
      const logits = model ? model.ask(this.last, current, isGuided) : this.#nearHalfAQuarter(stream);
      const chosen = this.#choose(stream, current, logits, chance[turn], step, Boolean(model));
      if (model) step.nats += nats(model.unguided, chosen);
      current[columnOf(this.tables.columns, stream)] = chosen;
      if (turn === 0) this.#place(current, logits, step);
      this.#known(stream, current);
    });
    this.#settle(current, step.passed, step.intervened);
    const { onset, position } = this;
    return { event: current, onset, position, bar: this.soFar.bar, nats: step.nats, endNats: step.endNats };
  }

  /**
   * Follow events that were made elsewhere, of which streams and places are given, and say how unlikely they are.
   * @param {ArrayLike<number>[]} events
   */
  score(events) {
    let sum = 0;
    for (const event of events) {
      const current = new Int32Array(this.last.length);
      current.set(event);
      for (const stream of this.chain) {
        const model = this.models.get(stream);
        if (model) sum += nats(model.ask(this.last, current, false), current[columnOf(this.tables.columns, stream)]);
        this.#known(stream, current);
      }
      this.#hear(current);
      this.last = current;
    }
    return sum;
  }

  /**
   * Choose the id of a stream.
   * @param {string} stream
   * @param {Int32Array} current
   * @param {Float64Array} logits
   * @param {number} chance
   * @param {{passed: number, intervened: boolean}} step
   * @param {boolean} isPredicted
   */
  #choose(stream, current, logits, chance, step, isPredicted) {
    const allowed = this.allowed[stream];
    if (stream === "offset") this.#allowOffsets(allowed);
    else this.#allowOthers(stream, allowed, current, step);
    if (this.asked) keepToRails(stream, this.asked, allowed, this.soFar, this.position, this.barSteps);
    const sampling = this.settings.sampling[stream];
    const chosen = this.sampler.choose(
      logits,
      allowed,
      chance,
      isPredicted ? sampling : { ...sampling, temperature: 0 },
    );
    return stream === "offset" && this.bounds ? this.bounds.cut(chosen, this.made === 0, this.onset) : chosen;
  }

  /** @param {Uint8Array} allowed */
  #allowOffsets(allowed) {
    const within = this.bounds ? this.bounds.offsets(this.made === 0, this.onset, this.barSteps) : null;
    this.grammar.offsets(allowed, this.last, this.onset, this.made >= this.settings.minEvents, within);
  }

  /**
   * @param {string} stream
   * @param {Uint8Array} allowed
   * @param {Int32Array} current
   * @param {{intervened: boolean}} step
   */
  #allowOthers(stream, allowed, current, step) {
    const { maxRepeats, avoidParallels } = this.settings;
    this.grammar.others(stream, allowed, this.last, current);
    if (stream === "duration") this.bounds?.durations(allowed, this.onset);
    if (stream !== "note") return;
    const loop = maxRepeats ? this.guard.forbidden(current, maxRepeats, this.barSteps, this.grammar.hasParts) : NO_NOTE;
    if (loop !== NO_NOTE) step.intervened = narrow(allowed, (id) => id !== loop);
    if (avoidParallels && this.grammar.hasParts) {
      narrow(allowed, (id) => !this.parallels.isParallel(id, current[PART_AT]));
    }
  }

  /**
   * Set the place of an event whose offset is known, and its controls.
   * @param {Int32Array} current
   * @param {Float64Array} logits
   * @param {{passed: number, endNats: number}} step
   */
  #place(current, logits, step) {
    const { stepsPerQuarter, offsetSteps } = this.tables.grammar;
    step.passed = offsetSteps[current[OFFSET_AT]];
    this.onset += step.passed;
    this.position = (this.position + step.passed) % this.barSteps;
    if (this.bounds) {
      if (this.made === 0) this.bounds.begin(this.onset, this.position);
      step.endNats = nats(logits, END);
    }
    const { places, controls } = this.at;
    const barsLeft = this.bounds?.barsLeft(this.onset, this.position, this.barSteps) ?? 0;
    if (!this.bounds?.hasEnd) this.bounds = null; // it said where music begins
    current[places] = this.position % stepsPerQuarter;
    current[places + 1] = Math.min(Math.floor(this.position / stepsPerQuarter), QUARTERS - 1);
    this.soFar.go(step.passed, this.position, this.barSteps);
    this.parallels.go(step.passed);
    if (!this.asked) return;
    for (const [name, column] of controls) {
      current[column] = controlId(name, this.asked, this.soFar, this.position, this.barSteps, barsLeft);
    }
  }

  /**
   * Set what is known of an event once a stream of it was chosen.
   * @param {string} stream
   * @param {Int32Array} current
   */
  #known(stream, current) {
    if (stream === PART && this.own) this.own.stepTo(current, this.at.own);
    const next = this.chain[this.chain.indexOf(stream) + 1];
    if (next) this.#guess(next, current);
  }

  /**
   * @param {string} stream
   * @param {Int32Array} current
   */
  #guess(stream, current) {
    const place = this.heard.indexOf(stream);
    if (this.guesser && place >= 0) {
      this.guesser.write(stream, this.past, current, this.at.guesses + place * GUESS_WIDTH);
    }
  }

  /**
   * Remember an event that was made. After the end the models are where they were before it.
   * @param {Int32Array} current
   * @param {number} passed
   * @param {boolean} intervened
   */
  #settle(current, passed, intervened) {
    this.made += 1;
    if (current[OFFSET_AT] === END) {
      current.fill(END);
      this.hasEnded = true;
      for (const model of this.models.values()) model.goBack();
      return;
    }
    this.lastOnset = this.onset;
    this.loopsLeft += Number(intervened);
    this.guard.remember(current, passed);
    this.parallels.remember(current);
    this.soFar.count(current);
    this.#hear(current);
    this.last = current;
  }

  /** @param {Int32Array} current */
  #hear(current) {
    this.own?.hear(current);
    this.past.hear(current);
    this.past.writeEchoes(current, this.at.echoes);
    this.#guess("offset", current);
  }

  /**
   * Follow an event of the prompt, of which streams and places are given.
   * @param {ArrayLike<number>} event
   */
  #follow(event) {
    const current = new Int32Array(this.last.length);
    current.set(event);
    for (const stream of this.chain) this.#known(stream, current);
    for (const model of this.models.values()) model.follow(this.last, current);
    this.#hear(current);
    this.guard.follow(current);
    this.parallels.go(this.tables.grammar.offsetSteps[current[OFFSET_AT]]);
    this.parallels.remember(current);
    this.last = current;
  }

  /**
   * Give logits that are the higher the nearer a value is to half a quarter, for a stream that no model predicts.
   * @param {string} stream
   */
  #nearHalfAQuarter(stream) {
    const { offsetSteps, durationSteps, stepsPerQuarter } = this.tables.grammar;
    const steps = stream === "offset" ? offsetSteps : durationSteps;
    return Float64Array.from(steps, (one) => -Math.abs(2 * one - stepsPerQuarter));
  }
}
