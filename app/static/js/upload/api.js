/** Talks to our own server: JSON with the page's token, errors in the server's words, patience with bad lines. */

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
 * @typedef {{plan: string, sign: string, record: string, complete: string, row: string, page: string}} Addresses
 * @typedef {{item_id: string, state: string, file_name: string, size: number, part_size: number, part_count: number,
 *   there: Part[], addresses: Addresses}} Plan */

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
  if (answer.status >= 500) throw new Away(`${answer.status}`);
  if (!answer.ok) throw new Refused(answer.status, await wordsOf(answer));
  return answer.status === 204 ? null : answer.json();
}

/** What the server says, with what is wrong with each field.
 * @param {Response} answer */
async function wordsOf(answer) {
  try {
    const said = await answer.json();
    return [said.error, ...Object.values(said.problems ?? {})].join(" ");
  } catch {
    return `${answer.status} ${answer.statusText}`;
  }
}

/** The same request until it is answered, with longer and longer waits. All of ours bear being sent twice.
 * @param {string} method @param {string} address @param {unknown} body
 * @param {import("./patience.js").Patience} patience @returns {Promise<any>} */
export function askPatiently(method, address, body, patience) {
  return attempts(() => ask(method, address, body, patience.signal), (error) => error instanceof Away, patience);
}
