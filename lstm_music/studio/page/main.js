// @ts-check
/** @file The start of the page: it plays before the browser has read the models, which stand behind this script. */

import { listen } from "./listeners.js";
import { taken } from "./settings.js";
import { Studio } from "./studio.js";

const studio = new Studio(JSON.parse(taken("facts")));
listen(studio);
studio.frame(0);
studio.composer.begin(taken("worker"));

/**
 * Hand the pieces of the tables to the worker that the browser has read so far; the latest one may not be whole.
 * @param {boolean} isAll
 */
function feed(isAll) {
  for (const piece of document.querySelectorAll("script.tables")) {
    if (!isAll && !piece.nextElementSibling) return;
    studio.composer.feed(piece.textContent ?? "", Number(piece.getAttribute("data-size")));
    piece.remove();
  }
}

const observer = new MutationObserver(() => feed(false));
observer.observe(document.body, { childList: true });
document.addEventListener("DOMContentLoaded", () => {
  observer.disconnect();
  feed(true);
  studio.composer.load();
});
Object.assign(window, { studio });
