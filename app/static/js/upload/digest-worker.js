/** Reads pieces of files and says what their SHA-256 is, off the page's own thread. */

import { Sha256 } from "../sha256.js";

const PIECE = 4 * 1024 * 1024;

/** The browser's own where the page came by https; else ours, which is slower.
 * @param {Blob} blob @returns {Promise<string>} */
async function sha256(blob) {
  if (globalThis.crypto?.subtle) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  const hash = new Sha256();
  for (let at = 0; at < blob.size; at += PIECE) hash.update(new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer()));
  return hash.hex();
}

addEventListener("message", async (event) => {
  const { id, blob } = /** @type {MessageEvent<{id: number, blob: Blob}>} */ (event).data;
  try {
    postMessage({ id, hex: await sha256(blob) });
  } catch (error) {
    postMessage({ id, failed: String(error) });
  }
});
