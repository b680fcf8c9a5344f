// @ts-check
/** @file Notes of a person → events that the models know: times on the grid, and of each value the nearest one. */

import { SPECIAL, nearest } from "./music.js";

/** @typedef {import("./music.js").Facts} Facts */
/** @typedef {import("./music.js").PromptFacts} PromptFacts */
/** @typedef {import("./midi_reader.js").PlayedNote} PlayedNote */
/** @typedef {import("./midi_reader.js").PlayedPiece} PlayedPiece */
/** @typedef {{onset: number, steps: number, part: number, velocity: number, pitches: number[], note: number}} Group */

const QUARTERS = 12; // in a longer bar, later quarters count as the last of these
const FAMILY = 8; // programs
const NO_VELOCITY = 80;

/**
 * Give a piece as a prompt: its notes in the first `mostBars` bars. Throws an Error where the models know none of them.
 * @param {Facts} facts
 * @param {PlayedPiece} piece
 * @param {string} title
 * @param {number} mostBars
 * @returns {PromptFacts}
 */
export function promptOf(facts, piece, title, mostBars) {
  const { stepsPerQuarter } = facts;
  const [numerator, denominator] = piece.signature;
  const barSteps = Math.max(Math.floor((4 * numerator * stepsPerQuarter) / denominator), 1);
  const groups = groupsOf(facts, piece.notes).filter(({ onset }) => onset < mostBars * barSteps);
  if (!groups.length) throw new Error("the models know none of the notes");
  const events = [];
  let onset = 0;
  for (const group of groups) {
    const offset = offsetTo(facts, onset, group.onset);
    onset += facts.offsetSteps[offset];
    events.push(tokensOf(facts, group, offset, onset % barSteps));
  }
  const velocity = Math.round(groups.reduce((sum, group) => sum + group.velocity, 0) / groups.length) || NO_VELOCITY;
  return {
    events,
    before: [],
    onset,
    position: onset % barSteps,
    barSteps,
    rest: 0,
    title,
    composer: "",
    bars: [1, Math.floor(onset / barSteps) + 1],
    tempo: Math.round(Math.min(Math.max(piece.tempo, 40), 220)),
    signature: [numerator, denominator],
    fifths: piece.fifths,
    velocity,
    endsBar: false,
  };
}

/**
 * Give the offset that leads from an onset nearest to a time, and to the grid.
 * @param {Facts} facts
 * @param {number} from
 * @param {number} to
 */
function offsetTo({ offsetSteps, points, stepsPerQuarter }, from, to) {
  let best = 0;
  for (let id = SPECIAL; id < offsetSteps.length; id++) {
    if (!points.includes((from + offsetSteps[id]) % stepsPerQuarter)) continue;
    if (!best || Math.abs(from + offsetSteps[id] - to) < Math.abs(from + offsetSteps[best] - to)) best = id;
  }
  return best || SPECIAL;
}

/**
 * @param {Facts} facts
 * @param {Group} group
 * @param {number} offset
 * @param {number} position
 */
function tokensOf(facts, group, offset, position) {
  const { streams, stepsPerQuarter } = facts;
  const ids = /** @type {Record<string, number>} */ ({
    offset,
    note: group.note,
    duration: nearest(facts.durationSteps, group.steps),
    part: SPECIAL + group.part,
    velocity: facts.velocities.length ? nearest(facts.velocities, group.velocity) : 0,
  });
  const quarter = Math.min(Math.floor(position / stepsPerQuarter), QUARTERS - 1);
  return [...streams.map((stream) => ids[stream]), position % stepsPerQuarter, quarter];
}

/**
 * Give what begins together, is as long and is played by one part, if the models know it, else its single notes.
 * @param {Facts} facts
 * @param {PlayedNote[]} notes
 * @returns {Group[]}
 */
function groupsOf(facts, notes) {
  const idOf = new Map(facts.pitches.map((pitches, id) => [pitches.join("."), id]));
  const drumOf = new Map(facts.drumKeys.map((drum, id) => [drum, id]));
  const together = /** @type {Map<string, Group>} */ (new Map());
  for (const one of notes) {
    const part = partOf(facts, one);
    if (part < 0) continue;
    const onset = onGridPoint(facts, one.onset * facts.stepsPerQuarter);
    const steps = one.length * facts.stepsPerQuarter;
    const group = { onset, steps, part, velocity: one.velocity, pitches: [one.pitch], note: 0 };
    const length = facts.durationSteps[nearest(facts.durationSteps, steps)];
    const key = one.isDrum ? `${onset} drum ${one.pitch}` : `${onset} ${length} ${part}`;
    if (one.isDrum) group.note = drumOf.get(one.pitch) ?? 0;
    const known = together.get(key);
    if (known && !one.isDrum) known.pitches.push(one.pitch);
    else together.set(key, group);
  }
  const found = [...together.values()].flatMap((group) => (group.note ? [group] : named(group, idOf)));
  return found.sort(
    (one, other) => one.onset - other.onset || one.part - other.part || one.pitches[0] - other.pitches[0],
  );
}

/**
 * Give a group its note id, or its single notes theirs; unknown ones are left out.
 * @param {Group} group
 * @param {Map<string, number>} idOf
 */
function named(group, idOf) {
  const pitches = [...new Set(group.pitches)].sort((one, other) => one - other);
  const whole = idOf.get(pitches.join("."));
  if (whole) return [{ ...group, pitches, note: whole }];
  return pitches.flatMap((pitch) => {
    const note = idOf.get(String(pitch));
    return note ? [{ ...group, pitches: [pitch], note }] : [];
  });
}

/**
 * Give who plays a note: the part of its program or else of its family, or the first one; -1 for nobody.
 * @param {Facts} facts
 * @param {PlayedNote} note
 */
function partOf({ parts }, { program, isDrum }) {
  if (!parts.length) return isDrum ? -1 : 0;
  if (isDrum) return parts.findIndex((part) => part.isDrum);
  const same = parts.findIndex((part) => !part.isDrum && part.program === program);
  if (same >= 0) return same;
  const alike = parts.findIndex(
    (part) => !part.isDrum && Math.floor(part.program / FAMILY) === Math.floor(program / FAMILY),
  );
  return alike >= 0 ? alike : parts.findIndex((part) => !part.isDrum);
}

/**
 * Give the grid point that is nearest to a time in steps.
 * @param {Facts} facts
 * @param {number} steps
 */
function onGridPoint({ points, stepsPerQuarter }, steps) {
  const quarter = Math.floor(steps / stepsPerQuarter);
  const rest = steps - quarter * stepsPerQuarter;
  const candidates = [...points, stepsPerQuarter];
  const point = candidates.reduce((best, one) => (Math.abs(one - rest) < Math.abs(best - rest) ? one : best));
  return quarter * stepsPerQuarter + point;
}
