/** So many things at a time, and no more; who waits longest is next. */
export class Slots {
  /** @param {number} count */
  constructor(count) {
    this.count = count;
    this.busy = 0;
    /** @type {(() => void)[]} */
    this.waiting = [];
  }

  /** From now on so many at a time; what is under way goes on.
   * @param {number} count */
  widen(count) {
    this.count = count;
    this.admit();
  }

  /** @template T @param {() => Promise<T>} act @param {AbortSignal} signal ends the waiting
   * @returns {Promise<T>} */
  async run(act, signal) {
    await this.turn(signal);
    try {
      return await act();
    } finally {
      this.busy -= 1;
      this.admit();
    }
  }

  /** @param {AbortSignal} signal @returns {Promise<void>} */
  turn(signal) {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiting = this.waiting.filter((other) => other !== enter);
        reject(signal.reason);
      };
      const enter = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      if (signal.aborted) return leave();
      signal.addEventListener("abort", leave);
      this.waiting.push(enter);
      this.admit();
    });
  }

  admit() {
    while (this.waiting.length && this.busy < this.count) {
      this.busy += 1;
      this.waiting.shift()?.();
    }
  }
}
