/** What a page keeps in the browser from one visit to the next, in IndexedDB. Where there is none, nothing is kept and
 * nothing fails. */

export class Kept {
  /** @param {string} name @param {string[]} stores */
  constructor(name, stores) {
    /** @type {Promise<IDBDatabase>} */
    this.opened = new Promise((resolve, reject) => {
      const asked = indexedDB.open(name, 1);
      asked.onupgradeneeded = () => {
        for (const store of stores) asked.result.createObjectStore(store);
      };
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
    this.opened.catch(() => {});
  }

  /** @template T @param {string} store @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest<T>} act @returns {Promise<T>} when it is safely written */
  async run(store, mode, act) {
    const database = await this.opened;
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(store, mode);
      const request = act(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error ?? request.error);
    });
  }

  /** @param {string} store @param {IDBValidKey} key @param {unknown} value */
  put(store, key, value) {
    return this.run(store, "readwrite", (kept) => kept.put(value, key));
  }

  /** @param {string} store @param {IDBValidKey} key @returns {Promise<any>} */
  get(store, key) {
    return this.run(store, "readonly", (kept) => kept.get(key));
  }

  /** @param {string} store @param {IDBValidKey | IDBKeyRange} key */
  remove(store, key) {
    return this.run(store, "readwrite", (kept) => kept.delete(key));
  }

  /** @param {string} store @param {IDBKeyRange} [range] @returns {Promise<any[]>} in the order of their keys */
  all(store, range) {
    return this.run(store, "readonly", (kept) => kept.getAll(range));
  }
}
