/** How fast something goes, by its last seconds, and how long it will take. */

const WINDOW = 8000;

export class Speed {
  constructor() {
    /** @type {[number, number][]} moments and bytes sent until then */
    this.history = [];
  }

  /** @param {number} sent */
  seen(sent) {
    const now = performance.now();
    this.history = [...this.history.filter(([at]) => now - at < WINDOW), [now, sent]];
  }

  /** It stands still: what was before says nothing of how it goes on. */
  rest() {
    this.history = [];
  }

  /** Seconds for so many bytes; null when it cannot be told yet.
   * @param {number} bytes @returns {number | null} */
  secondsFor(bytes) {
    const [first, last] = [this.history[0], this.history[this.history.length - 1]];
    if (!first || !last) return null;
    const [elapsed, sent] = [(last[0] - first[0]) / 1000, last[1] - first[1]];
    return elapsed < 2 || sent <= 0 ? null : (bytes * elapsed) / sent;
  }
}
