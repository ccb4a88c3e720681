/** How loud it is, for a meter on the page: whoever records sees that the microphone hears them. */

const REDRAW = 80;
/** Speech is seldom louder than this share of what a microphone can take. */
const LOUD = 0.35;

/** @param {MediaStream} stream @param {HTMLMeterElement} meter @returns {() => void} ends it */
export function watchLevel(stream, meter) {
  if (!stream.getAudioTracks().length) return () => {};
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    meter.value = Math.min(1, Math.sqrt(power) / LOUD);
  }, REDRAW);
  return () => {
    clearInterval(timer);
    meter.value = 0;
    void context.close();
  };
}
