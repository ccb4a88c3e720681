/** Reads files off the page's own thread and says what their SHA-256 is. Nothing leaves this machine. */

import { Sha256 } from "./sha256.js";

const PIECE = 4 * 1024 * 1024;

/** @param {number} id @param {File} file */
async function digest(id, file) {
  const hash = new Sha256();
  for (let at = 0; at < file.size; at += PIECE) {
    hash.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
    postMessage({ id, done: Math.min(at + PIECE, file.size) });
  }
  postMessage({ id, hex: hash.hex() });
}

let last = Promise.resolve();

addEventListener("message", (event) => {
  const { id, file } = /** @type {MessageEvent<{id: number, file: File}>} */ (event).data;
  // one after the other: two at once would only make both slower
  last = last.then(() => digest(id, file)).catch(() => postMessage({ id, failed: true }));
});
