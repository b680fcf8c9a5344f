// @ts-check
/** @file What can be undone and done again: changes, each of which can put the other state in its place. */

const MOST = 30;

/** One thing that was done: `name` is for people, and `swap` puts the state before it in place, or again the state after it. */
/** @typedef {{name: string, swap: () => void}} Change */

/** The changes, the latest last; those that were undone wait to be done again until there is a new one. */
export class History {
  constructor() {
    this.done = /** @type {Change[]} */ ([]);
    this.undone = /** @type {Change[]} */ ([]);
  }

  /**
   * Remember a change that was made.
   * @param {Change} change
   */
  record(change) {
    this.done.push(change);
    if (this.done.length > MOST) this.done.shift();
    this.undone = [];
  }

  /** Take the latest change back; give its name, or nothing where there is none. */
  undo() {
    return moved(this.done, this.undone);
  }

  /** Make the change again that was undone last; give its name, or nothing where there is none. */
  redo() {
    return moved(this.undone, this.done);
  }
}

/**
 * Swap the latest change of a list, and put it on the other one.
 * @param {Change[]} from
 * @param {Change[]} to
 */
function moved(from, to) {
  const change = from.pop();
  if (!change) return "";
  change.swap();
  to.push(change);
  return change.name;
}
