/** Sends one part to the store by a signed link. XMLHttpRequest, because fetch does not tell how far a body has come. */

/** The store did not take the part. 403: the link is not good (any more). 400: the bytes are not those that were signed. */
export class NotTaken extends Error {
  /** @param {number} status 0 when the line broke */
  constructor(status) {
    super(`the store answered ${status}`);
    this.status = status;
  }
}

/** How long a part may make no progress before the line counts as broken. */
const SILENCE = 60000;

/** @param {{url: string, headers: Record<string, string>}} link @param {Blob} body
 * @param {(sent: number) => void} progress @param {AbortSignal} signal @returns {Promise<string>} the part's ETag */
export function put(link, body, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer = 0;
    const listen = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), SILENCE);
    };
    const stop = () => request.abort();
    const settle = (/** @type {() => void} */ act) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      act();
    };
    request.upload.addEventListener("progress", (event) => {
      listen();
      progress(event.loaded);
    });
    request.addEventListener("load", () => {
      // the store tells it to our pages only where it took the part
      const etag = request.status === 200 && request.getResponseHeader("ETag");
      settle(() => (etag ? resolve(etag) : reject(new NotTaken(request.status))));
    });
    for (const kind of ["error", "abort"]) {
      request.addEventListener(kind, () => settle(() => reject(new NotTaken(0))));
    }
    signal.addEventListener("abort", stop);
    request.open("PUT", link.url);
    for (const [name, value] of Object.entries(link.headers)) request.setRequestHeader(name, value);
    listen();
    request.send(body);
  });
}
