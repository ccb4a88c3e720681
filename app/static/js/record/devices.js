/** The device's camera, microphone and screen, as far as the browser and the person let us. */

/** @typedef {"camera" | "microphone" | "screen"} Source
 * @typedef {{camera: string, microphone: string, back: boolean}} Choice */

const KINDS = {
  video: ["video/webm;codecs=vp9,opus", "video/webm;codecs=vp8,opus", "video/webm", "video/mp4"],
  audio: ["audio/webm;codecs=opus", "audio/webm", "audio/mp4", "audio/ogg;codecs=opus"],
};

/** Why nothing can be recorded here at all, as the name of the words for it; '' when it can. */
export function hindrance() {
  if (!navigator.mediaDevices?.getUserMedia) return globalThis.isSecureContext ? "unable" : "insecure";
  return globalThis.MediaRecorder ? "" : "unable";
}

/** @returns {boolean} */
export const mayTakeScreen = () => Boolean(navigator.mediaDevices?.getDisplayMedia);

/** @param {Source} source @param {Choice} choice @returns {Promise<MediaStream>} */
export async function openSource(source, choice) {
  const audio = choice.microphone ? { deviceId: { exact: choice.microphone } } : true;
  if (source === "microphone") return navigator.mediaDevices.getUserMedia({ audio });
  if (source === "camera") return navigator.mediaDevices.getUserMedia({ audio, video: video(choice) });
  const screen = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15 } }, audio: false });
  try {
    const voice = await navigator.mediaDevices.getUserMedia({ audio });
    for (const track of voice.getAudioTracks()) screen.addTrack(track);
  } catch {
    // a screen without a voice is better than nothing
  }
  return screen;
}

/** @param {Choice} choice @returns {MediaTrackConstraints} */
function video({ camera, back }) {
  const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  return camera ? { ...size, deviceId: { exact: camera } } : { ...size, facingMode: back ? "environment" : "user" };
}

/** @param {MediaDeviceKind} kind @returns {Promise<MediaDeviceInfo[]>} those with names: they have them once allowed */
export async function devices(kind) {
  const all = await navigator.mediaDevices.enumerateDevices();
  return all.filter((device) => device.kind === kind && device.deviceId && device.label);
}

/** @param {Source} source @returns {string} what the browser can record it as */
export function typeFor(source) {
  const kinds = source === "microphone" ? KINDS.audio : KINDS.video;
  return kinds.find((kind) => MediaRecorder.isTypeSupported(kind)) ?? "";
}

/** Why a device did not open, as the name of the words for it.
 * @param {unknown} error @returns {string} */
export function whyNot(error) {
  const name = error instanceof Error ? error.name : "";
  const words = { NotAllowedError: "refused", NotFoundError: "nothing", NotReadableError: "taken", AbortError: "taken" };
  return /** @type {Record<string, string>} */ (words)[name] ?? "broken";
}

/** @returns {string} such as “Chromium 140” */
export function browserName() {
  const brands = /** @type {any} */ (navigator).userAgentData?.brands ?? [];
  const known = brands.find((/** @type {{brand: string}} */ one) => !/not.?a.?brand|chromium/i.test(one.brand)) ?? brands.find((/** @type {{brand: string}} */ one) => /chromium/i.test(one.brand));
  if (known) return `${known.brand} ${known.version}`;
  const found = /(Firefox|Version)\/(\d+)/.exec(navigator.userAgent);
  return found ? `${found[1] === "Version" ? "Safari" : found[1]} ${found[2]}` : "a browser";
}
