/** Starts the upload on a page that has a region for it. */

import { Region } from "./region.js";

for (const root of document.querySelectorAll("[data-upload]")) new Region(/** @type {HTMLElement} */ (root)).watch();
