/** The page that records: choose a source, see it, record, pause, stop; what is taken is sent meanwhile. */

import { awake } from "../awake.js";
import { Away, Refused } from "../upload/api.js";
import { lineOf } from "../upload/region.js";
import { Words, size } from "../upload/words.js";
import { holding } from "./chest.js";
import { browserName, devices, hindrance, mayTakeScreen, openSource, typeFor, whyNot } from "./devices.js";
import { watchLevel } from "./meter.js";
import { Gap, Sender } from "./sender.js";
import { Stopwatch } from "./stopwatch.js";

const PIECE = 1000;
const BITS = { videoBitsPerSecond: 2_500_000, audioBitsPerSecond: 128_000 };

/** @typedef {"off" | "ready" | "recording" | "paused" | "sending"} Stage */

export class Studio {
  /** @param {HTMLElement} root @param {import("./chest.js").Chest} chest */
  constructor(root, chest) {
    this.root = root;
    this.chest = chest;
    this.words = new Words(root.dataset.words ?? "{}");
    this.watch = new Stopwatch(this.part("time"));
    this.preview = /** @type {HTMLVideoElement} */ (this.part("preview"));
    /** @type {Stage} */
    this.stage = "off";
    this.back = true;
    /** @type {MediaStream | null} */
    this.stream = null;
    /** @type {MediaRecorder | null} */
    this.recorder = null;
    /** @type {Sender | null} */
    this.sender = null;
    this.endLevel = () => {};
    this.stayAwake = awake(() => this.busy);
  }

  get busy() {
    return ["recording", "paused", "sending"].includes(this.stage);
  }

  /** @param {string} name */
  part(name) {
    return /** @type {HTMLElement} */ (this.root.querySelector(`[data-record-${name}]`));
  }

  start() {
    const hindered = hindrance();
    if (hindered) {
      this.part("sources").hidden = true;
      return this.note(hindered);
    }
    if (!mayTakeScreen()) this.root.querySelector("input[value=screen]")?.closest("label")?.remove();
    /** @type {Record<string, () => void>} */
    const acts = {
      open: () => void this.open(),
      close: () => this.close(),
      turn: () => this.turn(),
      begin: () => void this.begin(),
      pause: () => this.pause(),
      resume: () => this.resume(),
      stop: () => this.stop(),
    };
    for (const [name, act] of Object.entries(acts)) this.part(name).addEventListener("click", act);
    for (const name of ["camera", "microphone"]) this.part(name).addEventListener("change", () => void this.open());
    addEventListener("beforeunload", (event) => {
      if (this.busy) event.preventDefault();
    });
    this.show("off");
  }

  /** @returns {import("./devices.js").Source} */
  get source() {
    const chosen = /** @type {HTMLInputElement | null} */ (this.root.querySelector("input[name=source]:checked"));
    return /** @type {import("./devices.js").Source} */ (chosen?.value ?? "camera");
  }

  /** Ask for the devices and show what they see and hear. */
  async open() {
    this.closeStream();
    this.note("");
    const chosen = (/** @type {string} */ name) => /** @type {HTMLSelectElement} */ (this.part(name)).value;
    try {
      const choice = { camera: chosen("camera"), microphone: chosen("microphone"), back: this.back };
      this.stream = await openSource(this.source, choice);
    } catch (error) {
      this.show("off");
      return this.note(whyNot(error));
    }
    for (const track of this.stream.getTracks()) track.addEventListener("ended", () => this.lost());
    this.preview.srcObject = this.stream;
    this.preview.hidden = !this.stream.getVideoTracks().length;
    this.part("voice").hidden = !this.preview.hidden;
    this.endLevel = watchLevel(this.stream, /** @type {HTMLMeterElement} */ (this.part("level")));
    await this.listDevices();
    this.show("ready");
    this.part("begin").focus();
  }

  async listDevices() {
    const [cameras] = await Promise.all([fill(this.part("camera"), "videoinput"), fill(this.part("microphone"), "audioinput")]);
    this.part("camera-field").hidden = this.source !== "camera" || cameras < 2;
    this.part("turn").hidden = this.source !== "camera" || cameras < 2 || !matchMedia("(pointer: coarse)").matches;
  }

  /** From the back camera to the front one, and back. */
  turn() {
    this.back = !this.back;
    /** @type {HTMLSelectElement} */ (this.part("camera")).value = "";
    void this.open();
  }

  close() {
    this.closeStream();
    this.show("off");
    this.part("open").focus();
  }

  closeStream() {
    this.endLevel();
    this.endLevel = () => {};
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.preview.srcObject = null;
  }

  /** Begin, once there is surely room; without a line it is recorded all the same. */
  async begin() {
    if (!this.stream) return;
    const type = typeFor(this.source);
    this.sender = new Sender(this.newTake(type), this.chest, this.root.dataset.announce ?? "", (news) => this.heard(news));
    /** @type {HTMLButtonElement} */ (this.part("begin")).disabled = true;
    try {
      if (navigator.onLine) await this.sender.begin(1);
    } catch (error) {
      if (!(error instanceof Away)) return this.failed(error);
    } finally {
      /** @type {HTMLButtonElement} */ (this.part("begin")).disabled = false;
    }
    await this.chest.save(this.sender.take);
    this.recorder = new MediaRecorder(this.stream, { mimeType: type, ...BITS });
    this.recorder.addEventListener("dataavailable", ({ data }) => this.took(data));
    this.recorder.addEventListener("stop", () => this.ended());
    this.recorder.start(PIECE);
    this.watch.start();
    this.show("recording");
    this.part("pause").focus();
    this.tell("begun");
    void this.send(this.sender);
  }

