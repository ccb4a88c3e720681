/** How much is sent at a time. A good line carries several parts at once; one that breaks carries one, because all that
 * is on its way then travels twice. Every line is trusted little by little. */

import { Slots } from "./slots.js";

const FIRST = 2;
const WIDE = 4;
/** Parts that must arrive in a row before one more is sent at a time. */
const TRUST = 32;
const KEPT = "assay-line";

export class Line {
  constructor() {
    this.most = mostHere();
    this.good = 0;
    // after a reload the line is what it was before
    this.slots = new Slots(Math.min(this.most, Number(sessionStorage.getItem(KEPT)) || FIRST));
  }

  /** @template T @param {() => Promise<T>} act @param {AbortSignal} signal @returns {Promise<T>} */
  carry(act, signal) {
    return this.slots.run(act, signal);
  }

  arrived() {
    this.good += 1;
    if (this.good < TRUST || this.slots.count >= this.most) return;
    this.good = 0;
    this.slots.widen(this.slots.count + 1);
    sessionStorage.setItem(KEPT, String(this.slots.count));
  }

  broke() {
    this.good = 0;
    this.slots.widen(1);
    sessionStorage.setItem(KEPT, "1");
  }
}

/** Fewer where the browser knows that the line is thin or dear. */
function mostHere() {
  const line = /** @type {any} */ (navigator).connection;
  if (line?.saveData || ["slow-2g", "2g"].includes(line?.effectiveType)) return 1;
  return line?.effectiveType === "3g" ? 2 : WIDE;
}
