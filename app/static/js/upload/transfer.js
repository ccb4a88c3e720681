/** One file's way to the store: announced, its missing parts sent several at a time, put together. It can be paused,
 * and begun again at any time on any page: what is there already is compared and does not travel again. */

import { Refused, askPatiently } from "./api.js";
import { Unreadable, fingerprint, sha256 } from "./digest.js";
import { attempts } from "./patience.js";
import { NotTaken, put } from "./put.js";

/** Parts of one file that are read or sent at a time. */
const PARALLEL = 4;
/** How often the store may refuse a part (a link that ran out, a byte that was lost) before the file fails. */
const REFUSALS = 5;
/** How often a list of parts that the server finds wanting is mended before it is given up. */
const MENDINGS = 3;

/** The chosen file is not the one that was begun. */
export class OtherFile extends Error {}

/** @typedef {"queued" | "preparing" | "comparing" | "sending" | "waiting" | "finishing" | "paused" | "done" | "failed"} Stage
 * @typedef {{stage: Stage, sent: number, size: number, wait: number | null, error: unknown}} Standing */

export class Transfer {
  /** @param {File} file @param {string} announceAddress @param {import("./slots.js").Slots} slots
   * @param {(standing: Standing) => void} changed */
  constructor(file, announceAddress, slots, changed) {
    this.file = file;
    this.announceAddress = announceAddress;
    this.slots = slots;
    this.changed = changed;
    /** @type {import("./api.js").Plan | null} */
    this.plan = null;
    /** @type {Standing} */
    this.standing = { stage: "queued", sent: 0, size: file.size, wait: null, error: null };
    /** @type {Map<number, number>} bytes sent of each part */
    this.parts = new Map();
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
      await this.slots.run(() => this.wholeWay());
      this.tell({ stage: "done", sent: this.file.size });
    } catch (error) {
      const paused = this.abort.signal.aborted && !(error instanceof Refused);
      // what was on its way when another part failed must not go on by itself
      this.abort.abort();
      this.tell(paused ? { stage: "paused" } : { stage: "failed", error });
    }
  }

  pause() {
    this.abort.abort();
    if (this.standing.stage === "queued") this.tell({ stage: "paused" });
  }

  async wholeWay() {
    this.signal.throwIfAborted();
    this.tell({ stage: "preparing" });
    const announcement = {
      file_name: this.file.name,
      size: this.file.size,
      media_type: this.file.type,
      fingerprint: await fingerprint(this.file),
    };
    let plan = await this.ask("POST", this.announceAddress, announcement);
    for (let mendings = 0; ; mendings += 1) {
      if (await this.sendAndComplete(plan, mendings < MENDINGS)) return;
      plan = await this.ask("GET", plan.addresses.plan, undefined);
    }
  }

  /** True when the file is whole; false when the server found parts wanting, to look again what is there.
   * @param {import("./api.js").Plan} plan @param {boolean} mayMend */
  async sendAndComplete(plan, mayMend) {
    this.plan = plan;
    if (!["announced", "uploading"].includes(plan.state)) return true;
    const numbers = Array.from({ length: plan.part_count }, (_, index) => index + 1);
    try {
      await this.sendParts(plan);
      this.tell({ stage: "finishing" });
      await this.ask("POST", plan.addresses.complete, { parts: numbers });
      return true;
    } catch (error) {
      const wanting = error instanceof Refused && error.status === 409;
      const forgotten = error instanceof NotTaken && error.status === 404;
      if (mayMend && (wanting || forgotten)) return false;
      throw error;
    }
  }

  /** @param {import("./api.js").Plan} plan */
  async sendParts(plan) {
    const there = new Map(plan.there.map((part) => [part.number, part.sha256]));
    this.parts.clear();
    this.tell({ stage: there.size ? "comparing" : "sending" });
    let next = 1;
    const work = async () => {
      while (next <= plan.part_count) {
        this.signal.throwIfAborted();
        const number = next++;
        const known = there.get(number);
        if (known) await this.compare(plan, number, known);
        else await this.send(plan, number);
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL, plan.part_count) }, work));
  }

  /** A part that is there must be a part of this very file.
   * @param {import("./api.js").Plan} plan @param {number} number @param {string} known */
  async compare(plan, number, known) {
    const piece = this.piece(plan, number);
    if ((await sha256(piece)) !== known) throw new OtherFile();
    this.sent(number, piece.size);
  }

  /** Each try reads, signs and sends anew: a link may have run out, and a byte may have been lost on the way.
   * @param {import("./api.js").Plan} plan @param {number} number */
  async send(plan, number) {
    const piece = this.piece(plan, number);
    /** @type {Map<number, number>} how often the store said no, by status */
    const refusals = new Map();
    const once = async () => {
      const digest = await sha256(piece);
      this.signal.throwIfAborted();
      const named = { number, sha256: digest };
      const { parts } = await this.ask("POST", plan.addresses.sign, { parts: [named] });
      const etag = await put(parts[0], piece, (sent) => this.sent(number, Math.min(sent, piece.size)), this.signal);
      await this.ask("POST", plan.addresses.record, { parts: [{ ...named, etag }] });
    };
    const passing = (/** @type {unknown} */ error) => {
      this.sent(number, 0);
      if (!(error instanceof NotTaken)) return false;
      const times = (refusals.get(error.status) ?? 0) + 1;
      refusals.set(error.status, times);
      return error.status === 0 || error.status >= 500 || (error.status !== 404 && times < REFUSALS);
    };
    await attempts(once, passing, this.patience);
    this.sent(number, piece.size);
  }

  /** @param {import("./api.js").Plan} plan @param {number} number */
  piece(plan, number) {
    const start = (number - 1) * plan.part_size;
    return this.file.slice(start, Math.min(start + plan.part_size, this.file.size));
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
    this.tell({ stage: this.standing.stage === "waiting" ? "waiting" : "sending", sent: sum });
  }

  /** @param {Partial<Standing>} news */
  tell(news) {
    if (this.signal.aborted && news.stage !== "paused" && news.stage !== "failed") return;
    this.standing = { ...this.standing, ...news };
    this.changed(this.standing);
  }
}

export { Refused, Unreadable };
