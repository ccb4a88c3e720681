/** Keeps the screen on while something is under way, where the browser lets us: a phone that sleeps sends nothing. */

/** @param {() => boolean} busy @returns {() => void} call it when something begins or ends */
export function awake(busy) {
  /** @type {WakeLockSentinel | null} */
  let lock = null;
  let asking = false;
  const look = async () => {
    if (!busy()) {
      void lock?.release();
      lock = null;
    } else if ((!lock || lock.released) && !asking && !document.hidden && navigator.wakeLock) {
      asking = true;
      lock = await navigator.wakeLock.request("screen").catch(() => null);
      asking = false;
    }
  };
  // the browser takes it back whenever the page is hidden
  document.addEventListener("visibilitychange", () => void look());
  return () => void look();
}
