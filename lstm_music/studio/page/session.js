// @ts-check
/** @file A session as a file: the music and what was asked, to be opened again in a page with the same models. */

import { Music, SPECIAL } from "./music.js";

/** @typedef {import("./music.js").Facts} Facts */

const FORMAT = "lstm-music studio session";
const VERSION = 1;
const FIELDS = [
  "tempo",
  "temperature",
  "top-p",
  "density",
  "polyphony",
  "mean-pitch",
  "key",
  "progression",
  "instrument",
];
const MOST_STEPS = 1e9;
export const MOST_BYTES = 20e6;

/**
 * Write a session.
 * @param {Music} music
 * @param {Set<number>} kept
 */
export function writeSession(music, kept) {
  const { facts, barSteps, signature, velocity, title, origin, promptEnd, frontier } = music;
  const fields = FIELDS.map((id) => [id, /** @type {HTMLInputElement | null} */ (document.getElementById(id))?.value]);
  return JSON.stringify({
    format: FORMAT,
    version: VERSION,
    models: facts.models,
    music: { barSteps, signature, velocity, title, origin, promptEnd, frontier },
    before: Array.from(music.before),
    events: music.events.map(({ onset, tokens }) => [onset, ...tokens]),
    kept: [...kept],
    fields: Object.fromEntries(fields.filter(([, value]) => value !== undefined)),
  });
}

/**
 * Read a session, which anybody may have written. Throws an Error that says what is wrong.
 * @param {string} text
 * @param {Facts} facts
 */
export function readSession(text, facts) {
  const read = parsed(text);
  if (read?.format !== FORMAT || read.version !== VERSION) throw new Error("this is no session of the studio");
  if (read.models !== facts.models) {
    throw new Error("this session is of other models; open it in the page it was saved from");
  }
  const { barSteps, signature, velocity, title, origin, promptEnd, frontier } = read.music ?? {};
  const isMeter = Array.isArray(signature) && signature.length === 2 && signature.every((one) => isWithin(one, 1, 255));
  const isFine = isMeter && isWithin(barSteps, 1, MOST_STEPS) && isWithin(velocity, 1, 127);
  if (!isFine || ![origin, promptEnd, frontier].every(isSteps)) {
    throw new Error("the session is damaged: its bars are none");
  }
  const music = new Music(facts, { barSteps, signature, velocity, title: String(title).slice(0, 200) });
  Object.assign(music, { origin, promptEnd, frontier });
  music.before = Int32Array.from(checkedTokens(read.before ?? [], facts, true));
  music.events = eventsOf(read.events, facts, frontier);
  const kept = new Set(/** @type {number[]} */ (Array.isArray(read.kept) ? read.kept.filter(isSteps) : []));
  return { music, kept, fields: fieldsOf(read.fields) };
}

/**
 * @param {string} text
 * @returns {any}
 */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {unknown} value */
const isSteps = (value) => Number.isInteger(value) && Math.abs(Number(value)) < MOST_STEPS;

/**
 * @param {unknown} value
 * @param {number} low
 * @param {number} high
 */
const isWithin = (value, low, high) => isSteps(value) && Number(value) >= low && Number(value) <= high;

/**
 * @param {unknown} rows
 * @param {Facts} facts
 * @param {number} frontier
 */
function eventsOf(rows, facts, frontier) {
  if (!Array.isArray(rows)) throw new Error("the session is damaged: it has no events");
  let last = -MOST_STEPS;
  return rows.map((row) => {
    if (!Array.isArray(row) || !isSteps(row[0]) || row[0] < last || row[0] > frontier) {
      throw new Error("the session is damaged: its events are not in order");
    }
    last = row[0];
    return { onset: row[0], tokens: Int32Array.from(checkedTokens(row.slice(1), facts, false)) };
  });
}

/**
 * Give tokens if each is an id of its stream; the places behind the streams, too.
 * @param {unknown} tokens
 * @param {Facts} facts
 * @param {boolean} mayBeSpecial
 * @returns {number[]}
 */
function checkedTokens(tokens, facts, mayBeSpecial) {
  const { sizes, streams } = facts;
  /** @param {number} at */
  const lowest = (at) => (mayBeSpecial || at >= streams.length ? 0 : SPECIAL);
  const isLong =
    Array.isArray(tokens) && (mayBeSpecial ? tokens.length <= sizes.length : tokens.length === streams.length + 2);
  if (!isLong || !tokens.every((token, at) => isWithin(token, lowest(at), sizes[at] - 1))) {
    throw new Error("the session is damaged: its events are of other models");
  }
  return /** @type {number[]} */ (tokens);
}

/** @param {unknown} fields */
function fieldsOf(fields) {
  const found = typeof fields === "object" && fields ? Object.entries(fields) : [];
  return found.filter(([id, value]) => FIELDS.includes(id) && typeof value === "string");
}
