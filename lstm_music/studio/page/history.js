// @ts-check
/** @file What can be undone: the events that were in bars before they were made anew. */

/** @typedef {import("./music.js").Music} Music */
/** @typedef {import("./music.js").Event} Event */

const MOST = 50;

/** The changes of one piece, the latest last. */
export class History {
  constructor() {
    this.changes = /** @type {Array<Array<{start: number, end: number, events: Event[]}>>} */ ([]);
  }

  /** Begin a change, which may have several stretches. */
  begin() {
    this.changes.push([]);
    if (this.changes.length > MOST) this.changes.shift();
  }

  /**
   * Change a stretch of music, as a part of the change that was begun.
   * @param {Music} music
   * @param {number} start
   * @param {number} end
   * @param {Event[]} events
   */
  replace(music, start, end, events) {
    this.changes[this.changes.length - 1].push({ start, end, events: music.replace(start, end, events) });
  }

  /**
   * Forget changes of music that is let go from a time on.
   * @param {number} onset
   */
  cut(onset) {
    this.changes = this.changes.filter((change) => change.every(({ end }) => end <= onset));
  }

  /**
   * Take the latest change back; say whether there was one.
   * @param {Music} music
   */
  undo(music) {
    const change = this.changes.pop();
    for (const { start, end, events } of change?.reverse() ?? []) music.replace(start, end, events);
    return change !== undefined;
  }
}
