// @ts-check
/** @file Files of the user's: a session, or music to go on from. */

import { promptOf } from "./encoding.js";
import { readMidi } from "./midi_reader.js";
import { MOST_BYTES, isSession, readSession } from "./session.js";

/** @typedef {import("./music.js").Facts} Facts */
/** @typedef {import("./music.js").PromptFacts} PromptFacts */
/** @typedef {ReturnType<typeof readSession>} Session */

const MOST_PROMPT_BARS = 16;

/**
 * Read a file, by what it holds and not by its name. Throws an Error that says what is wrong.
 * @param {Facts} facts
 * @param {File} file
 * @returns {Promise<{session: Session | null, prompt: PromptFacts | null}>}
 */
export async function opened(facts, file) {
  if (file.size > MOST_BYTES) throw new Error("the file is too large");
  const data = await file.arrayBuffer();
  if (isSession(data)) return { session: readSession(new TextDecoder().decode(data), facts), prompt: null };
  return { session: null, prompt: { ...promptOf(facts, readMidi(data), file.name, MOST_PROMPT_BARS), endsBar: true } };
}
