/** Marks: a press plays the stretch; "from here" and "to here" write the player's time into the form. */

import { mediaOf, playFrom } from "./player.js";
import { clock, span } from "./times.js";

/** Works on every mark of the page, also on those that come later. */
export function watchMarks() {
  document.addEventListener("click", seek);
  document.addEventListener("click", write);
}

/** @param {MouseEvent} event */
function seek(event) {
  const pressed = event.target instanceof Element ? event.target.closest("[data-seek]") : null;
  if (!pressed || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const recording = recordingOf(pressed);
  if (!recording) return;
  event.preventDefault();
  const { start, end } = span(pressed.getAttribute("data-seek") ?? "0");
  playFrom(recording, start, end);
}

/**
 * The recording a mark belongs to: around it, named by it, or the page's only one.
 * @param {Element} mark
 * @returns {Element | null}
 */
function recordingOf(mark) {
  const named = mark.getAttribute("data-seek-in");
  if (named) return document.querySelector(`[data-recording="${CSS.escape(named)}"]`);
  return mark.closest("[data-recording]") ?? document.querySelector("[data-recording]");
}

/** @param {MouseEvent} event */
function write(event) {
  const button = event.target instanceof Element ? event.target.closest("[data-time-here]") : null;
  const media = mediaOf(button);
  const field = button?.closest("form")?.querySelector(`[data-time="${button.getAttribute("data-time-here")}"]`);
  if (media && field instanceof HTMLInputElement) field.value = clock(media.currentTime);
}
