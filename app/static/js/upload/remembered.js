/** The files that were chosen, kept as handles where the browser gives any: after a restart one press goes on, without
 * choosing them again. The bytes stay where they are; only where they are is kept. */

import { Kept } from "../kept.js";

const STORE = "files";

/** @typedef {{item: string, name: string, handle: any}} Remembered */

export class Memory {
  constructor() {
    this.kept = new Kept("assay-uploads", [STORE]);
  }

  /** @param {string} item @param {string} name @param {any} handle */
  async remember(item, name, handle) {
    if (handle) await this.kept.put(STORE, item, { item, name, handle }).catch(() => {});
  }

  /** @param {string} item */
  async forget(item) {
    await this.kept.remove(STORE, item).catch(() => {});
  }

  /** @param {string} item @returns {Promise<Remembered | null>} */
  async find(item) {
    return (await this.kept.get(STORE, item).catch(() => null)) ?? null;
  }
}

/** The file behind a handle, once the person allows it; null when they do not, or it is gone. Call it on a press.
 * @param {any} handle @returns {Promise<File | null>} */
export async function fileOf(handle) {
  try {
    const allowed = (await handle.queryPermission?.({ mode: "read" })) ?? "granted";
    if (allowed !== "granted" && (await handle.requestPermission({ mode: "read" })) !== "granted") return null;
    return await handle.getFile();
  } catch {
    return null;
  }
}
