/** One file's way to the store: announced, its missing parts sent several at a time, put together. It can be paused,
 * and begun again at any time on any page: what is there already is compared and does not travel again. */

import { Refused, askPatiently } from "./api.js";
import { Unreadable, fingerprint, sha256 } from "./digest.js";
import { attempts } from "./patience.js";
import { NotTaken, put } from "./put.js";

/** Parts of one file that are in hand at a time; the line says how many of them are sent. */
const IN_HAND = 4;
/** How often the store may refuse a part (a link that ran out, a byte that was lost) before the file fails. */
const REFUSALS = 5;
/** How long a link may wait for its turn; it is good for five minutes. */
const FRESH = 60000;
/** How often a list of parts that the server finds wanting is mended before it is given up. */
const MENDINGS = 3;

/** Files up to this size are hashed whole before they are sent: the store then need not copy them to where they stay. */
const WHOLE = 32 * 1024 * 1024;
/** No part is smaller, but the last. */
const ONE_PART = 5 * 1024 * 1024;

/** The chosen file is not the one that was begun. */
export class OtherFile extends Error {}

/** @typedef {"queued" | "preparing" | "comparing" | "sending" | "waiting" | "finishing" | "paused" | "done" | "failed"} Stage
 * @typedef {{stage: Stage, sent: number, size: number, wait: number | null, error: unknown}} Standing
 * @typedef {{announce: string, files: import("./slots.js").Slots, line: import("./line.js").Line}} Way
 * @typedef {import("./api.js").Link & {at: number}} Signed
 * @typedef {import("./api.js").Item & {upload: import("./api.js").Upload}} Begun */

export class Transfer {
  /** @param {File} file @param {string} wanted the fingerprint of the file that it must be; '' for any
   * @param {Way} way @param {(standing: Standing) => void} changed */
  constructor(file, wanted, way, changed) {
    this.file = file;
    this.wanted = wanted;
    this.way = way;
    this.changed = changed;
    /** @type {import("./api.js").Item | null} */
    this.item = null;
    /** @type {Standing} */
    this.standing = { stage: "queued", sent: 0, size: file.size, wait: null, error: null };
    /** @type {Map<number, number>} bytes sent of each part */
    this.parts = new Map();
    /** @type {Map<number, Signed>} links that were not used yet */
    this.signed = new Map();
    /** @type {(import("./api.js").Part & {etag: string})[] | null} what is reported with the completion */
    this.taken = null;
    this.abort = new AbortController();
  }

  get busy() {
    return !["paused", "done", "failed"].includes(this.standing.stage);
  }

  /** Send what is missing; ends when the file has arrived, was paused or has failed. */
  async run() {
    this.abort = new AbortController();
    this.tell({ stage: "queued", error: null });
    try {
      await this.way.files.run(() => this.wholeWay(), this.signal);
      this.tell({ stage: "done", sent: this.file.size });
    } catch (error) {
      const paused = this.signal.aborted && !(error instanceof Refused);
      // what was on its way when another part failed must not go on by itself
      this.abort.abort();
      this.tell(paused ? { stage: "paused" } : { stage: "failed", error });
    }
  }

  pause() {
    this.abort.abort();
  }

  /** Take it back: nothing more is sent, and what the server has of it is removed. */
  async remove() {
    this.abort.abort();
    if (!this.item) return;
    const patience = { signal: new AbortController().signal, waiting: () => {}, tries: 4 };
    await askPatiently("DELETE", this.item.links.self, undefined, patience);
  }

  async wholeWay() {
    this.tell({ stage: "preparing" });
    const print = this.file.size ? await fingerprint(this.file) : null;
    if (this.wanted && print !== this.wanted) throw new OtherFile();
    const whole = this.file.size && this.file.size <= WHOLE ? await sha256(this.file) : null;
    const named = { file_name: this.file.name, size: this.file.size, media_type: this.file.type };
    // a file of one part is signed with its announcement and reported with its completion
    const parts = whole && this.file.size <= ONE_PART ? [{ number: 1, sha256: whole }] : null;
    const announcement = { ...named, fingerprint: print, sha256: whole, parts };
    let item = await this.ask("POST", this.way.announce, announcement);
    this.remember(item);
    for (let mendings = 0; ; mendings += 1) {
      if (await this.sendAndComplete(item, mendings < MENDINGS)) return;
      item = await this.ask("GET", item.links.self, undefined);
    }
  }

  /** True when the file is whole; false when the server found parts wanting, to look again what is there.
   * @param {import("./api.js").Item} item @param {boolean} mayMend */
  async sendAndComplete(item, mayMend) {
    this.item = item;
    if (!item.upload || !["announced", "uploading"].includes(item.state)) return true;
    const begun = /** @type {Begun} */ (item);
    try {
      await this.sendParts(begun);
      this.tell({ stage: "finishing" });
      const parts = Array.from({ length: begun.upload.part_count }, (_, index) => index + 1);
      await this.ask("POST", item.links.complete, { parts, taken: this.taken });
      return true;
    } catch (error) {
      const wanting = error instanceof Refused && error.status === 409;
      const forgotten = error instanceof NotTaken && error.status === 404;
      if (mayMend && (wanting || forgotten)) return false;
      throw error;
    }
  }

