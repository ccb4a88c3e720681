/** SHA-256 of pieces of a file, computed by a few workers, so that the page stays quick. */

const MIB = 1024 * 1024;
const MOST = 3;

/** The file was changed, moved or taken out of reach since it was chosen. */
export class Unreadable extends Error {}

/** @typedef {{worker: Worker, waiting: Map<number, {resolve: (hex: string) => void, reject: (error: Error) => void}>}} Hand */

/** @type {Hand[]} */
const hands = [];
let next = 1;

/** @returns {Hand} */
function newHand() {
  const worker = new Worker(new URL("./digest-worker.js", import.meta.url), { type: "module" });
  /** @type {Hand} */
  const hand = { worker, waiting: new Map() };
  worker.addEventListener("message", ({ data }) => {
    const asked = hand.waiting.get(data.id);
    hand.waiting.delete(data.id);
    if (data.hex) asked?.resolve(data.hex);
    else asked?.reject(new Unreadable(data.failed));
  });
  worker.addEventListener("error", (event) => {
    for (const asked of hand.waiting.values()) asked.reject(new Error(event.message || "the worker could not start"));
    hands.splice(hands.indexOf(hand), 1);
  });
  hands.push(hand);
  return hand;
}

/** The one with the least to do; a new one while there are few and all are busy. */
function idlest() {
  const best = hands.toSorted((one, other) => one.waiting.size - other.waiting.size)[0];
  const more = hands.length < Math.min(MOST, Math.max(1, (navigator.hardwareConcurrency || 2) - 1));
  return !best || (best.waiting.size > 0 && more) ? newHand() : best;
}

/** @param {Blob} blob @returns {Promise<string>} 64 lower-case hex digits; rejects with Unreadable */
export function sha256(blob) {
  const id = next++;
  return new Promise((resolve, reject) => {
    const hand = idlest();
    hand.waiting.set(id, { resolve, reject });
    hand.worker.postMessage({ id, blob });
  });
}

/** By this and its size the same file is known again, whatever it is called and wherever it lies: the digests of its
 * first and of its last MiB.
 * @param {File} file @returns {Promise<string>} */
export async function fingerprint(file) {
  const ends = [file.slice(0, MIB), file.slice(Math.max(0, file.size - MIB))];
  return (await Promise.all(ends.map(sha256))).join(":");
}
