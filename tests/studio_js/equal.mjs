// @ts-check
/** @file Make the music of some cases with the page's engine: `node equal.mjs TABLES CASES`, the answer as JSON. */

import { readFileSync } from "node:fs";

import { endedWell } from "../../lstm_music/studio/engine/ending.js";
import { Engine } from "../../lstm_music/studio/engine/engine.js";
import { withNotes } from "../../lstm_music/studio/engine/grammar.js";
import { readTables } from "../../lstm_music/studio/engine/tables.js";

const [tablesPath, casesPath] = process.argv.slice(2);
const file = readFileSync(tablesPath);
const tables = readTables(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
const streams = tables.columns.streams.length;

/** @param {any} one */
function made(one) {
  const { settings, asked, ending, chance } = one;
  const events = one.prompt.events.map((/** @type {number[]} */ row) => Int32Array.from(row));
  const grammar = withNotes(tables.grammar, Uint8Array.from(one.notes));
  const engine = new Engine({ ...tables, grammar }, settings, { ...one.prompt, events }, asked, ending);
  const result = { tokens: /** @type {number[][]} */ ([]), nats: [], endNats: [], loopsLeft: 0, seconds: 0 };
  const placed = /** @type {any[]} */ ([]);
  const started = performance.now();
  for (const numbers of chance) {
    const { event, onset, nats, endNats } = engine.next(numbers);
    if (placed.length) result.endNats.push(endNats); // after the event before
    if (engine.hasEnded) break;
    placed.push({ onset, tokens: Array.from(event.subarray(0, streams)) });
    result.tokens.push(Array.from(event.subarray(0, streams)));
    result.nats.push(nats);
  }
  const { bounds, barSteps, hasEnded } = engine;
  const last = bounds && hasEnded ? endedWell(grammar, placed, result.endNats, bounds.end, barSteps) : placed;
  const ended = last.map(({ tokens }) => tokens);
  return { ...result, ended, loopsLeft: engine.loopsLeft, seconds: (performance.now() - started) / 1000 };
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(casesPath, "utf8")).map(made)));
