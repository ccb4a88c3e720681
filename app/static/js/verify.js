/** Compares files with the digests of a credential, here in the browser: no byte of them is sent anywhere. */

const numbers = new Intl.NumberFormat(document.documentElement.lang || undefined, { style: "percent" });

/** @typedef {{ root: HTMLElement, known: Map<string, string>, results: HTMLElement }} Compare */

/** @param {Compare} compare @param {string} name
 * @returns {HTMLElement} */
function row(compare, name) {
  const template = /** @type {HTMLTemplateElement} */ (compare.root.querySelector(`template[data-row="${name}"]`));
  return /** @type {HTMLElement} */ (/** @type {Element} */ (template.content.firstElementChild).cloneNode(true));
}

/** @param {string} words @param {Record<string, string>} values */
function filled(words, values) {
  return words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** @param {Compare} compare @param {string} result @param {string} file @param {string} words
 * @returns {HTMLElement} */
function verdict(compare, result, file, words) {
  const item = row(compare, result);
  /** @type {Element} */ (item.querySelector(".check-name")).textContent = file;
  /** @type {Element} */ (item.querySelector(".check-detail")).textContent = words;
  return item;
}

/** @param {Compare} compare @param {File} file @param {string} hex */
function judged(compare, file, hex) {
  const words = compare.root.dataset;
  const name = compare.known.get(hex);
  if (name === undefined) return verdict(compare, "fail", file.name, filled(words.none ?? "", { digest: hex }));
  return verdict(compare, "pass", file.name, filled(words.match ?? "", { name, digest: hex }));
}

/** @param {Compare} compare @param {File} file @param {Hasher} hasher */
async function add(compare, file, hasher) {
  const waiting = row(compare, "busy");
  const bar = /** @type {HTMLProgressElement} */ (waiting.querySelector("progress"));
  /** @type {Element} */ (waiting.querySelector(".check-name")).textContent = file.name;
  bar.setAttribute("aria-label", file.name);
  compare.results.prepend(waiting);
  try {
    const hex = await hasher.digest(file, (done) => {
      bar.max = file.size || 1;
      bar.value = done;
      /** @type {Element} */ (waiting.querySelector(".check-word")).textContent = numbers.format(done / (file.size || 1));
    });
    waiting.replaceWith(judged(compare, file, hex));
  } catch {
    waiting.replaceWith(verdict(compare, "unknown", file.name, compare.root.dataset.failed ?? ""));
  }
}

class Hasher {
  constructor() {
    this.worker = new Worker(new URL("./hash-worker.js", import.meta.url), { type: "module" });
    this.next = 1;
    /** @type {Map<number, {progress: (done: number) => void, done: (hex: string) => void, failed: () => void}>} */
    this.waiting = new Map();
    this.worker.addEventListener("message", (event) => this.hear(event.data));
    this.worker.addEventListener("error", () => this.fail());
  }

  /** @param {File} file @param {(done: number) => void} progress
   * @returns {Promise<string>} */
  digest(file, progress) {
    const id = this.next++;
    return new Promise((done, failed) => {
      this.waiting.set(id, { progress, done, failed });
      this.worker.postMessage({ id, file });
    });
  }

  /** @param {{id: number, done?: number, hex?: string, failed?: boolean}} message */
  hear({ id, done, hex, failed }) {
    const one = this.waiting.get(id);
    if (!one) return;
    if (done !== undefined) return one.progress(done);
    this.waiting.delete(id);
    if (failed || hex === undefined) return one.failed();
    one.done(hex);
  }

  fail() {
    for (const one of this.waiting.values()) one.failed();
    this.waiting.clear();
  }
}

/** @type {Hasher | undefined} */
let hasher;

/** @param {Element} root */
function start(root) {
  if (!(root instanceof HTMLElement) || root.dataset.bound) return;
  root.dataset.bound = "yes";
  const known = new Map();
  for (const item of root.querySelectorAll("[data-sha256]")) known.set(item.getAttribute("data-sha256"), item.textContent?.trim() ?? "");
  const compare = { root, known, results: /** @type {HTMLElement} */ (root.querySelector("[data-results]")) };
  root.querySelector("input[type=file]")?.addEventListener("change", (event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    hasher ??= new Hasher();
    for (const file of input.files ?? []) add(compare, file, hasher);
    input.value = "";
  });
}

function startAll() {
  for (const root of document.querySelectorAll("[data-compare]")) start(root);
}

document.addEventListener("htmx:after:swap", startAll);
startAll();
