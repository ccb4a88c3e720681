/** Captions: under a sound, where browsers draw none, and in the list of all of them beside a player. */

import { mediaOf } from "./player.js";

/** Binds every player that has captions. */
export function watchCaptions() {
  for (const player of document.querySelectorAll("[data-player]")) {
    const media = mediaOf(player);
    if (!media || !media.textTracks.length) continue;
    const place = /** @type {HTMLElement | null} */ (player.querySelector("[data-caption]"));
    if (place) under(player, media, place);
    media.addEventListener("timeupdate", () => follow(media));
  }
  document.addEventListener("click", onWave);
}

/**
 * Writes the captions of a sound under it.
 * @param {Element} player
 * @param {HTMLMediaElement} media
 * @param {HTMLElement} place
 */
function under(player, media, place) {
  const choice = /** @type {HTMLSelectElement | null} */ (player.querySelector("[data-caption-choice]"));
  const tracks = [...media.textTracks];
  const write = () => {
    const track = tracks.find((one) => one.mode === "hidden");
    const cues = [...track?.activeCues ?? []];
    // its text alone would show & as it is written in the file: &amp;
    place.textContent = cues.map((cue) => cue instanceof VTTCue ? cue.getCueAsHTML().textContent : "").join("\n");
    if (track) place.lang = track.language;
  };
  const choose = () => {
    tracks.forEach((track, number) => { track.mode = String(number) === choice?.value ? "hidden" : "disabled"; });
    place.hidden = choice?.value === "";
    write();
  };
  for (const track of tracks) track.addEventListener("cuechange", write);
  choice?.addEventListener("change", choose);
  choose();
}

/**
 * Marks in the lists of captions what is said now.
 * @param {HTMLMediaElement} media
 */
function follow(media) {
  for (const list of document.querySelectorAll(".cue-list")) {
    const lines = [.../** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("[data-cue]"))];
    const now = lines.findLast((line) => Number(line.dataset.cue) <= media.currentTime + 0.05);
    const before = list.querySelector("[aria-current]");
    if (now === before) continue;
    before?.removeAttribute("aria-current");
    if (!now) continue;
    now.setAttribute("aria-current", "true");
    // within the list alone: the page stays where its reader is
    list.scrollTop = Math.max(0, now.offsetTop - /** @type {HTMLElement} */ (list).offsetTop - list.clientHeight / 3);
  }
}

/** @param {MouseEvent} event */
function onWave(event) {
  const wave = event.target instanceof Element ? event.target.closest("[data-wave]") : null;
  const media = mediaOf(wave);
  if (!wave || !media || !Number.isFinite(media.duration)) return;
  const { left, width } = wave.getBoundingClientRect();
  media.currentTime = (event.clientX - left) / width * media.duration;
}
