// @ts-check
/** @file The worker: it makes music with the engine, a few events at a time, so that it hears the page in between. */

import { Engine } from "../engine/engine.js";
import { readTables } from "../engine/tables.js";
import { unpacked } from "./packed.js";
import { Random } from "./random.js";
import { rewritten } from "./rewriting.js";

/** @typedef {import("../engine/engine.js").Prompt} Prompt */
/** @typedef {import("../engine/engine.js").Settings} Settings */
/** @typedef {import("../engine/conditioning.js").Asked} Asked */
/** @typedef {import("../engine/tables.js").Tables} Tables */
/** @typedef {{onset: number, tokens: Int32Array}} Event */

/**
 * What the page says. `piece` numbers what is being made: answers to an earlier one are no longer wanted.
 * @typedef {{type: "load", tables: string}
 *   | {type: "start", piece: number, prompt: Prompt, settings: Settings, asked: Asked | null, seed: number}
 *   | {type: "compose", piece: number, until: number}
 *   | {type: "rewrite", piece: number, prompt: Prompt, start: number, end: number, after: Event[], seed: number}} Order
 */

const MOST_AT_ONCE = 16; // events, before the page is heard again

/** What is being made. */
const work = {
  tables: /** @type {Tables | null} */ (null),
  engine: /** @type {Engine | null} */ (null),
  random: new Random(0),
  piece: -1,
  until: -1,
  isBusy: false,
};

/** @type {{settings: Settings, asked: Asked | null} | null} */
let wanted = null;

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
  while (!engine.hasEnded && engine.onset < work.until && events.length < MOST_AT_ONCE) {
    const { event, onset } = engine.next(work.random.numbers(engine.chain.length));
    if (!engine.hasEnded) events.push({ onset, tokens: event.slice(0, known) });
  }
  if (events.length) answer({ type: "events", piece: work.piece, events });
  if (engine.hasEnded) answer({ type: "ended", piece: work.piece });
  else if (engine.onset < work.until) goOn();
  else answer({ type: "idle", piece: work.piece });
}

function goOn() {
  if (work.isBusy) return;
  work.isBusy = true;
  setTimeout(compose, 0);
}

/** @param {Order} order */
async function obey(order) {
  if (order.type === "load") {
    work.tables = readTables(await unpacked(order.tables));
    answer({ type: "ready" });
  } else if (order.type === "start" && work.tables) {
    wanted = { settings: order.settings, asked: order.asked };
    work.random = new Random(order.seed);
    work.engine = new Engine(work.tables, order.settings, order.prompt, order.asked);
    work.piece = order.piece;
    work.until = -1;
  } else if (order.type === "compose" && order.piece === work.piece) {
    work.until = order.until;
    goOn();
  } else if (order.type === "rewrite" && work.tables && wanted) {
    const events = rewritten(work.tables, wanted.settings, wanted.asked, order, new Random(order.seed));
    answer({ type: "rewritten", piece: order.piece, start: order.start, end: order.end, events });
  }
}

let line = Promise.resolve(); // of orders, which are obeyed one after another

self.addEventListener("message", (message) => {
  line = line.then(() => obey(message.data)).catch((error) => answer({ type: "failed", text: String(error) }));
});
