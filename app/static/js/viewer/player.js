/** A recording's player: keys, speed, frames; a stretch that ends where it ends; links that run out. */

import { clock } from "./times.js";

const FRAME = 1 / 25;
const TRIES = 4;
const CALM_MS = 20_000;
const TYPING = "input:not([type=button]), textarea, select, [contenteditable]";

/** Binds every player, also those that come later. */
export function watchPlayers() {
  document.querySelectorAll("[data-player]").forEach((one) => bind(/** @type {HTMLElement} */ (one)));
  document.addEventListener("keydown", byKey, true);
  document.addEventListener("click", byButton);
  document.addEventListener("change", bySpeed);
}

/**
 * Plays a stretch of the recording, to its end and no further.
 * @param {Element} recording
 * @param {number} start
 * @param {number | null} end
 */
export function playFrom(recording, start, end) {
  const media = mediaOf(recording);
  if (!media) return;
  const begin = () => {
    media.currentTime = start;
    media.dataset.until = end === null ? "" : String(end);
    media.play().catch(() => undefined);
  };
  if (media.readyState >= HTMLMediaElement.HAVE_METADATA) begin();
  else {
    media.addEventListener("loadedmetadata", begin, { once: true });
    media.preload = "auto";
    media.load();
  }
  media.scrollIntoView({ block: "nearest" });
  media.focus({ preventScroll: true });
}

/**
 * @param {Element | null} inside
 * @returns {HTMLMediaElement | null}
 */
export function mediaOf(inside) {
  return inside?.closest("[data-recording]")?.querySelector(".player-media") ?? null;
}

/** @param {HTMLElement} player */
function bind(player) {
  const media = /** @type {HTMLMediaElement | null} */ (player.querySelector(".player-media"));
  if (!media) return;
  /** @type {{ tries: number, at: number, back: null | { time: number, rate: number, playing: boolean } }} */
  const state = { tries: 0, at: 0, back: null };
  media.addEventListener("timeupdate", () => { stopAtEnd(media); show(player, media); });
  media.addEventListener("loadedmetadata", () => { goBack(player, media, state); show(player, media); });
  media.addEventListener("ratechange", () => choose(player, media.playbackRate));
  media.addEventListener("playing", () => { if (!state.back) say(player, ""); });
  media.addEventListener("error", () => askAnew(player, media, state));
}

/**
 * The link was good for a minute: ask for another and go on at the same place, as fast as before.
 * @param {HTMLElement} player
 * @param {HTMLMediaElement} media
 * @param {{ tries: number, at: number, back: null | { time: number, rate: number, playing: boolean } }} state
 */
function askAnew(player, media, state) {
  // a try that fails as well is at the beginning: the place is that of the first
  state.back ??= { time: media.currentTime, rate: media.playbackRate, playing: !media.paused };
  // a link lives a minute: what fails again at once is something else
  if (performance.now() - state.at > CALM_MS) state.tries = 0;
  state.at = performance.now();
  if (state.tries >= TRIES) { say(player, JSON.parse(player.dataset.words ?? "{}").lost); return; }
  state.tries += 1;
  setTimeout(() => { media.src = `${player.dataset.stream}?again=${state.tries}`; media.load(); }, 250 * state.tries ** 2);
}

/**
 * @param {HTMLElement} player
 * @param {HTMLMediaElement} media
 * @param {{ tries: number, at: number, back: null | { time: number, rate: number, playing: boolean } }} state
 */
function goBack(player, media, state) {
  if (!state.back) return;
  const { time, rate, playing } = state.back;
  state.back = null;
  media.currentTime = time;
  media.playbackRate = rate;
  if (playing) media.play().catch(() => undefined);
  say(player, playing ? JSON.parse(player.dataset.words ?? "{}").again : "");
}

/** @param {HTMLMediaElement} media */
function stopAtEnd(media) {
  const until = Number(media.dataset.until || NaN);
  if (Number.isNaN(until) || media.currentTime < until) return;
  media.dataset.until = "";
  if (media.currentTime - until < 1) media.pause();
}

/**
 * @param {HTMLElement} player
 * @param {HTMLMediaElement} media
 */
function show(player, media) {
  const shown = player.querySelector("[data-clock]");
  const length = Number.isFinite(media.duration) ? ` / ${clock(media.duration)}` : "";
  if (shown) shown.textContent = clock(media.currentTime) + length;
  const line = /** @type {SVGElement | null} */ (player.closest("[data-recording]")?.querySelector("[data-time-line]") ?? null);
  const duration = Number(line?.dataset.timeLine) / 1000;
  if (line && duration) line.querySelector("[data-here]")?.setAttribute("x", String(Math.min(997, media.currentTime / duration * 1000)));
}

/**
 * @param {HTMLElement} player
 * @param {string} words
 */
function say(player, words) {
  const place = player.querySelector("[data-say]");
  if (place) place.textContent = words ?? "";
}

/**
 * @param {HTMLElement} player
 * @param {number} rate
 */
function choose(player, rate) {
  const menu = /** @type {HTMLSelectElement | null} */ (player.querySelector("[data-speed]"));
  if (menu && [...menu.options].some((one) => Number(one.value) === rate)) menu.value = String(rate);
}

/** @param {Event} event */
function bySpeed(event) {
  const menu = event.target instanceof HTMLSelectElement && event.target.matches("[data-speed]") ? event.target : null;
  const media = mediaOf(menu);
  if (menu && media) media.playbackRate = Number(menu.value);
}

/** @param {MouseEvent} event */
function byButton(event) {
  const pressed = event.target instanceof Element ? event.target.closest("[data-step], [data-frame]") : null;
  const media = mediaOf(pressed);
  if (!(pressed instanceof HTMLElement) || !media) return;
  if (pressed.dataset.step) go(media, Number(pressed.dataset.step));
  if (pressed.dataset.frame) frame(media, Number(pressed.dataset.frame));
}

/**
 * @param {HTMLMediaElement} media
 * @param {number} seconds
 */
function go(media, seconds) {
  media.dataset.until = "";
  media.currentTime = Math.max(0, media.currentTime + seconds);
}

/**
 * @param {HTMLMediaElement} media
 * @param {number} count
 */
function frame(media, count) {
  media.pause();
  go(media, count * FRAME);
}

/** @param {HTMLMediaElement} media */
function turn(media) {
  if (media.paused) media.play().catch(() => undefined);
  else media.pause();
}

/**
 * @param {HTMLMediaElement} media
 * @param {number} factor
 */
function faster(media, factor) {
  media.playbackRate = Math.min(2, Math.max(0.5, Math.round((media.playbackRate + factor) * 4) / 4));
}

/** @type {Record<string, (media: HTMLMediaElement) => void>} */
const KEYS = {
  " ": turn,
  k: turn,
  ArrowLeft: (media) => go(media, -5),
  ArrowRight: (media) => go(media, 5),
  j: (media) => go(media, -10),
  l: (media) => go(media, 10),
  ",": (media) => frame(media, -1),
  ".": (media) => frame(media, 1),
  "+": (media) => faster(media, 0.25),
  "-": (media) => faster(media, -0.25),
};

/** @param {KeyboardEvent} event */
function byKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof Element)) return;
  const player = event.target.closest("[data-player]");
  const onButton = event.key === " " && event.target.closest("button, a, summary");
  if (!player || onButton || event.target.closest(TYPING)) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  const media = mediaOf(player);
  if (!act || !media) return;
  event.preventDefault();
  event.stopPropagation();
  act(media);
}
