// @ts-check
/** @file The worker: it makes music with the engine, a few events at a time, so that it hears the page in between. */

import { endedWell } from "../engine/ending.js";
import { Engine } from "../engine/engine.js";
import { withNotes } from "../engine/grammar.js";
import { readTables } from "../engine/tables.js";
import { unpacked } from "./packed.js";
import { Random } from "./random.js";
import { rewritten } from "./rewriting.js";

/** @typedef {import("../engine/engine.js").Prompt} Prompt */
/** @typedef {import("../engine/tables.js").Tables} Tables */
/** @typedef {import("./settings.js").Wanted} Wanted */
/** @typedef {{onset: number, tokens: number[]}} Event */

/**
 * What the page says. `piece` numbers what is being made: answers to an earlier one are no longer wanted.
 * @typedef {{type: "piece", piece: string, size: number} | {type: "load"}
 *   | {type: "start", piece: number, prompt: Prompt, wanted: Wanted, seed: number}
 *   | {type: "compose", piece: number, until: number}
 *   | {type: "rewrite", piece: number, prompt: Prompt, start: number, end: number, after: Event[], seed: number}} Order
 */

const MOST_AT_ONCE = 16; // events, before the page is heard again; at the start of music it has the first one at once
const LAST_BARS = 2; // which are held back until the end of the music is chosen

/** What is being made, after the `bytes` of the tables were taken, of which so many are `filled`. */
const work = {
  bytes: /** @type {Uint8Array<ArrayBuffer> | null} */ (null),
  filled: 0,
  all: /** @type {Tables | null} */ (null), // of all notes
  tables: /** @type {Tables | null} */ (null), // of those that may be played
  wanted: /** @type {Wanted | null} */ (null),
  engine: /** @type {Engine | null} */ (null),
  last: /** @type {Event[]} */ ([]), // that were not said yet, because the end of the music is near
  endNats: /** @type {number[]} */ ([]), // how unlikely an end is after each of them
  random: new Random(0),
  piece: -1,
  until: -1,
  isBusy: false,
};

/** @param {unknown} said */
const answer = (said) => self.postMessage(said);

/** Make some events of those that are wanted. */
function compose() {
  work.isBusy = false;
  const { engine, tables } = work;
  if (!engine || !tables) return;
  /** @type {Event[]} */
  const events = [];
  const known = tables.columns.streams.length + 2;
  while (!engine.hasEnded && engine.onset < work.until && events.length < Math.min(engine.made + 1, MOST_AT_ONCE)) {
    const { event, onset, endNats } = engine.next(work.random.numbers(engine.chain.length));
    if (work.last.length > work.endNats.length) work.endNats.push(endNats);
    if (!engine.hasEnded) take({ onset, tokens: Array.from(event.subarray(0, known)) }, engine, events);
  }
  if (engine.hasEnded) events.push(...lastOnes(engine, tables));
  const { bounds } = engine;
  if (events.length) answer({ type: "events", piece: work.piece, events, end: bounds?.hasEnd ? bounds.end : 0 });
  sayMore(engine);
}

/**
 * Say whether there is more, and go on where more is wanted.
 * @param {Engine} engine
 */
function sayMore(engine) {
  if (engine.hasEnded) answer({ type: "ended", piece: work.piece });
  else if (engine.onset < work.until) goOn();
  else answer({ type: "idle", piece: work.piece });
}

/**
 * Give the events that were held back, ended well.
 * @param {Engine} engine
 * @param {Tables} tables
 */
function lastOnes({ bounds, barSteps }, { grammar }) {
  const { last, endNats } = work;
  work.last = [];
  return bounds && last.length ? endedWell(grammar, last, endNats, bounds.end, barSteps) : [];
}

/**
 * Put a new event among those to be said, or hold it back.
 * @param {Event} event
 * @param {Engine} engine
 * @param {Event[]} events
 */
function take(event, engine, events) {
  const { bounds, barSteps } = engine;
  if (bounds && event.onset >= bounds.end - LAST_BARS * barSteps) work.last.push(event);
  else events.push(event);
}

function goOn() {
  if (work.isBusy) return;
  work.isBusy = true;
  setTimeout(compose, 0);
}

/**
 * Make the engine ready for other music.
 * @param {Wanted} wanted
 * @param {Tables} all
 * @param {Prompt} prompt
 */
function start(wanted, all, prompt) {
  const { settings, asked, ending, notes } = wanted;
  work.wanted = wanted;
  work.tables = notes ? { ...all, grammar: withNotes(all.grammar, notes) } : all;
  work.engine = new Engine(work.tables, settings, prompt, asked, ending);
  work.last = [];
  work.endNats = [];
  work.until = -1;
}

/** @param {Order} order */
async function obey(order) {
  if (order.type === "piece") {
    work.bytes ??= new Uint8Array(order.size);
    const piece = new Uint8Array(await unpacked(order.piece));
    work.bytes.set(piece, work.filled);
    work.filled += piece.length;
  } else if (order.type === "load" && work.bytes) {
    work.all = readTables(work.bytes.buffer);
    work.bytes = null;
    answer({ type: "ready" });
  } else if (order.type === "start" && work.all) {
    start(order.wanted, work.all, order.prompt);
    work.random = new Random(order.seed);
    work.piece = order.piece;
  } else if (order.type === "compose" && order.piece === work.piece) {
    work.until = order.until;
    goOn();
  } else if (order.type === "rewrite" && work.tables && work.wanted) {
    const { settings, asked } = work.wanted;
    const events = rewritten(work.tables, settings, asked, order, new Random(order.seed));
    answer({ type: "rewritten", piece: order.piece, start: order.start, end: order.end, events });
  }
}

let line = Promise.resolve(); // of orders, which are obeyed one after another

self.addEventListener("message", (message) => {
  line = line.then(() => obey(message.data)).catch((error) => answer({ type: "failed", text: String(error) }));
});
