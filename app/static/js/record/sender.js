/** Sends a recording part by part while it is being taken, and puts it together at its end. A line that drops is waited
 * for without end: the pieces stay in the browser until they are taken. */

import { askPatiently } from "../upload/api.js";
import { sha256 } from "../upload/digest.js";
import { attempts } from "../upload/patience.js";
import { NotTaken, put } from "../upload/put.js";

/** Some of the recording is neither in the store nor in this browser. */
export class Gap extends Error {}

/** @typedef {import("./chest.js").Take} Take
 * @typedef {import("./chest.js").Piece} Piece
 * @typedef {import("../upload/api.js").Item & {upload: import("../upload/api.js").Upload}} Begun
 * @typedef {{sent: number, wait: number | null}} News */

export class Sender {
  /** @param {Take} take @param {import("./chest.js").Chest} chest @param {string} announce
   * @param {(news: News) => void} changed */
  constructor(take, chest, announce, changed) {
    this.take = take;
    this.chest = chest;
    this.announce = announce;
    this.changed = changed;
    this.abort = new AbortController();
    /** @type {Piece[]} what has not arrived yet, in order */
    this.pieces = [];
    /** @type {Begun | null} */
    this.item = null;
    this.sent = 0;
    /** @type {Promise<unknown>} */
    this.written = Promise.resolve();
    this.grown = () => {};
  }

  /** How many bytes there is surely room for; null while that is not known. */
  get room() {
    const upload = this.item?.upload;
    return upload ? (upload.part_count - 1) * upload.part_size : null;
  }

  /** Make room for it. Rejects with Refused when there is none, with Away when the line is.
   * @param {number} [tries] */
  async begin(tries = Infinity) {
    if (this.item) return this.item;
    const { take } = this;
    if (take.address) {
      this.item = await this.ask("GET", take.address, undefined, tries);
    } else {
      const announcement = {
        file_name: take.name,
        size: null,
        media_type: take.type,
        fingerprint: take.print,
        recorded_with: take.recorder,
      };
      this.item = await this.ask("POST", this.announce, announcement, tries);
    }
    const item = /** @type {Begun} */ (this.item);
    take.item = item.id;
    take.address = item.links.self;
    await this.chest.save(take);
    return item;
  }

  /** The next second or so of it.
   * @param {Blob} blob */
  add(blob) {
    const piece = { offset: this.take.size, blob };
    this.take.size += blob.size;
    this.pieces.push(piece);
    const { take } = this;
    this.written = this.written.then(() => this.chest.add(take, piece));
    this.grown();
  }

  /** Nothing more comes. */
  end() {
    this.take.ended = true;
    this.written = this.written.then(() => this.chest.save(this.take));
    this.grown();
  }

  /** Take up what an earlier page left. */
  async recover() {
    this.pieces = await this.chest.pieces(this.take);
    const last = this.pieces.at(-1);
    this.take.size = Math.max(this.take.size, last ? last.offset + last.blob.size : 0);
    this.end();
  }

  /** Send what comes, until its end. @returns {Promise<Begun>} the item, stored */
  async run() {
    const item = await this.begin();
    const there = new Set((item.upload?.there ?? []).map((part) => part.number));
    if (["announced", "uploading"].includes(item.state)) {
      const size = item.upload.part_size;
      for (let number = 1; await this.reaches(number, size); number += 1) {
        const end = Math.min(number * size, this.take.size);
        if (!there.has(number)) await this.send(item, number, this.cut((number - 1) * size, end));
        this.drop(end);
      }
      await this.ask("POST", item.links.complete, { size: this.take.size });
    }
    await this.written;
    await this.chest.forget(this.take);
    return item;
  }

  /** Take it back, here and with the server. */
  async remove() {
    this.abort.abort();
    const address = this.take.address;
    await this.written;
    await this.chest.forget(this.take);
    this.abort = new AbortController();
    if (address) await this.ask("DELETE", address, undefined, 4);
  }

  /** Wait until a part is full, or is the last; false when there is no such part.
   * @param {number} number @param {number} size */
  async reaches(number, size) {
    while (!this.take.ended && this.take.size < number * size) {
      await new Promise((resolve) => (this.grown = () => resolve(undefined)));
      this.abort.signal.throwIfAborted();
    }
    return this.take.size > (number - 1) * size;
  }

  /** @param {number} start @param {number} end @returns {Blob} */
  cut(start, end) {
    const inside = this.pieces.filter(({ offset, blob }) => offset + blob.size > start && offset < end);
    const parts = inside.map(({ offset, blob }) => blob.slice(Math.max(0, start - offset), Math.min(blob.size, end - offset)));
    const whole = new Blob(parts);
    if (whole.size !== end - start) throw new Gap();
    return whole;
  }

  /** @param {Begun} item @param {number} number @param {Blob} piece */
  async send(item, number, piece) {
    const named = { number, sha256: await sha256(piece), size: piece.size };
    const once = async () => {
      const { parts } = await this.ask("POST", item.links.parts, { parts: [named] });
      const etag = await put(parts[0], piece, (sent) => this.tell({ sent: this.sent + Math.min(sent, piece.size) }), this.abort.signal);
      await this.ask("PUT", item.links.parts, { parts: [{ ...named, etag }] });
    };
    await attempts(once, (error) => error instanceof NotTaken && error.status !== 404, this.patience(Infinity));
  }

  /** Everything before this place has arrived.
   * @param {number} end */
  drop(end) {
    this.sent = end;
    const arrived = this.pieces.filter(({ offset, blob }) => offset + blob.size <= end);
    this.pieces = this.pieces.slice(arrived.length);
    // a piece that reaches beyond the part is kept whole
    const kept = this.pieces[0]?.offset ?? end;
    this.written = this.written.then(() => this.chest.arrived(this.take, kept));
    this.tell({ sent: end });
  }

  /** @param {string} method @param {string} address @param {unknown} body @param {number} [tries] */
  ask(method, address, body, tries = Infinity) {
    return askPatiently(method, address, body, this.patience(tries));
  }

  /** @param {number} tries */
  patience(tries) {
    return { signal: this.abort.signal, tries, waiting: (/** @type {number | null} */ wait) => this.tell({ wait }) };
  }

  /** @param {Partial<News>} news */
  tell(news) {
    this.changed({ sent: this.sent, wait: null, ...news });
  }
}
