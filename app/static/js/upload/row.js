/** One file's line while it is on its way: what is shown of a transfer, and its buttons. */

import { Speed } from "./speed.js";
import { OtherFile, Refused, Unreadable } from "./transfer.js";
import { size } from "./words.js";

const REDRAW = 200;

export class Row {
  /** @param {HTMLElement} line @param {string} name @param {import("./words.js").Words} words
   * @param {{pause: () => void, resume: () => void, dismiss: () => void, remove: () => void}} acts */
  constructor(line, name, words, acts) {
    this.line = line;
    this.words = words;
    this.drawnAt = 0;
    this.speed = new Speed();
    this.part("name").textContent = name;
    this.bar = /** @type {HTMLProgressElement} */ (this.part("bar"));
    this.bar.setAttribute("aria-label", name);
    for (const [kind, act] of Object.entries(acts)) this.part(kind).addEventListener("click", act);
    this.part("cancel").addEventListener("click", () => this.sure(true));
    this.part("keep").addEventListener("click", () => this.sure(false));
  }

  /** @param {string} name */
  part(name) {
    return /** @type {HTMLElement} */ (this.line.querySelector(`[data-upload-${name}]`));
  }

  /** Ask once more before what was sent is thrown away.
   * @param {boolean} asking */
  sure(asking) {
    this.part("acts").hidden = asking;
    this.part("sure").hidden = !asking;
    this.part(asking ? "keep" : "cancel").focus();
  }

  /** @param {import("./transfer.js").Standing} standing */
  show(standing) {
    const now = performance.now();
    const moving = standing.stage === "sending" && standing.sent < standing.size;
    if (moving && now - this.drawnAt < REDRAW) return;
    this.drawnAt = now;
    if (standing.stage === "sending") this.speed.seen(standing.sent);
    else this.speed.rest();
    this.line.dataset.stage = standing.stage;
    this.part("size").textContent = size(standing.size);
    this.bar.max = standing.size || 1;
    if (["preparing", "finishing"].includes(standing.stage)) this.bar.removeAttribute("value");
    else this.bar.value = standing.sent;
    this.part("text").textContent = this.text(standing);
    this.showError(standing);
    this.part("pause").hidden = ["paused", "finishing", "done", "failed"].includes(standing.stage);
    this.part("resume").hidden = standing.stage !== "paused" && !mayGoOn(standing);
    this.part("dismiss").hidden = standing.stage !== "failed";
    this.part("cancel").hidden = ["finishing", "done", "failed"].includes(standing.stage);
  }

  /** @param {import("./transfer.js").Standing} standing */
  text(standing) {
    if (standing.stage === "failed" || standing.stage === "done") return "";
    if (standing.stage === "waiting" && standing.wait !== null) {
      return navigator.onLine
        ? this.words.say("again", { time: this.words.time(standing.wait / 1000) })
        : this.words.say("waiting");
    }
    const figures = { done: size(standing.sent), all: size(standing.size) };
    if (standing.stage === "paused" && standing.sent) return this.words.say("pausedAt", figures);
    if (standing.stage !== "sending") return this.words.say(standing.stage);
    const left = this.speed.secondsFor(standing.size - standing.sent);
    return left === null ? this.words.say("sending", figures) : this.words.say("left", { ...figures, time: this.words.time(left) });
  }

  /** @param {import("./transfer.js").Standing} standing */
  showError(standing) {
    const failed = standing.stage === "failed";
    this.line.classList.toggle("upload-row-bad", failed);
    this.part("error").hidden = !failed;
    const words = /** @type {HTMLElement} */ (this.part("error").querySelector("span"));
    words.textContent = failed ? this.why(standing) : "";
  }

  /** @param {import("./transfer.js").Standing} standing */
  why({ error, size: bytes }) {
    if (bytes === 0) return this.words.say("empty");
    if (error instanceof Refused) return error.message;
    if (error instanceof OtherFile) return this.words.say("other");
    if (error instanceof Unreadable) return this.words.say("unreadable");
    return this.words.say("lost");
  }
}

/** Whether trying the very same file again can help.
 * @param {import("./transfer.js").Standing} standing */
function mayGoOn({ stage, error, size: bytes }) {
  if (stage !== "failed" || bytes === 0) return false;
  if (error instanceof Refused) return error.status === 429 || error.status === 401;
  return !(error instanceof OtherFile || error instanceof Unreadable);
}
