// @ts-check
/** @file The form: what a person asks → settings of the engine, and what is asked of the bars. */

/** @typedef {import("./music.js").Facts} Facts */
/** @typedef {import("./music.js").Settings} Settings */
/** @typedef {import("./music.js").Music} Music */
/** @typedef {import("../engine/conditioning.js").Asked} Asked */
/** @typedef {import("../engine/ending.js").Ending} Ending */

/** What the engine goes on by; `notes` says of each note id whether it may be played, null for all. */
/** @typedef {{settings: Settings, asked: Asked | null, ending: Ending | null, notes: Uint8Array | null}} Wanted */

/** The fields whose change is heard in new music only. */
export const CONTROLS = [
  "temperature",
  "top-p",
  "density",
  "polyphony",
  "mean-pitch",
  "lowest",
  "highest",
  "key",
  "progression",
];
/** All fields of what is asked. */
export const FIELDS = [...CONTROLS, "length", "prompt", "tempo", "instrument"];

const LASTING = ["tempo", "instrument"]; // they change how music is played, and not the music
const FREE = 0;
const NARROWEST = 11; // semitones, so that each pitch class is there
const OCTAVE = 12;

/**
 * Find an element of the page by its id.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`expected an element ${id}`);
  return found;
}

/**
 * Give the text of an element that holds data, and let go of it.
 * @param {string} id
 */
export function taken(id) {
  const element = byId(id, HTMLScriptElement);
  const text = element.textContent ?? "";
  element.remove();
  return text;
}

/** @param {string} id */
function fieldOf(id) {
  const found = document.getElementById(id);
  return found instanceof HTMLInputElement || found instanceof HTMLSelectElement ? found : null;
}

/**
 * Give the number of a field; `FREE` where the page has none, and for the lowest place of a slider that may ask nothing.
 * @param {string} id
 */
export function numberOf(id) {
  const found = fieldOf(id);
  const isFree = !found || ("free" in found.dataset && Number(found.value) === Number(found.getAttribute("min")));
  return isFree ? FREE : Number(found.value);
}

/**
 * Give what the form asks of music that goes on.
 * @param {Facts} facts
 * @param {Music} music
 * @returns {Wanted}
 */
export function wantedOf(facts, music) {
  return {
    settings: settingsOf(facts),
    asked: askedOf(facts),
    ending: endingOf(music, numberOf("length")),
    notes: notesOf(facts),
  };
}

/**
 * Give the settings: those of the recipe, with temperatures and top-p moved as the sliders say.
 * @param {Facts} facts
 * @returns {Settings}
 */
function settingsOf(facts) {
  const warmer = numberOf("temperature");
  const share = numberOf("top-p");
  const sampling = Object.fromEntries(
    Object.entries(facts.settings.sampling).map(([stream, one]) => [
      stream,
      { ...one, temperature: one.temperature * warmer, top_p: Math.min(one.top_p, share) },
    ]),
  );
  return { ...facts.settings, sampling, minEvents: Number.MAX_SAFE_INTEGER };
}

/**
 * Give what is asked of every bar, or null where nothing is.
 * @param {Facts} facts
 */
function askedOf(facts) {
  const pitch = numberOf("mean-pitch");
  const asked = {
    key: [numberOf("key")],
    chord: facts.progressions[numberOf("progression") - 1]?.chord ?? [],
    density: [numberOf("density")],
    polyphony: [numberOf("polyphony")],
    mean_pitch: [pitch && Math.min(Math.max(pitch, numberOf("lowest")), numberOf("highest"))],
    repeats: true,
  };
  const isAsked =
    asked.chord.length || [asked.key, asked.density, asked.polyphony, asked.mean_pitch].some(([one]) => one > FREE);
  return isAsked ? asked : null;
}

/**
 * Give where music ends that has so many bars after its prompt, 0 for no end; a bar that is begun is not cut.
 * @param {Music} music
 * @param {number} bars
 * @returns {Ending | null}
 */
