// @ts-check
/** @file The model of one stream, whose state is carried through the music: see `lstm_music/inference/chained.py`. */

import { onGrid } from "./exact.js";
import { Experts } from "./experts.js";
import { Fields, columnOf, expertInputs } from "./inputs.js";
import { Layer, State, addProduct } from "./lstm.js";

/** @typedef {import("./inputs.js").ModelSpec} ModelSpec */
/** @typedef {import("./inputs.js").Columns} Columns */

/** A trained stack of LSTMs. What it remembers is kept by its user, as a list of states. */
export class Model {
  /**
   * @param {ModelSpec} spec
   * @param {Columns} columns
   * @param {(name: string) => Float32Array} weights
   */
  constructor(spec, columns, weights) {
    this.spec = spec;
    this.fields = new Fields(spec, columns);
    this.layers = Array.from({ length: spec.layers }, (_, layer) => {
      const [kernel, recurrent, bias] = ["kernel", "recurrent_kernel", "bias"].map((part) =>
        weights(`lstm_${layer + 1}/${part}`),
      );
      return new Layer(kernel, recurrent, bias);
    });
    this.kernel = weights("head/kernel");
    this.bias = weights("head/bias");
    const inputs = expertInputs(spec, columns);
    const ids = columns.sizes[columnOf(columns, spec.stream)];
    this.experts = inputs.length
      ? new Experts(inputs, ids, weights("experts/gate/kernel"), weights("experts/gate/bias"))
      : null;
  }

  /** Give the states before any event. */
  start() {
    return this.layers.map((layer) => new State(layer.units));
  }

  /**
   * Move the states on to an event, given the one before it.
   * @param {Int32Array} previous
   * @param {Int32Array} current
   * @param {State[]} states
   */
  advance(previous, current, states) {
    this.layers.forEach((layer, place) => {
      if (place === 0) layer.stepOfRows(this.fields.read(previous, current), states[0]);
      else layer.stepOfValues(states[place - 1].hidden, states[place]);
    });
  }

  /**
   * Move on, and write the logits of the stream at this event into `logits`.
   * @param {Int32Array} previous
   * @param {Int32Array} current
   * @param {State[]} states
   * @param {Float64Array} logits
   */
  step(previous, current, states, logits) {
    this.advance(previous, current, states);
    const { hidden } = states[states.length - 1];
    logits.set(this.bias);
    addProduct(logits, hidden, this.kernel);
    this.experts?.add(logits, hidden, previous, current);
    for (let id = 0; id < logits.length; id++) logits[id] = onGrid(logits[id]);
  }
}