  /** @param {string} type @returns {import("./chest.js").Take} */
  newTake(type) {
    const now = new Date();
    const stamp = new Date(now.getTime() - now.getTimezoneOffset() * 60000).toISOString().slice(0, 16).replace("T", " ").replace(":", ".");
    const ending = type.includes("mp4") ? "mp4" : type.includes("ogg") ? "ogg" : "webm";
    const random = () => Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    return {
      id: crypto.randomUUID(),
      case: this.root.dataset.case ?? "",
      name: `${this.words.say("name")} ${stamp}.${ending}`,
      type: type.split(";")[0],
      recorder: `${this.source}, ${browserName()}`,
      print: `${random()}:${random()}`,
      begun: now.getTime(),
      size: 0,
      ended: false,
      item: null,
      address: null,
    };
  }

  /** @param {Blob} data */
  took(data) {
    if (!data.size || !this.sender) return;
    this.sender.add(data);
    this.figures(this.sender.sent);
    if (this.sender.room !== null && this.sender.take.size > this.sender.room) {
      this.note("full");
      this.stop();
    }
  }

  pause() {
    this.recorder?.pause();
    this.watch.pause();
    this.show("paused");
    this.part("resume").focus();
    this.tell("pausedNow");
  }

  resume() {
    this.recorder?.resume();
    this.watch.start();
    this.show("recording");
    this.part("pause").focus();
  }

  stop() {
    if (this.recorder && this.recorder.state !== "inactive") this.recorder.stop();
  }

  /** The camera was taken away, or the person ended the sharing of the screen. */
  lost() {
    if (this.stage === "ready") return this.close();
    if (["recording", "paused"].includes(this.stage)) {
      this.note("cut");
      this.stop();
    }
  }

  ended() {
    this.watch.pause();
    this.sender?.end();
    this.closeStream();
    this.show("sending");
    this.tell("ended");
  }

  /** @param {Sender} sender */
  async send(sender) {
    try {
      const item = await holding(sender.take, () => sender.run());
      await showItem(item.links.row);
      this.finished("arrived");
    } catch (error) {
      this.failed(error);
    }
  }

  /** @param {string} words */
  finished(words) {
    this.watch.reset();
    this.part("text").textContent = "";
    this.tell(words);
    this.show("off");
    this.stayAwake();
  }

  /** @param {unknown} error */
  failed(error) {
    this.stop();
    this.closeStream();
    this.show("off");
    this.note(error instanceof Gap ? "gap" : "failed");
    if (error instanceof Refused) this.part("note").textContent = error.message;
    this.root.dispatchEvent(new CustomEvent("recording:left"));
  }

  /** @param {import("./sender.js").News} news */
  heard({ sent, wait }) {
    this.figures(sent);
    const words = wait === null ? "" : this.words.say(navigator.onLine ? "away" : "offline");
    this.part("line").textContent = words;
    this.part("line").hidden = !words;
  }

  /** @param {number} sent */
  figures(sent) {
    const all = this.sender?.take.size ?? 0;
    const figures = { taken: size(all), sent: size(sent) };
    this.part("text").textContent = this.words.say(this.stage === "sending" ? "rest" : "figures", figures);
    const bar = /** @type {HTMLProgressElement} */ (this.part("bar"));
    bar.max = all || 1;
    bar.value = sent;
  }

  /** @param {Stage} stage */
  show(stage) {
    this.stage = stage;
    this.root.dataset.stage = stage;
    /** @type {Record<string, Stage[]>} */
    const seen = {
      sources: ["off"],
      frame: ["ready", "recording", "paused", "sending"],
      stage: ["ready", "recording", "paused"],
      settings: ["ready"],
      begin: ["ready"],
      close: ["ready"],
      pause: ["recording"],
      resume: ["paused"],
      stop: ["recording", "paused"],
      standing: ["recording", "paused", "sending"],
    };
    for (const [name, stages] of Object.entries(seen)) this.part(name).hidden = !stages.includes(stage);
    this.part("badge").textContent = this.words.say(stage);
    this.stayAwake();
  }

  /** @param {string} name of the words; '' takes them away */
  note(name) {
    const note = this.part("note");
    note.hidden = !name;
    note.textContent = name ? this.words.say(name) : "";
  }

  /** Tell those who do not see the page.
   * @param {string} name */
  tell(name) {
    this.part("say").textContent = this.words.say(name);
  }
}

/** Fill a list with the devices there are; how many.
 * @param {HTMLElement} list @param {MediaDeviceKind} kind */
async function fill(list, kind) {
  const menu = /** @type {HTMLSelectElement} */ (list);
  const found = await devices(kind);
  const chosen = menu.value;
  menu.replaceChildren(menu.options[0], ...found.map(({ label, deviceId }) => new Option(label, deviceId)));
  menu.value = found.some(({ deviceId }) => deviceId === chosen) ? chosen : "";
  return found.length;
}

/** The line of an item that has arrived, with its receipt once it is sealed.
 * @param {string} address */
export async function showItem(address) {
  const line = await lineOf(address);
  const list = /** @type {HTMLElement} */ (document.querySelector("[data-item-list]"));
  if (!line || !list) return;
  document.getElementById(line.id)?.remove();
  list.append(line);
  /** @type {HTMLElement} */ (list.closest("[data-arrived]")).hidden = false;
  /** @type {any} */ (globalThis).htmx?.process(line);
}