export function endingOf(music, bars) {
  const { barSteps, begin, frontier } = music;
  const wait = Math.max(begin - frontier, 0);
  const length = bars ? bars * barSteps : Infinity;
  if (music.isFresh) return bars || wait ? { length, wait, latest: Infinity } : null;
  const end = Math.max(music.startOf(music.newBar + bars), music.startOf(music.barOf(frontier) + 1));
  return bars ? { length, wait: 0, latest: Infinity, end } : null;
}

/**
 * Say which notes may be played: those with all pitches in the range of the form; null for all.
 * @param {Facts} facts
 */
function notesOf({ pitches, drumKeys, range }) {
  const [low, high] = [numberOf("lowest"), numberOf("highest")];
  if (low <= range[0] && high >= range[1]) return null;
  return Uint8Array.from(pitches, (ofNote, id) =>
    Number(drumKeys[id] >= 0 || ofNote.every((pitch) => pitch >= low && pitch <= high)),
  );
}

/**
 * Keep the range of the form an octave wide at least: the other end gives way.
 * @param {string} moved the end that was moved
 */
export function keepRangeWide(moved) {
  const [low, high] = ["lowest", "highest"].map((id) => byId(id, HTMLInputElement));
  const [lowest, highest] = [Number(low.min), Number(high.max)];
  const narrowest = Math.min(NARROWEST, highest - lowest);
  if (Number(high.value) - Number(low.value) >= narrowest) return;
  if (moved === "lowest") {
    high.value = String(Math.min(Number(low.value) + narrowest, highest));
    low.value = String(Math.min(Number(low.value), Number(high.value) - narrowest));
  } else {
    low.value = String(Math.max(Number(high.value) - narrowest, lowest));
    high.value = String(Math.max(Number(high.value), Number(low.value) + narrowest));
  }
}

/** Keep the length of the form a number of bars that the field allows, whatever is written there; less than one is none. */
export function keepLengthWhole() {
  const field = byId("length", HTMLInputElement);
  const bars = Math.min(Math.round(Number(field.value)), Number(field.max));
  field.value = bars >= Number(field.min) ? String(bars) : "";
}

/** Give the fields that the page has, by id and value. @returns {Array<[string, string]>} */
export function formOf() {
  return FIELDS.flatMap((id) => {
    const field = fieldOf(id);
    return field ? [[id, field.value]] : [];
  });
}

/**
 * Give fields with the values that the form has now of those that change no music.
 * @param {Array<[string, string]>} fields
 */
export function withLasting(fields) {
  const now = new Map(formOf());
  return fields.map(
    ([id, value]) => /** @type {[string, string]} */ ([id, LASTING.includes(id) ? (now.get(id) ?? value) : value]),
  );
}

/**
 * Fill in fields, given by id and value.
 * @param {Array<[string, string]>} fields
 */
export function fillForm(fields) {
  for (const [id, value] of fields) {
    const field = fieldOf(id);
    if (field) field.value = value;
  }
  keepLengthWhole();
  writeValues();
}

const NOTE_NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/** @param {number} pitch */
const noteName = (pitch) => `${NOTE_NAMES[pitch % OCTAVE]}${Math.floor(pitch / OCTAVE) - 1}`;

/** How the values of fields are written beside them. */
const WRITTEN = /** @type {Record<string, (value: number) => string>} */ ({
  tempo: (value) => `${value} quarters per minute`,
  temperature: (value) => `× ${value.toFixed(2)}`,
  "top-p": (value) => value.toFixed(2),
  density: (value) => (value === FREE ? "free" : `${value} notes a bar`),
  polyphony: (value) => (value === FREE ? "free" : `${value.toFixed(1)} notes at once`),
  "mean-pitch": (value) => (value === FREE ? "free" : noteName(value)),
  lowest: noteName,
  highest: noteName,
  length: (value) => (value === FREE ? "goes on for ever" : value === 1 ? "bar" : "bars"),
});

/** Write the value of each field beside it, also for those who hear it. */
export function writeValues() {
  for (const [id, written] of Object.entries(WRITTEN)) {
    const output = document.querySelector(`output[for="${id}"]`);
    if (!output) continue;
    output.textContent = written(numberOf(id));
    document.getElementById(id)?.setAttribute("aria-valuetext", output.textContent);
  }
}
