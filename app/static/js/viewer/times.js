/** Places in a recording, as people read them. */

/**
 * @param {number} seconds
 * @returns {string} `2:13`, or `1:02:13`
 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/**
 * @param {string} text `133,220` or `133`
 * @returns {{ start: number, end: number | null }}
 */
export function span(text) {
  const [start, end] = text.split(",").map(Number);
  return { start: start || 0, end: end === undefined || Number.isNaN(end) ? null : end };
}
