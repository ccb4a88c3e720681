/** How much is sent at a time. All that is on its way when a line breaks travels twice, so one part is sent at a time, and
 * more only where that is clearly faster: on lines with long ways, or for many small files. Browsers mend a broken
 * connection without telling, so breaks that we are told of are not all there are. */

import { Slots } from "./slots.js";

const WIDE = 4;
/** Parts by which a width is judged, and after which a wider one is tried again. */
const JUDGED = 8;
const CONTENT = 64;
/** How much faster a wider one must be. */
const FASTER = 1.6;
const KEPT = "assay-line";

export class Line {
  constructor() {
    this.most = mostHere();
    // after a reload the line is what it was before
    this.slots = new Slots(Math.min(this.most, Number(sessionStorage.getItem(KEPT)) || 1));
    /** Bytes a second of the width before this one; null while none is being tried. @type {number | null} */
    this.before = null;
    this.restart(JUDGED);
  }

  /** @param {number} parts after how many this width is judged */
  restart(parts) {
    this.left = parts;
    this.bytes = 0;
    this.since = performance.now();
  }

  /** @template T @param {() => Promise<T>} act @param {AbortSignal} signal @returns {Promise<T>} */
  carry(act, signal) {
    if (!this.slots.busy) this.restart(this.left);
    return this.slots.run(act, signal);
  }

  /** @param {number} bytes of a part that has arrived */
  arrived(bytes) {
    this.bytes += bytes;
    this.left -= 1;
    if (this.left > 0) return;
    const rate = (this.bytes * 1000) / (performance.now() - this.since || 1);
    if (this.before !== null && rate < this.before * FASTER) {
      this.before = null;
      this.widen(this.slots.count - 1);
      return this.restart(CONTENT);
    }
    const wider = this.slots.count < this.most;
    this.before = wider ? rate : null;
    if (wider) this.widen(this.slots.count + 1);
    this.restart(wider ? JUDGED : CONTENT);
  }

  broke() {
    this.before = null;
    this.widen(1);
    this.restart(CONTENT);
  }

  /** @param {number} count */
  widen(count) {
    this.slots.widen(count);
    sessionStorage.setItem(KEPT, String(count));
  }
}

/** Fewer where the browser knows that the line is thin or dear. */
function mostHere() {
  const line = /** @type {any} */ (navigator).connection;
  if (line?.saveData || ["slow-2g", "2g"].includes(line?.effectiveType)) return 1;
  return line?.effectiveType === "3g" ? 2 : WIDE;
}
