/** SHA-256 of pieces of a file, by the browser's own WebCrypto: it works off the page's thread. */

const MIB = 1024 * 1024;

/** The file was changed, moved or taken out of reach since it was chosen. */
export class Unreadable extends Error {}

/** @param {Blob} blob @returns {Promise<string>} 64 lower-case hex digits */
export async function sha256(blob) {
  let bytes;
  try {
    bytes = await blob.arrayBuffer();
  } catch (error) {
    throw new Unreadable(String(error));
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Enough to tell the same file from another of its name and size: the digests of its first and its last MiB.
 * @param {File} file @returns {Promise<string>} */
export async function fingerprint(file) {
  const first = await sha256(file.slice(0, MIB));
  const last = await sha256(file.slice(Math.max(0, file.size - MIB)));
  return `${first}:${last}`;
}
