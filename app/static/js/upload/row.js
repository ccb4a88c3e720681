/** One file's line while it is on its way: what is shown of a transfer, and its buttons. */

import { OtherFile, Refused, Unreadable } from "./transfer.js";
import { size } from "./words.js";

const REDRAW = 200;
/** The speed is that of the last seconds. */
const WINDOW = 8000;

export class Row {
  /** @param {HTMLElement} line @param {string} name @param {import("./words.js").Words} words
   * @param {{pause: () => void, resume: () => void, dismiss: () => void}} acts */
  constructor(line, name, words, acts) {
    this.line = line;
    this.name = name;
    this.words = words;
    this.drawnAt = 0;
    /** @type {[number, number][]} moments and bytes sent until then */
    this.history = [];
    this.part("name").textContent = name;
    this.bar = /** @type {HTMLProgressElement} */ (this.part("bar"));
    this.bar.setAttribute("aria-label", name);
    for (const [kind, act] of Object.entries(acts)) this.part(kind).addEventListener("click", act);
  }

  /** @param {string} name */
  part(name) {
    return /** @type {HTMLElement} */ (this.line.querySelector(`[data-upload-${name}]`));
  }

  /** @param {import("./transfer.js").Standing} standing */
  show(standing) {
    const now = performance.now();
    const moving = standing.stage === "sending" && standing.sent < standing.size;
    if (moving && now - this.drawnAt < REDRAW) return;
    this.drawnAt = now;
    this.history = [...this.history.filter(([at]) => now - at < WINDOW), [now, standing.sent]];
    this.part("size").textContent = size(standing.size);
    this.bar.max = standing.size;
    if (["preparing", "finishing"].includes(standing.stage)) this.bar.removeAttribute("value");
    else this.bar.value = standing.sent;
    this.part("text").textContent = this.text(standing);
    this.showError(standing);
    this.part("pause").hidden = ["paused", "finishing", "done", "failed"].includes(standing.stage);
    this.part("resume").hidden = !["paused", "failed"].includes(standing.stage);
    this.part("dismiss").hidden = standing.stage !== "failed";
  }

  /** @param {import("./transfer.js").Standing} standing */
  text(standing) {
    if (standing.stage === "failed" || standing.stage === "done") return "";
    if (standing.stage === "waiting" && standing.wait !== null) {
      return navigator.onLine
        ? this.words.say("again", { time: this.words.time(standing.wait / 1000) })
        : this.words.say("waiting");
    }
    if (standing.stage !== "sending") return this.words.say(standing.stage);
    const figures = { done: size(standing.sent), all: size(standing.size) };
    const left = this.secondsLeft(standing);
    return left === null ? this.words.say("sending", figures) : this.words.say("left", { ...figures, time: this.words.time(left) });
  }

  /** @param {import("./transfer.js").Standing} standing */
  secondsLeft(standing) {
    const [first, last] = [this.history[0], this.history[this.history.length - 1]];
    const [elapsed, sent] = [(last[0] - first[0]) / 1000, last[1] - first[1]];
    return elapsed < 2 || sent <= 0 ? null : ((standing.size - standing.sent) * elapsed) / sent;
  }

  /** @param {import("./transfer.js").Standing} standing */
  showError(standing) {
    const failed = standing.stage === "failed";
    this.line.classList.toggle("upload-row-bad", failed);
    this.part("error").hidden = !failed;
    const words = /** @type {HTMLElement} */ (this.part("error").querySelector("span"));
    words.textContent = failed ? this.why(standing.error) : "";
  }

  /** @param {unknown} error */
  why(error) {
    if (error instanceof Refused) return error.message;
    if (error instanceof OtherFile) return this.words.say("other");
    if (error instanceof Unreadable) return this.words.say("unreadable");
    return this.words.say("lost");
  }
}
