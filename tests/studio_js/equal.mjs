// @ts-check
/** @file Make the music of some cases with the page's engine: `node equal.mjs TABLES CASES`, the answer as JSON. */

import { readFileSync } from "node:fs";

import { Engine } from "../../lstm_music/studio/engine/engine.js";
import { readTables } from "../../lstm_music/studio/engine/tables.js";

const [tablesPath, casesPath] = process.argv.slice(2);
const file = readFileSync(tablesPath);
const tables = readTables(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
const streams = tables.columns.streams.length;

/** @param {any} one */
function made(one) {
  const { settings, asked, ending, chance } = one;
  const events = one.prompt.events.map((/** @type {number[]} */ row) => Int32Array.from(row));
  const engine = new Engine(tables, settings, { ...one.prompt, events }, asked, ending);
  const result = { tokens: [], nats: [], endNats: [], loopsLeft: 0, seconds: 0 };
  const started = performance.now();
  for (const numbers of chance) {
    const { event, nats, endNats } = engine.next(numbers);
    if (engine.hasEnded) break;
    result.tokens.push(Array.from(event.slice(0, streams)));
    result.nats.push(nats);
    result.endNats.push(endNats);
  }
  return { ...result, loopsLeft: engine.loopsLeft, seconds: (performance.now() - started) / 1000 };
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(casesPath, "utf8")).map(made)));
