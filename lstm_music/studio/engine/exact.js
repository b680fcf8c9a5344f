// @ts-check
/** @file Arithmetic on the grid of `lstm_music/inference/exact.py`: the same numbers as numpy's, in any order of summation. */

export const GRID = 2 ** 20;

const TO_WHOLE = 1.5 * 2 ** 52; // beside it doubles have no fraction, and adding it rounds halves to the even number

/**
 * Return the nearest whole number, of halves the even one, for numbers below 2^51.
 * @param {number} value
 */
export function rint(value) {
  return value + TO_WHOLE - TO_WHOLE;
}

/**
 * Return the nearest multiple of 2^-20.
 * @param {number} value
 */
export function onGrid(value) {
  return (value * GRID + TO_WHOLE - TO_WHOLE) / GRID;
}

/**
 * Return 1 / (1 + exp(-x)).
 * @param {number} value
 */
export function sigmoid(value) {
  return 1 / (1 + Math.exp(-value));
}

/**
 * Return the hyperbolic tangent.
 * @param {number} value
 */
export function tanh(value) {
  return 2 * sigmoid(2 * value) - 1;
}

/**
 * Return -ln p of one id.
 * @param {Float64Array} logits
 * @param {number} id
 */
export function nats(logits, id) {
  let highest = -Infinity;
  for (const logit of logits) highest = Math.max(highest, logit);
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - highest);
  return Math.log(total) - (logits[id] - highest);
}
