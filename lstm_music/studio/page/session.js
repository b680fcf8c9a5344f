// @ts-check
/** @file A session as a file: the music and what was asked, to be opened again in a page with the same models. */

import { MOST_EVENTS, Music, SPECIAL } from "./music.js";
import { FIELDS, formOf } from "./settings.js";

/** @typedef {import("./music.js").Facts} Facts */

const FORMAT = "lstm-music studio session";
const VERSION = 2;
const PLACES = ["origin", "promptEnd", "begin", "given", "first", "frontier", "end"]; // of the music, in steps
const MOST_STEPS = 1e9;
const MOST_SESSION_BARS = 1e5; // a download writes each of them
export const MOST_BYTES = 20e6;

/**
 * Write a session.
 * @param {Music} music
 * @param {Set<number>} kept
 */
export function writeSession(music, kept) {
  const { facts, barSteps, signature, velocity, title, fifths, isOver } = music;
  const places = Object.fromEntries(Object.entries(music).filter(([name]) => PLACES.includes(name)));
  return JSON.stringify({
    format: FORMAT,
    version: VERSION,
    models: facts.models,
    music: { barSteps, signature, velocity, title, fifths, isOver, ...places },
    before: music.before,
    events: music.events.map(({ onset, tokens }) => [onset, ...tokens]),
    kept: [...kept],
    fields: Object.fromEntries(formOf().filter(([id]) => id !== "prompt")),
  });
}

/**
 * Say whether a file begins as a session does, whatever it is called.
 * @param {ArrayBuffer} file
 */
export function isSession(file) {
  return new TextDecoder().decode(file.slice(0, 4)).trimStart().startsWith("{");
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
  const { barSteps, signature, velocity, title, fifths, isOver } = read.music ?? {};
  const places = PLACES.map((name) => [name, read.music?.[name]]);
  if (!isMeter(read.music) || !places.every(([, steps]) => isSteps(steps))) {
    throw new Error("the session is damaged: its bars are none");
  }
  if ((read.music.frontier - read.music.origin) / barSteps > MOST_SESSION_BARS) {
    throw new Error("the session is damaged: it has too many bars");
  }
  const music = new Music(facts, { barSteps, signature, velocity, title: String(title).slice(0, 200), fifths });
  Object.assign(music, Object.fromEntries(places), { isOver: isOver === true });
  music.before = checkedTokens(read.before ?? [], facts, true);
  music.replace(-Infinity, Infinity, eventsOf(read.events, facts, music.frontier).slice(-MOST_EVENTS));
  const kept = new Set(/** @type {number[]} */ (Array.isArray(read.kept) ? read.kept.filter(isSteps) : []));
  return { music, kept, fields: fieldsOf(read.fields) };
}

/** @param {any} music */
function isMeter(music) {
  const { barSteps, signature, velocity, fifths } = music ?? {};
  const isFine = Array.isArray(signature) && signature.length === 2 && signature.every((one) => isWithin(one, 1, 255));
  return isFine && isWithin(barSteps, 1, MOST_STEPS) && isWithin(velocity, 1, 127) && isWithin(fifths, -7, 7);
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
    return { onset: row[0], tokens: checkedTokens(row.slice(1), facts, false) };
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
  return found.filter(([id, value]) => FIELDS.includes(id) && id !== "prompt" && typeof value === "string");
}
