/** Trying again: longer waits after each failure, a little at random so that many do not come back at once. */

const FIRST = 1000;
const LONGEST = 30000;
/** With these waits, a quarter of an hour. */
const TRIES = 30;

/** @typedef {{signal: AbortSignal, waiting: (milliseconds: number | null) => void, tries?: number}} Patience */

/** @param {number} failures how many there were in a row @returns {number} milliseconds */
export function waitAfter(failures) {
  const most = Math.min(LONGEST, FIRST * 2 ** (failures - 1));
  return most / 2 + (Math.random() * most) / 2;
}

/** Do it until it succeeds; a failure that `passing` says may pass is waited out. Without a line nothing is counted.
 * @template T @param {(failures: number) => Promise<T>} act @param {(error: unknown) => boolean} passing
 * @param {Patience} patience @returns {Promise<T>} */
export async function attempts(act, passing, patience) {
  for (let failures = 0, waited = false; ; ) {
    try {
      const result = await act(failures);
      if (waited) patience.waiting(null);
      return result;
    } catch (error) {
      if (patience.signal.aborted || !passing(error)) throw error;
      if (navigator.onLine) failures += 1;
      if (failures >= (patience.tries ?? TRIES)) throw error;
      waited = true;
      await pauseFor(navigator.onLine ? waitAfter(failures) : LONGEST, patience);
    }
  }
}

/** Wait; the line's coming back or a pause ends it early.
 * @param {number} milliseconds @param {Patience} patience @returns {Promise<void>} */
function pauseFor(milliseconds, { signal, waiting }) {
  waiting(milliseconds);
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    addEventListener("online", end);
    signal.addEventListener("abort", end);
  });
}
