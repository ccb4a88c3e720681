/** All files together: one bar, one line of words, one button to pause and one to go on. */

import { Speed } from "./speed.js";
import { size } from "./words.js";

const REDRAW = 300;
const QUARTERS = 4;

export class All {
  /** @param {HTMLElement} root @param {import("./words.js").Words} words
   * @param {(text: string) => void} announce @param {{pause: () => void, resume: () => void}} acts */
  constructor(root, words, announce, acts) {
    this.root = root;
    this.words = words;
    this.announce = announce;
    this.drawnAt = 0;
    this.quarter = 0;
    this.stages = "";
    this.speed = new Speed();
    this.bar = /** @type {HTMLProgressElement} */ (this.part("bar"));
    this.part("pause").addEventListener("click", acts.pause);
    this.part("resume").addEventListener("click", acts.resume);
  }

  /** @param {string} name */
  part(name) {
    return /** @type {HTMLElement} */ (this.root.querySelector(`[data-all-${name}]`));
  }

  /** @param {import("./transfer.js").Standing[]} standings of all files since there was none */
  show(standings) {
    const busy = standings.filter(({ stage }) => !["paused", "done", "failed"].includes(stage)).length;
    this.root.hidden = standings.length < 2;
    if (this.root.hidden) return;
    const now = performance.now();
    const stages = standings.map(({ stage }) => stage).join();
    if (busy && now - this.drawnAt < REDRAW && stages === this.stages) return;
    this.drawnAt = now;
    this.stages = stages;
    const sum = (/** @type {"sent" | "size"} */ what) => standings.reduce((total, one) => total + one[what], 0);
    if (busy) this.speed.seen(sum("sent"));
    else this.speed.rest();
    this.draw(sum("sent"), sum("size"), standings);
    this.part("pause").hidden = !busy;
    this.part("resume").hidden = !standings.some(({ stage }) => stage === "paused");
  }

  /** @param {number} sent @param {number} all @param {import("./transfer.js").Standing[]} standings */
  draw(sent, all, standings) {
    this.bar.max = all || 1;
    this.bar.value = sent;
    const files = { here: standings.filter(({ stage }) => stage === "done").length, count: standings.length };
    this.part("title").textContent = this.words.say("files", files);
    const figures = { done: size(sent), all: size(all) };
    const left = this.speed.secondsFor(all - sent);
    const words = left === null ? this.words.say("sending", figures) : this.words.say("left", { ...figures, time: this.words.time(left) });
    this.part("text").textContent = navigator.onLine ? words : this.words.say("waiting");
    this.tellQuarter(sent, all, files);
  }

  /** Those who listen are told four times in all, not with every part.
   * @param {number} sent @param {number} all @param {{here: number, count: number}} files */
  tellQuarter(sent, all, files) {
    const quarter = Math.floor((QUARTERS * sent) / (all || 1));
    if (quarter > this.quarter && quarter < QUARTERS) this.announce(this.words.say("files", files));
    this.quarter = quarter;
  }
}
