/** How long was recorded, without the pauses. */

const REDRAW = 250;

export class Stopwatch {
  /** @param {HTMLElement} face */
  constructor(face) {
    this.face = face;
    this.before = 0;
    /** @type {number | null} */
    this.since = null;
    this.timer = 0;
  }

  start() {
    this.since = performance.now();
    this.timer = setInterval(() => this.draw(), REDRAW);
    this.draw();
  }

  pause() {
    this.before = this.milliseconds;
    this.since = null;
    clearInterval(this.timer);
    this.draw();
  }

  reset() {
    this.pause();
    this.before = 0;
    this.draw();
  }

  get milliseconds() {
    return this.before + (this.since === null ? 0 : performance.now() - this.since);
  }

  draw() {
    const seconds = Math.floor(this.milliseconds / 1000);
    const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
    const hours = seconds >= 3600 ? `${Math.floor(seconds / 3600)}:` : "";
    this.face.textContent = `${hours}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  }
}
