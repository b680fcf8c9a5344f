// @ts-check
/** @file Music → MusicXML 4.0: a piano part on two staves, of bars with voices, ties over barlines, and rests. */

import { piecesOf, typesOf } from "./note_values.js";

/** @typedef {import("./music.js").Music} Music */
/** @typedef {import("./note_values.js").Type} Type */
/** @typedef {{onset: number, end: number, staff: number, pitches: number[]}} Chord */
/** @typedef {{staff: number, chords: Chord[]}} Voice */
/** @typedef {{start: number, stop: number, types: Map<number, Type>, perQuarter: number, fifths: number}} Bar */

const MIDDLE_C = 60;
const STEPS = "FCGDAEB"; // by fifths
const STAVES = [1, 2];

/**
 * Write music. Notes of equal pitch that begin together are one.
 * @param {Music} music
 * @param {number} tempo quarters per minute
 */
export function musicXmlOf(music, tempo) {
  const voices = STAVES.flatMap((staff) => voicesOf(staff, chordsOf(music, staff)));
  const last = Math.max(
    ...voices.flatMap(({ chords }) => chords.map(({ end }) => end)),
    music.startOf(music.firstBar) + 1,
  );
  const { stepsPerQuarter: perQuarter } = music.facts;
  const shared = { types: typesOf(perQuarter), perQuarter, fifths: music.fifths };
  const measures = [];
  for (let bar = music.firstBar; music.startOf(bar) < last; bar++) {
    const isFirst = bar === music.firstBar;
    const isLast = music.startOf(bar + 1) >= last;
    measures.push(
      `<measure number="${bar + 1}">`,
      isFirst ? opening(music, tempo) : "",
      barOf({ start: music.startOf(bar), stop: music.startOf(bar + 1), ...shared }, voices),
      isLast ? '<barline location="right"><bar-style>light-heavy</bar-style></barline>' : "",
      "</measure>",
    );
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<score-partwise version="4.0">',
    `<work><work-title>${escaped(music.title ? `After ${music.title}` : "New music")}</work-title></work>`,
    '<part-list><score-part id="P1"><part-name>Piano</part-name></score-part></part-list>',
    '<part id="P1">',
    ...measures.filter(Boolean),
    "</part>",
    "</score-partwise>",
    "",
  ].join("\n");
}

/** @param {string} text */
const escaped = (text) =>
  text
    // eslint-disable-next-line no-control-regex -- XML has no place for control characters
    .replace(/[\u0000-\u001f\ufffe\uffff]/g, " ")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;");

/**
 * @param {Music} music
 * @param {number} tempo
 */
function opening({ facts, fifths, signature: [beats, beatType] }, tempo) {
  return [
    `<attributes><divisions>${facts.stepsPerQuarter}</divisions><key><fifths>${fifths}</fifths></key>`,
    `<time><beats>${beats}</beats><beat-type>${beatType}</beat-type></time><staves>2</staves>`,
    '<clef number="1"><sign>G</sign><line>2</line></clef><clef number="2"><sign>F</sign><line>4</line></clef></attributes>',
    '<direction placement="above"><direction-type><metronome><beat-unit>quarter</beat-unit>',
    `<per-minute>${tempo}</per-minute></metronome></direction-type><sound tempo="${tempo}"/></direction>`,
  ].join("");
}

/**
 * Give what begins and ends together on a staff, by onset, the highest first.
 * @param {Music} music
 * @param {number} staff
 */
function chordsOf(music, staff) {
  const found = /** @type {Map<string, Chord>} */ (new Map());
  const seen = new Set();
  const notes = music.events.flatMap((event) => music.notesOf(event));
  notes.sort((one, other) => one.onset - other.onset || other.pitch - one.pitch || other.steps - one.steps);
  for (const { pitch, onset, steps } of notes) {
    if (pitch >= MIDDLE_C !== (staff === 1) || seen.has(`${onset} ${pitch}`)) continue;
    seen.add(`${onset} ${pitch}`);
    const key = `${onset} ${steps}`;
    const chord = found.get(key);
    if (chord) chord.pitches.unshift(pitch);
    else found.set(key, { onset, end: onset + steps, staff, pitches: [pitch] });
  }
  return [...found.values()];
}

/**
 * Share chords out to as many voices as sound at once; a staff has one at least.
 * @param {number} staff
 * @param {Chord[]} chords
 */
