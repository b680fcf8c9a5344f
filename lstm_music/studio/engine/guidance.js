// @ts-check
/** @file Models with and without their controls, and the difference raised: see `lstm_music/generation/guidance.py`. */

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./lstm.js").State} State */

const GUIDANCE = 3;

/** One model that is asked event after event, without controls and, while something is asked of them, with them. */
export class GuidedModel {
  /**
   * @param {Model} model
   * @param {number} ids
   * @param {number[]} controls columns to which guidance is given
   */
  constructor(model, ids, controls) {
    this.model = model;
    this.controls = controls;
    this.states = model.start();
    this.guided = /** @type {State[] | null} */ (null);
    this.kept = /** @type {Array<State[] | null> | null} */ (null);
    this.unguided = new Float64Array(ids);
    this.logits = new Float64Array(ids);
  }

  /** Remember the states, for `goBack`. */
  keep() {
    this.kept = [this.states, this.guided].map((states) => states && copied(this.model, states));
  }

  /** Take the states that were kept. */
  goBack() {
    if (this.kept) [this.states, this.guided] = [this.kept[0] ?? this.states, this.kept[1]];
  }

  /**
   * Follow an event that was chosen elsewhere.
   * @param {Int32Array} previous
   * @param {Int32Array} current
   */
  follow(previous, current) {
    this.guided = null;
    this.model.advance(previous, current, this.states);
  }

  /**
   * Give the logits at an event; those without controls are in `unguided`.
   * @param {Int32Array} previous
   * @param {Int32Array} current
   * @param {boolean} isGuided
   */
  ask(previous, current, isGuided) {
    if (!isGuided) {
      this.guided = null;
      this.model.step(previous, current, this.states, this.unguided);
      return this.unguided;
    }
    this.guided ??= copied(this.model, this.states);
    this.model.step(this.#silent(previous), this.#silent(current), this.states, this.unguided);
    this.model.step(previous, current, this.guided, this.logits);
    const { logits, unguided } = this;
    for (let id = 0; id < logits.length; id++) logits[id] = unguided[id] + GUIDANCE * (logits[id] - unguided[id]);
    return logits;
  }

  /** @param {Int32Array} event */
  #silent(event) {
    const without = event.slice();
    for (const column of this.controls) without[column] = 0;
    return without;
  }
}

/**
 * Copy the states of a model.
 * @param {Model} model
 * @param {State[]} states
 */
function copied(model, states) {
  const copies = model.start();
  copies.forEach((copy, place) => copy.set(states[place]));
  return copies;
}
