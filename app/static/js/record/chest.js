/** What was recorded and not yet taken by the store, kept in the browser: a closed tab or a dead battery loses the last
 * second and no more. Each piece is kept under its place in the recording, and thrown away once it has arrived. */

import { Kept } from "../kept.js";

const TAKES = "takes";
const PIECES = "pieces";

/** A recording. `size` is how far it has come; `ended` that nothing more will come; `print` stands for it when it is
 * announced, so that announcing it twice makes no second one.
 * @typedef {{id: string, case: string, name: string, type: string, recorder: string, print: string, begun: number,
 *   size: number, ended: boolean, item: string | null, address: string | null}} Take
 * @typedef {{offset: number, blob: Blob}} Piece */

export class Chest {
  constructor() {
    this.kept = new Kept("assay-recordings", [TAKES, PIECES]);
  }

  /** @param {Take} take */
  async save(take) {
    await this.kept.put(TAKES, take.id, { ...take }).catch(() => {});
  }

  /** @param {Take} take @param {Piece} piece */
  async add(take, piece) {
    await this.kept.put(PIECES, [take.id, piece.offset], piece).catch(() => {});
    await this.save(take);
  }

  /** Forget what lies before this place: it has arrived.
   * @param {Take} take @param {number} offset */
  async arrived(take, offset) {
    await this.kept.remove(PIECES, IDBKeyRange.bound([take.id, 0], [take.id, offset], false, true)).catch(() => {});
  }

  /** @param {Take} take @returns {Promise<Piece[]>} in order */
  async pieces(take) {
    return this.kept.all(PIECES, IDBKeyRange.bound([take.id, 0], [take.id, Infinity])).catch(() => []);
  }

  /** @param {Take} take */
  async forget(take) {
    await this.arrived(take, Infinity);
    await this.kept.remove(TAKES, take.id).catch(() => {});
  }

  /** The recordings of a case that no open page is taking or sending right now.
   * @param {string} caseId @returns {Promise<Take[]>} */
  async left(caseId) {
    /** @type {Take[]} */
    const takes = await this.kept.all(TAKES).catch(() => []);
    const held = await navigator.locks?.query();
    const busy = new Set(held?.held?.map((lock) => lock.name));
    return takes.filter((take) => take.case === caseId && !busy.has(lockOf(take)));
  }
}

/** Hold a take for as long as the act lasts, so that no other page sends it too.
 * @template T @param {Take} take @param {() => Promise<T>} act @returns {Promise<T>} */
export function holding(take, act) {
  return navigator.locks ? navigator.locks.request(lockOf(take), act) : act();
}

/** @param {Take} take */
const lockOf = (take) => `assay-take-${take.id}`;
