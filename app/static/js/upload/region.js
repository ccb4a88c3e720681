/** The part of a case's page where files are added: takes chosen files, runs their transfers, keeps the list true. */

import { awake } from "../awake.js";
import { All } from "./all.js";
import { watchChoices } from "./choosing.js";
import { Line } from "./line.js";
import { Memory, fileOf } from "./remembered.js";
import { Row } from "./row.js";
import { Slots } from "./slots.js";
import { Transfer } from "./transfer.js";
import { Words, size } from "./words.js";

/** Files that are in hand at a time; the line says how many parts of them travel. */
const FILES = 3;

/** @typedef {import("./choosing.js").Chosen} Chosen
 * @typedef {{id: string, name: string, size: number, fingerprint: string}} Wanted */

export class Region {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.words = new Words(root.dataset.words ?? "{}");
    this.way = { announce: root.dataset.announce ?? "", files: new Slots(FILES), line: new Line() };
    this.memory = new Memory();
    /** @type {Set<string>} items whose files are remembered */
    this.remembered = new Set();
    /** @type {Map<Transfer, Row>} those that are shown */
    this.rows = new Map();
    /** @type {Transfer[]} all since nothing was under way */
    this.batch = [];
    this.form = /** @type {HTMLFormElement} */ (this.find("[data-upload-form]"));
    this.list = this.find("[data-upload-list]");
    this.items = /** @type {HTMLElement} */ (document.querySelector("[data-item-list]"));
    /** @type {Wanted | null} the unfinished upload whose file is asked for */
    this.wanted = null;
    this.stayAwake = awake(() => this.underWay().length > 0);
    this.all = new All(this.find("[data-upload-all]"), this.words, (text) => this.announce(text), {
      pause: () => this.underWay().forEach((transfer) => transfer.pause()),
      resume: () => this.paused().forEach((transfer) => void this.run(transfer)),
    });
  }

  /** @param {string} selector */
  find(selector) {
    return /** @type {HTMLElement} */ (this.root.querySelector(selector));
  }

  watch() {
    const input = /** @type {HTMLInputElement} */ (this.form.querySelector("input[type=file]"));
    const section = /** @type {HTMLElement} */ (this.root.closest("section") ?? this.root);
    this.choose = watchChoices(section, input, (chosen) => void this.take(chosen));
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.items.addEventListener("click", (event) => void this.again(event));
    addEventListener("beforeunload", (event) => {
      if (this.underWay().length) event.preventDefault();
    });
    for (const kind of ["online", "offline"]) addEventListener(kind, () => this.showLine());
    void this.recall();
  }

  underWay() {
    return this.batch.filter((transfer) => transfer.busy);
  }

  paused() {
    return this.batch.filter(({ standing }) => standing.stage === "paused");
  }

  /** Say of each unfinished file whether the browser still knows where it is. */
  async recall() {
    for (const line of this.items.querySelectorAll("[data-upload-again]")) {
      const button = /** @type {HTMLElement} */ (line);
      const known = await this.memory.find(button.dataset.uploadItem ?? "");
      const hint = button.closest("[data-item]")?.querySelector("[data-upload-hint]");
      if (known && hint) hint.textContent = this.words.say("remembered", { name: known.name });
    }
  }

  /** “Go on” on a line of an unfinished upload: its file is known still, or is asked for.
   * @param {MouseEvent} event */
  async again(event) {
    const button = /** @type {Element} */ (event.target).closest("[data-upload-again]");
    if (!(button instanceof HTMLElement)) return;
    const { uploadAgain: name = "", uploadItem: id = "", size: bytes, fingerprint = "" } = button.dataset;
    const wanted = { id, name, size: Number(bytes), fingerprint };
    const known = await this.memory.find(id);
    const file = known && (await fileOf(known.handle));
    this.note("");
    if (file && file.size === wanted.size) return this.start({ file, handle: known?.handle }, wanted.fingerprint);
    if (known) await this.memory.forget(id);
    this.wanted = wanted;
    await this.choose?.();
  }

  /** The files that were just chosen.
   * @param {Chosen[]} chosen */
  async take(chosen) {
    const wanted = this.wanted;
    this.wanted = null;
    this.note("");
    const match = wanted && (chosen.find(({ file }) => file.size === wanted.size && file.name === wanted.name) ?? chosen.find(({ file }) => file.size === wanted.size));
    if (wanted && chosen.length && !match) {
      this.note(this.words.say("mismatch", { name: wanted.name, size: size(wanted.size) }));
      return;
    }
    if (chosen.length > 1) this.announce(this.words.say("begunMany", { count: chosen.length }));
    else if (chosen.length) this.announce(this.words.say("begun", { name: chosen[0].file.name }));
    for (const one of chosen) this.start(one, one === match ? (wanted?.fingerprint ?? "") : "");
  }

  /** @param {Chosen} chosen @param {string} fingerprint */
  start({ file, handle }, fingerprint) {
    const same = [...this.rows.keys()].find(
      ({ file: other }) => other.name === file.name && other.size === file.size && other.lastModified === file.lastModified,
    );
    if (same?.busy) return;
    if (same) this.drop(same);
    if (!this.underWay().length) this.batch = this.paused();
    const transfer = new Transfer(file, fingerprint, this.way, (standing) => {
      row.show(standing);
      this.heard(transfer, handle);
    });
    const row = new Row(this.newLine(), file.name, this.words, {
      pause: () => transfer.pause(),
      resume: () => void this.run(transfer),
      dismiss: () => this.drop(transfer),
      remove: () => void this.remove(transfer),
    });
    this.rows.set(transfer, row);
    this.batch.push(transfer);
    row.show(transfer.standing);
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
    this.stayAwake();
  }

  /** @param {Transfer} transfer @param {any} handle */
  heard(transfer, handle) {
    const { item, standing, file } = transfer;
    const line = item && document.getElementById(`item-${item.id}`);
    if (line) line.hidden = standing.stage !== "done" && standing.stage !== "failed";
    if (item && standing.stage === "sending" && handle && !this.remembered.has(item.id)) {
      this.remembered.add(item.id);
      void this.memory.remember(item.id, file.name, handle);
    }
    this.showAll();
    this.stayAwake();
  }

  /** The server's own line takes the place of ours: it knows how the check goes.
   * @param {Transfer} transfer */
  async arrived(transfer) {
    const { item, file } = transfer;
    if (item) await this.memory.forget(item.id);
    if (this.batch.length < 2) this.announce(this.words.say("done", { name: file.name }));
    else if (!this.underWay().length) this.announce(this.outcome());
    const line = item && (await lineOf(item.links.row));
    if (!line) return;
    const old = document.getElementById(line.id);
    if (old) old.replaceWith(line);
    else this.items.append(line);
    this.items.hidden = false;
    document.querySelector("[data-item-none]")?.remove();
    /** @type {any} */ (globalThis).htmx?.process(line);
    changed();
    this.drop(transfer);
  }

  /** What there is to say when no file is on its way any more: some may have failed or be paused. */
  outcome() {
    const here = this.batch.filter(({ standing }) => standing.stage === "done").length;
    const count = this.batch.length;
    return here === count ? this.words.say("allDone", { count }) : this.words.say("files", { here, count });
  }

  /** @param {Transfer} transfer */
  async remove(transfer) {
    const row = this.rows.get(transfer);
    if (row) row.line.inert = true;
    try {
      await transfer.remove();
    } catch {
      if (row) row.line.inert = false;
      this.note(this.words.say("notRemoved", { name: transfer.file.name }));
      return;
    }
    if (transfer.item) {
      await this.memory.forget(transfer.item.id);
      document.getElementById(`item-${transfer.item.id}`)?.remove();
      changed();
    }
    this.batch = this.batch.filter((other) => other !== transfer);
    this.drop(transfer);
    this.announce(this.words.say("removed", { name: transfer.file.name }));
  }

  /** @param {Transfer} transfer */
  drop(transfer) {
    this.rows.get(transfer)?.line.remove();
    this.rows.delete(transfer);
    if (transfer.standing.stage === "failed") this.batch = this.batch.filter((other) => other !== transfer);
    this.list.hidden = this.list.childElementCount === 0;
    this.showAll();
  }

  showAll() {
    this.all.show(this.rows.size ? this.batch.map((transfer) => transfer.standing) : []);
  }

  showLine() {
    if (this.underWay().length) this.announce(this.words.say(navigator.onLine ? "online" : "waiting"));
    this.showAll();
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

/** Let other parts of the page look again: what is next may be another thing now. */
export function changed() {
  document.body.dispatchEvent(new CustomEvent("evidence:changed"));
}

/** @param {string} address @returns {Promise<HTMLElement | null>} */
export async function lineOf(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok) return null;
    const made = new DOMParser().parseFromString(await answer.text(), "text/html");
    return document.adoptNode(/** @type {HTMLElement | null} */ (made.querySelector("[data-item]")));
  } catch {
    return null;
  }
}
