// @ts-check
/** @file The start of the page. */

import { listen } from "./listeners.js";
import { Studio, taken } from "./studio.js";

const studio = new Studio(JSON.parse(taken("facts")));
listen(studio);
studio.frame(0);
Object.assign(window, { studio });
