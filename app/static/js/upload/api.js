/** Talks to our own server's API: JSON with the page's token, errors in the server's words, patience with bad lines. */

import { attempts } from "./patience.js";

/** What the server said no to, in words for the person. */
export class Refused extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The line or the server is away; trying again may help. */
export class Away extends Error {}

/** @typedef {{number: number, sha256: string}} Part
 * @typedef {{part_size: number, part_count: number, open_ended: boolean, fingerprint: string, there: Part[], signed: Link[]}} Upload
 * @typedef {{id: string, state: string, file_name: string, size: number | null, upload: Upload | null,
 *   links: {self: string, parts: string, complete: string, row: string, page: string}}} Item
 * @typedef {{number: number, url: string, headers: Record<string, string>}} Link */

const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/** One request; the answer's JSON, or null where there is none.
 * @param {string} method @param {string} address @param {unknown} [body] @param {AbortSignal} [signal] */
async function ask(method, address, body, signal) {
  const token = document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json", "X-CSRF-Token": token };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(address, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Away(String(error));
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const { words, quota } = await wordsOf(answer);
  if (PASSING.has(answer.status) && !quota) throw new Away(`${answer.status}`);
  throw new Refused(answer.status, words);
}

/** What the server says, with what is wrong with each field. A 429 that names no time to wait is a quota: waiting
 * does not help.
 * @param {Response} answer @returns {Promise<{words: string, quota: boolean}>} */
async function wordsOf(answer) {
  const quota = answer.status === 429 && !answer.headers.has("Retry-After");
  try {
    const said = await answer.json();
    return { words: [said.detail, ...Object.values(said.problems ?? {})].join(" "), quota };
  } catch {
    return { words: `${answer.status} ${answer.statusText}`, quota };
  }
}

/** The same request until it is answered, with longer and longer waits. All of ours bear being sent twice.
 * @param {string} method @param {string} address @param {unknown} body
 * @param {import("./patience.js").Patience} patience @returns {Promise<any>} */
export function askPatiently(method, address, body, patience) {
  return attempts(() => ask(method, address, body, patience.signal), (error) => error instanceof Away, patience);
}
