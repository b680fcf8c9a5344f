// @ts-check
/** @file One step of an LSTM: the mathematics of `keras.layers.LSTM`. */

import { onGrid, sigmoid, tanh } from "./exact.js";

/** The hidden state and the cell of a layer. */
export class State {
  /** @param {number} units */
  constructor(units) {
    this.hidden = new Float64Array(units);
    this.cell = new Float64Array(units);
  }

  /** @param {State} other */
  set(other) {
    this.hidden.set(other.hidden);
    this.cell.set(other.cell);
  }
}

/**
 * Add the product of a vector and a matrix, [inputs, outputs] row after row, to what `into` holds.
 * @param {Float64Array} into
 * @param {Float64Array} vector
 * @param {Float32Array} matrix
 */
export function addProduct(into, vector, matrix) {
  const width = into.length;
  const last = vector.length - (vector.length % 4);
  for (let row = 0; row < last; row += 4) {
    const [a, b, c, d] = [vector[row], vector[row + 1], vector[row + 2], vector[row + 3]];
    const first = row * width;
    const second = first + width;
    const third = second + width;
    const fourth = third + width;
    for (let at = 0; at < width; at++) {
      into[at] += a * matrix[first + at] + b * matrix[second + at] + c * matrix[third + at] + d * matrix[fourth + at];
    }
  }
  for (let row = last; row < vector.length; row++) {
    const value = vector[row];
    const first = row * width;
    for (let at = 0; at < width; at++) into[at] += value * matrix[first + at];
  }
}

/** The weights of a layer: `kernel` [inputs, 4 · units], `recurrent` [units, 4 · units], `bias` [4 · units]. */
export class Layer {
  /**
   * @param {Float32Array} kernel
   * @param {Float32Array} recurrent
   * @param {Float32Array} bias
   */
  constructor(kernel, recurrent, bias) {
    this.kernel = kernel;
    this.recurrent = recurrent;
    this.bias = bias;
    this.units = bias.length / 4;
    this.gates = new Float64Array(bias.length);
  }

  /**
   * Take a step with rows of the kernel as the input.
   * @param {Int32Array} rows
   * @param {State} state
   */
  stepOfRows(rows, state) {
    const { gates, kernel } = this;
    const width = gates.length;
    gates.set(this.bias);
    for (const row of rows) {
      const first = row * width;
      for (let at = 0; at < width; at++) gates[at] += kernel[first + at];
    }
    this.#step(state);
  }

  /**
   * Take a step with values as the input.
   * @param {Float64Array} values
   * @param {State} state
   */
  stepOfValues(values, state) {
    this.gates.set(this.bias);
    addProduct(this.gates, values, this.kernel);
    this.#step(state);
  }

  /** @param {State} state */
  #step(state) {
    const { gates, units } = this;
    addProduct(gates, state.hidden, this.recurrent);
    for (let unit = 0; unit < units; unit++) {
      const into = sigmoid(gates[unit]);
      const kept = sigmoid(gates[units + unit]);
      const out = sigmoid(gates[3 * units + unit]);
      const cell = onGrid(kept * state.cell[unit] + into * tanh(gates[2 * units + unit]));
      state.cell[unit] = cell;
      state.hidden[unit] = onGrid(out * tanh(cell));
    }
  }
}
