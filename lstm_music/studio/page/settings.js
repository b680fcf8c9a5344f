// @ts-check
/** @file The form: what a person asks → settings of the engine, and what is asked of the bars. */

/** @typedef {import("./music.js").Facts} Facts */
/** @typedef {import("./music.js").Settings} Settings */

const FREE = 0;

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

/**
 * Give the number of a slider or a list; `FREE` where the page has none.
 * @param {string} id
 */
function numberOf(id) {
  const found = document.getElementById(id);
  return found instanceof HTMLInputElement || found instanceof HTMLSelectElement ? Number(found.value) : FREE;
}

/**
 * Give the settings: those of the recipe, with temperatures and top-p moved as the sliders say.
 * @param {Facts} facts
 * @returns {Settings}
 */
export function settingsOf(facts) {
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
export function askedOf(facts) {
  const asked = {
    bars: 0,
    key: [numberOf("key")],
    chord: facts.progressions[numberOf("progression") - 1]?.chord ?? [],
    density: [numberOf("density")],
    polyphony: [numberOf("polyphony")],
    mean_pitch: [pitchOf(numberOf("mean-pitch"))],
    repeats: true,
  };
  const isAsked =
    asked.chord.length || [asked.key, asked.density, asked.polyphony, asked.mean_pitch].some(([one]) => one > FREE);
  return isAsked ? asked : null;
}

const LOWEST_PITCH = 36;

/**
 * Give the pitch of the slider, whose lowest place asks nothing.
 * @param {number} value
 */
const pitchOf = (value) => (value < LOWEST_PITCH ? FREE : value);

const NOTE_NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/**
 * Fill in fields, given by id and value.
 * @param {Array<[string, string]>} fields
 */
export function fillForm(fields) {
  for (const [id, value] of fields) {
    const field = document.getElementById(id);
    if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = value;
  }
}

/** How the values of sliders are written beside them. */
const WRITTEN = /** @type {Record<string, (value: number) => string>} */ ({
  tempo: (value) => `${value} quarters per minute`,
  temperature: (value) => `× ${value.toFixed(2)}`,
  "top-p": (value) => value.toFixed(2),
  density: (value) => (value === FREE ? "free" : `${value} notes a bar`),
  polyphony: (value) => (value === FREE ? "free" : `${value.toFixed(1)} notes at once`),
  "mean-pitch": (value) =>
    pitchOf(value) === FREE ? "free" : `${NOTE_NAMES[value % 12]}${Math.floor(value / 12) - 1}`,
});

/** Write the value of each slider beside it. */
export function writeValues() {
  for (const [id, written] of Object.entries(WRITTEN)) {
    const output = document.querySelector(`output[for="${id}"]`);
    if (output) output.textContent = written(numberOf(id));
  }
}