  /** Nothing is sent before all that is there was found to be of this very file: else its parts would be mixed with
   * another's.
   * @param {Begun} item */
  async sendParts(item) {
    const { there, part_count: count } = item.upload;
    const known = new Map(there.map((part) => [part.number, part.sha256]));
    const missing = Array.from({ length: count }, (_, index) => index + 1).filter((number) => !known.has(number));
    this.parts.clear();
    this.taken = null;
    if (known.size) this.tell({ stage: "comparing" });
    await this.each([...known.keys()], (number) => this.compare(item, number, known.get(number) ?? ""));
    this.tell({ stage: "sending" });
    await this.each(missing, (number) => this.send(item, number));
  }

  /** A few at a time, in order.
   * @param {number[]} numbers @param {(number: number) => Promise<void>} act */
  async each(numbers, act) {
    const left = numbers.values();
    const work = async () => {
      for (const number of left) {
        this.signal.throwIfAborted();
        await act(number);
      }
    };
    await Promise.all(Array.from({ length: Math.min(IN_HAND, numbers.length) }, work));
  }

  /** @param {Begun} item @param {number} number @param {string} known */
  async compare(item, number, known) {
    const piece = this.piece(item, number);
    if ((await sha256(piece)) !== known) throw new OtherFile();
    this.sent(number, piece.size);
  }

  /** Each try reads, signs and sends anew: a link may have run out, and a byte may have been lost on the way.
   * @param {Begun} item @param {number} number */
  async send(item, number) {
    const piece = this.piece(item, number);
    /** @type {Map<number, number>} how often the store said no, by status */
    const refusals = new Map();
    const once = async () => {
      const named = { number, sha256: await sha256(piece) };
      // signed while others are sent, so that the line is not idle; anew when it had to wait for long
      const link = this.signed.get(number) ?? (await this.sign(item, named));
      this.signed.delete(number);
      const etag = await this.way.line.carry(async () => {
        const fresh = performance.now() - link.at < FRESH ? link : await this.sign(item, named);
        return this.put(fresh, piece);
      }, this.signal);
      const taken = [{ ...named, etag }];
      if (item.upload.part_count === 1) this.taken = taken;
      else await this.ask("PUT", item.links.parts, { parts: taken });
    };
    const passing = (/** @type {unknown} */ error) => {
      this.sent(number, 0);
      if (!(error instanceof NotTaken)) return false;
      const times = (refusals.get(error.status) ?? 0) + 1;
      refusals.set(error.status, times);
      return error.status === 0 || error.status >= 500 || (error.status !== 404 && times < REFUSALS);
    };
    await attempts(once, passing, this.patience);
    this.way.line.arrived(piece.size);
    this.sent(number, piece.size);
  }

  /** @param {Begun} item @param {import("./api.js").Part} named @returns {Promise<Signed>} */
  async sign(item, named) {
    const { parts } = await this.ask("POST", item.links.parts, { parts: [named] });
    return { ...parts[0], at: performance.now() };
  }

  /** Keeps the links that came with the announcement. @param {import("./api.js").Item} item */
  remember(item) {
    const links = item.upload?.signed ?? [];
    this.signed = new Map(links.map((link) => [link.number, { ...link, at: performance.now() }]));
  }

  /** @param {import("./api.js").Link} link @param {Blob} piece @returns {Promise<string>} */
  async put(link, piece) {
    try {
      return await put(link, piece, (sent) => this.sent(link.number, Math.min(sent, piece.size)), this.signal);
    } catch (error) {
      if (error instanceof NotTaken && error.status === 0 && !this.signal.aborted) this.way.line.broke();
      throw error;
    }
  }

  /** @param {Begun} item @param {number} number */
  piece({ upload }, number) {
    const start = (number - 1) * upload.part_size;
    return this.file.slice(start, Math.min(start + upload.part_size, this.file.size));
  }

  /** @param {string} method @param {string} address @param {unknown} body */
  ask(method, address, body) {
    return askPatiently(method, address, body, this.patience);
  }

  get signal() {
    return this.abort.signal;
  }

  get patience() {
    return {
      signal: this.signal,
      waiting: (/** @type {number | null} */ wait) => this.tell({ stage: wait === null ? "sending" : "waiting", wait }),
    };
  }

  /** @param {number} number @param {number} bytes */
  sent(number, bytes) {
    this.parts.set(number, bytes);
    let sum = 0;
    for (const each of this.parts.values()) sum += each;
    this.tell({ sent: sum });
  }

  /** @param {Partial<Standing>} news */
  tell(news) {
    if (this.signal.aborted && news.stage !== "paused" && news.stage !== "failed") return;
    this.standing = { ...this.standing, ...news };
    this.changed(this.standing);
  }
}

export { Refused, Unreadable };