function voicesOf(staff, chords) {
  const voices = /** @type {Voice[]} */ ([{ staff, chords: [] }]);
  for (const chord of chords) {
    const free = voices.find((voice) => (voice.chords[voice.chords.length - 1]?.end ?? -Infinity) <= chord.onset);
    if (free) free.chords.push(chord);
    else voices.push({ staff, chords: [chord] });
  }
  return voices;
}

/**
 * Write a bar, voice after voice.
 * @param {Bar} bar
 * @param {Voice[]} voices
 */
function barOf(bar, voices) {
  const { start, stop } = bar;
  return voices
    .map((voice, number) => ({
      voice,
      number: number + 1,
      own: voice.chords.filter((one) => one.onset < stop && one.end > start),
    }))
    .filter(({ voice, own }) => own.length || voice === voices.find(({ staff }) => staff === voice.staff))
    .map(({ voice, number, own }) => voiceOf(bar, `<voice>${number}</voice>`, voice.staff, own))
    .join(`<backup><duration>${stop - start}</duration></backup>`);
}

/**
 * @param {Bar} bar
 * @param {string} voice
 * @param {number} staff
 * @param {Chord[]} chords
 */
function voiceOf(bar, voice, staff, chords) {
  const { start, stop } = bar;
  const lines = [];
  let now = start;
  for (const chord of [...chords, null]) {
    const begins = Math.max(chord?.onset ?? stop, start);
    lines.push(...restsOf(bar, voice, staff, now, begins));
    if (!chord) break;
    now = Math.min(chord.end, stop);
    lines.push(...tiedOf(bar, voice, chord, begins, now));
  }
  return lines.join("");
}

/**
 * @param {Bar} bar
 * @param {string} voice
 * @param {number} staff
 * @param {number} from
 * @param {number} to
 */
function restsOf({ start, stop, types, perQuarter }, voice, staff, from, to) {
  if (from === start && to === stop) {
    return [`<note><rest measure="yes"/><duration>${to - from}</duration>${voice}<staff>${staff}</staff></note>`];
  }
  return piecesOf(from - start, to - from, types, perQuarter).map(
    (steps) =>
      `<note><rest/><duration>${steps}</duration>${voice}${typeOf(types.get(steps))}<staff>${staff}</staff></note>`,
  );
}

/**
 * Write the notes of a chord in a bar, tied to each other and over barlines.
 * @param {Bar} bar
 * @param {string} voice
 * @param {Chord} chord
 * @param {number} from
 * @param {number} to
 */
function tiedOf({ start, types, perQuarter, fifths }, voice, chord, from, to) {
  const lines = /** @type {string[]} */ ([]);
  let now = from;
  for (const steps of piecesOf(from - start, to - from, types, perQuarter)) {
    const kinds = [now > chord.onset ? "stop" : "", now + steps < chord.end ? "start" : ""].filter(Boolean);
    const ties = kinds.map((kind) => `<tie type="${kind}"/>`).join("");
    const tied = kinds.map((kind) => `<tied type="${kind}"/>`).join("");
    const notations = tied ? `<notations>${tied}</notations>` : "";
    chord.pitches.forEach((pitch, place) => {
      lines.push(
        `<note>${place ? "<chord/>" : ""}${pitchOf(pitch, fifths)}<duration>${steps}</duration>${ties}${voice}`,
        `${typeOf(types.get(steps))}<staff>${chord.staff}</staff>${notations}</note>`,
      );
    });
    now += steps;
  }
  return lines;
}

/** @param {Type | undefined} type */
function typeOf(type) {
  if (!type) return "";
  const ratio = "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification>";
  return `<type>${type.name}</type>${type.isDotted ? "<dot/>" : ""}${type.isTriplet ? ratio : ""}`;
}

/**
 * Spell a pitch by the nearest of the fifths around a key.
 * @param {number} pitch
 * @param {number} fifths
 */
function pitchOf(pitch, fifths) {
  const lowest = fifths - 4;
  const place = lowest + ((((7 * pitch - lowest) % 12) + 12) % 12); // C is 0, G is 1
  const alter = Math.floor((place + 1) / 7);
  const step = STEPS[place + 1 - 7 * alter];
  const octave = Math.floor((pitch - alter) / 12) - 1;
  return `<pitch><step>${step}</step>${alter ? `<alter>${alter}</alter>` : ""}<octave>${octave}</octave></pitch>`;
}
