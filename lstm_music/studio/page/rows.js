// @ts-check
/** @file The events of the music in an array of numbers that is made once: music that goes on takes no more memory. */

/** @typedef {{onset: number, tokens: number[]}} Event */

/** Events in their order, each a row of its onset and its tokens. */
export class Rows {
  /**
   * @param {number} most how many events there is room for
   * @param {number} width the numbers of a row
   */
  constructor(most, width) {
    this.numbers = new Int32Array(most * width);
    this.width = width;
    this.length = 0;
  }

  /**
   * Give an onset; not a number where there is no event.
   * @param {number} place
   */
  onset(place) {
    return place >= 0 && place < this.length ? this.numbers[place * this.width] : NaN;
  }

  /**
   * Give the events between two places.
   * @param {number} start
   * @param {number} end
   */
  slice(start, end) {
    return this.unpacked(this.numbers.subarray(start * this.width, end * this.width));
  }

  /**
   * Put rows in the place of others; give those.
   * @param {number} place
   * @param {number} end of those that are taken out
   * @param {Int32Array} rows
   */
  replace(place, end, rows) {
    const { numbers, width } = this;
    const old = numbers.slice(place * width, end * width);
    numbers.copyWithin(place * width + rows.length, end * width, this.length * width);
    numbers.set(rows, place * width);
    this.length += (rows.length - old.length) / width;
    return old;
  }

  /**
   * Give events as rows.
   * @param {Event[]} events
   */
  packed(events) {
    return Int32Array.from(events.flatMap(({ onset, tokens }) => [onset, ...tokens]));
  }

  /**
   * Give rows as events.
   * @param {Int32Array} rows
   */
  unpacked(rows) {
    return Array.from({ length: rows.length / this.width }, (_, at) => {
      const [onset, ...tokens] = rows.subarray(at * this.width, (at + 1) * this.width);
      return { onset, tokens };
    });
  }
}
