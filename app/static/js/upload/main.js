/** Starts the upload on a page that has a region for it, and tells the page when the check of an item has ended. */

import { Region, changed } from "./region.js";

for (const root of document.querySelectorAll("[data-upload]")) new Region(/** @type {HTMLElement} */ (root)).watch();

/** @returns {string} how the items of the list stand */
const states = () => Array.from(document.querySelectorAll("[data-item]"), (line) => /** @type {HTMLElement} */ (line).dataset.state).join();
let before = states();
document.addEventListener("htmx:after:swap", () => {
  const now = states();
  if (now !== before) changed();
  before = now;
});
