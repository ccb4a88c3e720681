/** The part of a case's page where files are added: takes chosen files, runs their transfers, keeps the list true. */

import { Row } from "./row.js";
import { Slots } from "./slots.js";
import { Transfer } from "./transfer.js";
import { Words, size } from "./words.js";

/** Files that travel at a time; each sends a few parts at a time. */
const FILES = 2;

export class Region {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.words = new Words(root.dataset.words ?? "{}");
    this.slots = new Slots(FILES);
    /** @type {Map<Transfer, Row>} */
    this.transfers = new Map();
    this.form = /** @type {HTMLFormElement} */ (this.find("[data-upload-form]"));
    this.input = /** @type {HTMLInputElement} */ (this.form.querySelector("input[type=file]"));
    this.list = this.find("[data-upload-list]");
    this.items = /** @type {HTMLElement} */ (document.querySelector("[data-item-list]"));
    /** @type {string | null} the file that a line asked for by its name */
    this.wanted = null;
  }

  /** @param {string} selector */
  find(selector) {
    return /** @type {HTMLElement} */ (this.root.querySelector(selector));
  }

  watch() {
    this.input.addEventListener("change", () => this.take());
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.items.addEventListener("click", (event) => this.again(event));
    addEventListener("beforeunload", (event) => {
      if (this.underWay().length) event.preventDefault();
    });
  }

  underWay() {
    return [...this.transfers.keys()].filter((transfer) => transfer.busy);
  }

  /** The files that were just chosen. */
  take() {
    const files = [...(this.input.files ?? [])];
    this.input.value = "";
    const wanted = this.wanted;
    this.wanted = null;
    this.note("");
    if (!globalThis.crypto?.subtle) return this.note(this.words.say("insecure"));
    if (wanted && files.length && !files.some((file) => file.name === wanted)) {
      return this.note(this.words.say("mismatch", { name: wanted }));
    }
    for (const file of files) this.start(file);
  }

  /** “Go on” on a line of an unfinished upload: choose its file again.
   * @param {MouseEvent} event */
  again(event) {
    const button = /** @type {Element} */ (event.target).closest("[data-upload-again]");
    if (!(button instanceof HTMLElement)) return;
    this.wanted = button.dataset.uploadAgain || null;
    this.input.click();
  }

  /** @param {File} file */
  start(file) {
    const same = [...this.transfers.keys()].find(
      (other) => other.file.name === file.name && other.file.size === file.size && other.file.lastModified === file.lastModified,
    );
    if (same?.busy) return;
    if (same) this.drop(same);
    const transfer = new Transfer(file, this.root.dataset.announce ?? "", this.slots, (standing) => {
      row.show(standing);
      this.heard(transfer, standing);
    });
    const row = new Row(this.newLine(), file.name, this.words, {
      pause: () => transfer.pause(),
      resume: () => void this.run(transfer),
      dismiss: () => this.drop(transfer),
    });
    this.transfers.set(transfer, row);
    row.show(transfer.standing);
    this.announce(this.words.say("begun", { name: file.name }));
    void this.run(transfer);
  }

  newLine() {
    const template = /** @type {HTMLTemplateElement} */ (this.find("[data-upload-template]"));
    const made = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const line = /** @type {HTMLElement} */ (made.firstElementChild);
    line.removeAttribute("id");
    this.list.append(line);
    this.list.hidden = false;
    return line;
  }

  /** @param {Transfer} transfer */
  async run(transfer) {
    await transfer.run();
    const { stage } = transfer.standing;
    if (stage === "done") await this.arrived(transfer);
    if (stage === "failed") this.announce(this.words.say("failed", { name: transfer.file.name }));
  }

  /** @param {Transfer} transfer @param {import("./transfer.js").Standing} standing */
  heard(transfer, standing) {
    const line = transfer.plan && document.getElementById(`item-${transfer.plan.item_id}`);
    if (line) line.hidden = standing.stage !== "done" && standing.stage !== "failed";
    this.showAll();
  }

  /** The server's own line takes the place of ours: it knows how the check goes.
   * @param {Transfer} transfer */
  async arrived(transfer) {
    this.announce(this.words.say("done", { name: transfer.file.name }));
    const plan = transfer.plan;
    const line = plan && (await lineOf(plan.addresses.row));
    if (!line) return;
    const old = document.getElementById(line.id);
    if (old) old.replaceWith(line);
    else this.items.append(line);
    this.items.hidden = false;
    document.querySelector("[data-item-none]")?.remove();
    /** @type {any} */ (globalThis).htmx?.process(line);
    this.drop(transfer);
  }

  /** @param {Transfer} transfer */
  drop(transfer) {
    this.transfers.get(transfer)?.line.remove();
    this.transfers.delete(transfer);
    this.list.hidden = this.list.childElementCount === 0;
    this.showAll();
  }

  /** One figure for all files, where there are several. */
  showAll() {
    const standings = this.underWay().map((transfer) => transfer.standing);
    const all = this.find("[data-upload-all]");
    all.hidden = standings.length < 2;
    if (all.hidden) return;
    const sum = (/** @type {"sent" | "size"} */ what) => size(standings.reduce((total, one) => total + one[what], 0));
    all.textContent = this.words.say("all", { count: standings.length, done: sum("sent"), all: sum("size") });
  }

  /** Why the chosen files were not taken; '' when they were.
   * @param {string} text */
  note(text) {
    const note = this.find("[data-upload-note]");
    note.hidden = !text;
    note.textContent = text;
  }

  /** Tell those who do not see the lines.
   * @param {string} text */
  announce(text) {
    this.find("[data-upload-say]").textContent = text;
  }
}

/** @param {string} address @returns {Promise<HTMLElement | null>} */
async function lineOf(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok) return null;
    const made = new DOMParser().parseFromString(await answer.text(), "text/html");
    return document.adoptNode(/** @type {HTMLElement | null} */ (made.querySelector("[data-item]")));
  } catch {
    return null;
  }
}
