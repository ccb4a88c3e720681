/** Recordings that were not brought to their end: what this browser still holds of them can be sent, and what is with
 * the server can be kept as it is. */

import { Refused, askPatiently } from "../upload/api.js";
import { Words, size } from "../upload/words.js";
import { holding } from "./chest.js";
import { Gap, Sender } from "./sender.js";
import { showItem } from "./studio.js";

export class Left {
  /** @param {HTMLElement} root @param {import("./chest.js").Chest} chest */
  constructor(root, chest) {
    this.root = root;
    this.chest = chest;
    this.words = new Words(root.dataset.words ?? "{}");
    this.list = /** @type {HTMLElement} */ (root.querySelector("[data-left-list]"));
    for (const line of this.list.querySelectorAll("[data-begun]")) this.bindServers(/** @type {HTMLElement} */ (line));
  }

  /** Show what this browser holds; of those the server's own line goes, for here there is more. */
  async look() {
    for (const line of this.list.querySelectorAll("[data-take]")) line.remove();
    const takes = await this.chest.left(this.root.dataset.case ?? "");
    for (const take of takes) {
      if (take.size) this.show(take);
      else await this.chest.forget(take);
    }
    this.root.hidden = !this.list.childElementCount;
  }

  /** @param {import("./chest.js").Take} take */
  show(take) {
    this.list.querySelector(`[data-begun="${take.item}"]`)?.remove();
    const template = /** @type {HTMLTemplateElement} */ (this.root.querySelector("template"));
    const line = /** @type {HTMLElement} */ (/** @type {Element} */ (template.content.firstElementChild).cloneNode(true));
    line.dataset.take = take.id;
    const facts = { size: size(take.size), time: new Date(take.begun).toLocaleString(document.documentElement.lang || undefined, { dateStyle: "medium", timeStyle: "short" }) };
    this.write(line, "name", take.name);
    this.write(line, "text", this.words.say("held", facts));
    this.bind(line, () => this.finish(line, take), () => new Sender(take, this.chest, this.root.dataset.announce ?? "", () => {}).remove());
    this.list.append(line);
  }

  /** @param {HTMLElement} line @param {import("./chest.js").Take} take */
  async finish(line, take) {
    const bar = /** @type {HTMLProgressElement} */ (line.querySelector("progress"));
    bar.hidden = false;
    bar.max = take.size;
    const sender = new Sender(take, this.chest, this.root.dataset.announce ?? "", ({ sent, wait }) => {
      bar.value = sent;
      this.write(line, "text", wait === null ? this.words.say("sending", { sent: size(sent), taken: size(take.size) }) : this.words.say("offline"));
    });
    await sender.recover();
    const item = await holding(take, () => sender.run());
    await showItem(item.links.row);
  }

  /** @param {HTMLElement} line */
  bindServers(line) {
    const { self = "", complete = "", row = "" } = line.dataset;
    const patience = { signal: new AbortController().signal, waiting: () => {}, tries: 5 };
    const finish = async () => {
      await askPatiently("POST", complete, {}, patience);
      await showItem(row);
    };
    this.bind(line, finish, () => askPatiently("DELETE", self, undefined, patience));
  }

  /** @param {HTMLElement} line @param {() => Promise<unknown>} finish @param {() => Promise<unknown>} remove */
  bind(line, finish, remove) {
    const acts = /** @type {HTMLElement} */ (line.querySelector("[data-left-acts]"));
    const sure = /** @type {HTMLElement} */ (line.querySelector("[data-left-sure]"));
    const ask = (/** @type {boolean} */ asking) => {
      acts.hidden = asking;
      sure.hidden = !asking;
      /** @type {HTMLElement} */ ((asking ? sure : acts).querySelector("button")).focus();
    };
    const on = (/** @type {string} */ name, /** @type {() => void} */ act) =>
      line.querySelector(`[data-left-${name}]`)?.addEventListener("click", act);
    on("finish", () => void this.run(line, finish));
    on("ask", () => ask(true));
    on("keep", () => ask(false));
    on("remove", () => void this.run(line, remove));
  }

  /** @param {HTMLElement} line @param {() => Promise<unknown>} act */
  async run(line, act) {
    const buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (line.querySelectorAll("button"));
    for (const button of buttons) button.disabled = true;
    try {
      await act();
      line.remove();
      this.root.hidden = !this.list.childElementCount;
    } catch (error) {
      for (const button of buttons) button.disabled = false;
      const words = error instanceof Gap ? this.words.say("gap") : error instanceof Refused ? error.message : this.words.say("failed");
      this.write(line, "text", words);
    }
  }

  /** @param {HTMLElement} line @param {string} name @param {string} text */
  write(line, name, text) {
    /** @type {HTMLElement} */ (line.querySelector(`[data-left-${name}]`)).textContent = text;
  }
}
