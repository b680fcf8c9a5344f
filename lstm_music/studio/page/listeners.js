// @ts-check
/** @file What buttons, fields, keys and the pointer do. */

import { keepMarked, markByFields, moveMarks, writeAgain } from "./bars.js";
import { Keyboard } from "./keyboard.js";
import { midiOf } from "./midi_writer.js";
import { musicXmlOf } from "./musicxml.js";
import { writeSession } from "./session.js";
import { CONTROLS, byId, keepLengthWhole, keepRangeWide, writeValues } from "./settings.js";

/** @typedef {import("./studio.js").Studio} Studio */

const TYPED_INTO = "input[type=number], select";
const CONTROLS_OF_PAGE = "input, select, button, summary, a, label";
const REVOKED_MILLISECONDS = 10_000;

/**
 * Let the user keep bytes as a file.
 * @param {string} name
 * @param {BlobPart} data
 * @param {string} type
 */
function download(name, data, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([data], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), REVOKED_MILLISECONDS);
}

/**
 * Let bars be marked by the pointer.
 * @param {Studio} studio
 */
function listenToRoll(studio) {
  const canvas = studio.roll.canvas;
  let first = /** @type {number | null} */ (null);
  /** @param {PointerEvent} event */
  const barAt = (event) => studio.roll.barAt(studio.music, event.clientX - canvas.getBoundingClientRect().left);
  /** @param {PointerEvent} event */
  const markTo = (event) => {
    if (first === null) return;
    byId("from", HTMLInputElement).value = String(first + 1);
    byId("to", HTMLInputElement).value = String(barAt(event) + 1);
    markByFields(studio);
  };
  canvas.addEventListener("pointerdown", (event) => {
    first = event.shiftKey && studio.marked ? studio.marked.first : barAt(event);
    markTo(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons) markTo(event);
  });
  window.addEventListener("pointerup", () => {
    first = null;
  });
}

/**
 * Let files be dropped on the page.
 * @param {Studio} studio
 */
function listenToFiles(studio) {
  const { classList } = document.body;
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    classList.add("dropping");
  });
  document.addEventListener("dragleave", () => classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    classList.remove("dropping");
    const file = event.dataTransfer?.files[0];
    if (file) studio.open(file);
  });
}

/**
 * Let keys do what buttons do, or play.
 * @param {Studio} studio
 * @param {Keyboard} keyboard
 */
function listenToKeys(studio, keyboard) {
  /** @type {Record<string, (event: KeyboardEvent) => unknown>} */
  const keys = {
    " ": () => studio.toggle(),
    n: () => studio.newPiece(),
    a: () => writeAgain(studio),
    k: () => keepMarked(studio),
    u: () => studio.undo(),
    r: () => studio.redo(),
    ArrowLeft: (event) => moveMarks(studio, -1, event.shiftKey),
    ArrowRight: (event) => moveMarks(studio, 1, event.shiftKey),
  };
  document.addEventListener("keydown", (event) => {
    const element = event.target instanceof Element ? event.target : document.body;
    if (element.closest(TYPED_INTO) || event.ctrlKey || event.metaKey || event.altKey) return;
    const isLetter = event.key.length === 1 && event.key !== " ";
    const isPlayed = keyboard.isOn && (keyboard.press(event) || isLetter); // beside a key that plays lies no other command
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (isPlayed || !action || element.closest(CONTROLS_OF_PAGE) || !byId("shortcuts", HTMLInputElement).checked) {
      return;
    }
    event.preventDefault();
    action(event);
  });
}

/**
 * Let the music be kept as a file.
 * @param {Studio} studio
 */
function listenToDownloads(studio) {
  /**
   * @param {string} id
   * @param {() => void} action
   */
  const onClick = (id, action) => document.getElementById(id)?.addEventListener("click", action);
  onClick("midi", () => {
    const { music, player } = studio;
    download("studio.mid", midiOf(music, player.tempo, player.instrument), "audio/midi");
  });
  onClick("musicxml", () => {
    download(
      "studio.musicxml",
      musicXmlOf(studio.music, studio.player.tempo),
      "application/vnd.recordare.musicxml+xml",
    );
  });
  onClick("save", () => {
    download("studio.json", writeSession(studio.music, studio.kept), "application/json");
    studio.isSaved = true;
  });
}

/**
 * Let the buttons and fields work.
 * @param {Studio} studio
 */
export function listen(studio) {
  /**
   * @param {string} id
   * @param {string} name
   * @param {() => unknown} action
   */
  const on = (id, name, action) => document.getElementById(id)?.addEventListener(name, action);
  on("play", "click", () => studio.toggle());
  on("new", "click", () => studio.newPiece());
  on("prompt", "change", () => studio.newPiece());
  on("again", "click", () => writeAgain(studio));
  on("keep", "click", () => keepMarked(studio));
  on("undo", "click", () => studio.undo());
  on("redo", "click", () => studio.redo());
  on("unmark", "click", () => studio.mark(null));
  on("instrument", "change", () => studio.choose());
  for (const id of ["from", "to"]) on(id, "change", () => markByFields(studio));
  on("tempo", "input", () => studio.setTempo());
  for (const id of ["lowest", "highest"]) on(id, "input", () => keepRangeWide(id));
  for (const id of CONTROLS) {
    on(id, "input", writeValues);
    on(id, "change", () => studio.change());
  }
  on("length", "input", writeValues);
  on("length", "change", () => {
    keepLengthWhole();
    writeValues();
    studio.setLength();
  });
  on("place", "input", () => {
    studio.player.seek(studio.music.startOf(byId("place", HTMLInputElement).valueAsNumber - 1));
    studio.draw();
  });
  listenToDownloads(studio);
  window.addEventListener("beforeunload", (event) => {
    if (!studio.isSaved) event.preventDefault(); // then the browser asks
  });
  const file = byId("file", HTMLInputElement);
  on("open", "click", () => file.click());
  on("file", "change", () => {
    if (file.files?.[0]) studio.open(file.files[0]);
    file.value = "";
  });
  window.addEventListener("resize", () => studio.draw());
  listenToRoll(studio);
  listenToFiles(studio);
  const keyboard = new Keyboard(studio);
  on("listen", "click", () => keyboard.toggle());
  document.addEventListener("keyup", (event) => keyboard.lift(event));
  listenToKeys(studio, keyboard);
}
