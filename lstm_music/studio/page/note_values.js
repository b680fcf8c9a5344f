// @ts-check
/** @file Lengths in steps → the values of notes: plain, dotted and triplet ones, tied where one is not enough. */

/** @typedef {{name: string, isDotted: boolean, isTriplet: boolean}} Type */

const NAMES = ["whole", "half", "quarter", "eighth", "16th", "32nd", "64th", "128th"];

/**
 * Give the note value of each number of steps that has one.
 * @param {number} perQuarter steps of a quarter
 */
export function typesOf(perQuarter) {
  const found = /** @type {Map<number, Type>} */ (new Map());
  for (const [factor, isDotted, isTriplet] of /** @type {Array<[number, boolean, boolean]>} */ ([
    [3, false, false],
    [4.5, true, false],
    [2, false, true],
  ])) {
    NAMES.forEach((name, place) => {
      const steps = (4 * perQuarter * factor) / (3 * 2 ** place);
      if (Number.isInteger(steps) && !found.has(steps)) found.set(steps, { name, isDotted, isTriplet });
    });
  }
  return found;
}

/**
 * Share a length out to note values, so that beats can be seen; steps without a value are left as they are.
 * @param {number} at where it begins in its bar
 * @param {number} length
 * @param {Map<number, Type>} types
 * @param {number} perQuarter
 */
export function piecesOf(at, length, types, perQuarter) {
  const pieces = [];
  const descending = [...types.keys()].sort((one, other) => other - one);
  for (let [now, left] = [at, length]; left > 0;) {
    const untilBeat = perQuarter - (now % perQuarter);
    const isOnBeat = untilBeat === perQuarter;
    const wanted = isOnBeat || left <= untilBeat ? left : untilBeat;
    const whole = wanted > perQuarter && !types.has(wanted) ? wanted - (wanted % perQuarter) : wanted;
    const piece = types.has(whole) ? whole : (descending.find((steps) => steps <= whole) ?? whole);
    pieces.push(piece);
    now += piece;
    left -= piece;
  }
  return pieces;
}
