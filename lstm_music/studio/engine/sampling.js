// @ts-check
/** @file Sampling an id from logits: temperature, top-k, top-p and min-p, then chance: see `lstm_music/generation/sampling.py`. */

/** @typedef {{temperature: number, top_k: number, top_p: number, min_p: number}} Sampling */

/** Chooses among up to so many ids. */
export class Sampler {
  /** @param {number} ids */
  constructor(ids) {
    this.weights = new Float64Array(ids);
    this.ordered = new Float64Array(ids);
  }

  /**
   * Choose an allowed id; 0 where none is.
   * @param {Float64Array} logits
   * @param {Uint8Array} allowed
   * @param {number} chance from 0 to 1
   * @param {Sampling} sampling
   */
  choose(logits, allowed, chance, sampling) {
    const likeliest = likeliestOf(logits, allowed);
    if (sampling.temperature === 0 || !allowed[likeliest]) return likeliest;
    const weights = this.weights.subarray(0, logits.length);
    const highest = logits[likeliest];
    for (let id = 0; id < weights.length; id++) {
      weights[id] = allowed[id] ? Math.exp((logits[id] - highest) / sampling.temperature) : 0;
    }
    if (sampling.top_k > 0 && sampling.top_k < weights.length) {
      atLeast(weights, this.#sorted(weights)[weights.length - sampling.top_k]);
    }
    if (sampling.top_p < 1) atLeast(weights, this.#smallestOfNucleus(weights, sampling.top_p));
    if (sampling.min_p > 0) atLeast(weights, sampling.min_p * Math.max(...weights));
    return drawn(weights, chance);
  }

  /** @param {Float64Array} weights */
  #sorted(weights) {
    const ordered = this.ordered.subarray(0, weights.length);
    ordered.set(weights);
    return ordered.sort();
  }

  /**
   * @param {Float64Array} weights
   * @param {number} share
   */
  #smallestOfNucleus(weights, share) {
    const ordered = this.#sorted(weights);
    let total = 0;
    for (let place = ordered.length - 1; place >= 0; place--) total += ordered[place];
    let sum = 0;
    for (let place = ordered.length - 1; place >= 0; place--) {
      sum += ordered[place];
      if (sum >= share * total) return ordered[place];
    }
    return ordered[0];
  }
}

/**
 * @param {Float64Array} logits
 * @param {Uint8Array} allowed
 */
function likeliestOf(logits, allowed) {
  let best = 0;
  let highest = -Infinity;
  for (let id = 0; id < logits.length; id++) {
    if (!allowed[id] || logits[id] <= highest) continue;
    highest = logits[id];
    best = id;
  }
  return best;
}

/**
 * @param {Float64Array} weights
 * @param {number} smallest
 */
function atLeast(weights, smallest) {
  for (let id = 0; id < weights.length; id++) {
    if (weights[id] < smallest) weights[id] = 0;
  }
}

/**
 * @param {Float64Array} weights
 * @param {number} chance
 */
function drawn(weights, chance) {
  let total = 0;
  for (const weight of weights) total += weight;
  let sum = 0;
  for (let id = 0; id < weights.length; id++) {
    sum += weights[id];
    if (sum > chance * total) return id;
  }
  return 0;
}
