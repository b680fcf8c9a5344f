// @ts-check
/** @file The start of the page: it plays before the browser has read the models, which stand behind this script. */

import { listen } from "./listeners.js";
import { taken } from "./settings.js";
import { Studio } from "./studio.js";

const studio = new Studio(JSON.parse(taken("facts")));
listen(studio);
studio.frame(0);
document.addEventListener("DOMContentLoaded", () => studio.composer.load(taken("worker"), taken("tables")));
Object.assign(window, { studio });
