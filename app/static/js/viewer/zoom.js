/** Zoom and pan for a picture or for pages: buttons, keys, a press and a drag. */

const STEPS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4];
const WHOLE = 2;
const FAR = 60;

/** Binds every frame that can be zoomed. */
export function watchZoom() {
  document.querySelectorAll("[data-zoomable]").forEach((frame) => bind(/** @type {HTMLElement} */ (frame)));
}

/** @param {HTMLElement} frame */
function bind(frame) {
  const around = /** @type {HTMLElement} */ (frame.closest("[data-pages]") ?? frame);
  const state = { step: WHOLE };
  /** @param {number} step */
  const set = (step) => { state.step = Math.min(STEPS.length - 1, Math.max(0, step)); show(around, frame, STEPS[state.step]); };
  around.addEventListener("click", (event) => {
    const way = event.target instanceof Element ? event.target.closest("[data-zoom]")?.getAttribute("data-zoom") : null;
    if (way) set(way === "in" ? state.step + 1 : way === "out" ? state.step - 1 : WHOLE);
  });
  frame.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const ways = { "+": 1, "=": 1, "-": -1 };
    if (event.key in ways) set(state.step + ways[/** @type {"+"} */ (event.key)]);
    else if (event.key === "0") set(WHOLE);
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") frame.scrollBy({ left: event.key === "ArrowLeft" ? -FAR : FAR });
    else return;
    event.preventDefault();
  });
  frame.addEventListener("dblclick", () => set(state.step > WHOLE ? WHOLE : WHOLE + 3));
  drag(frame);
}

/**
 * @param {HTMLElement} around
 * @param {HTMLElement} frame
 * @param {number} zoom
 */
function show(around, frame, zoom) {
  const middle = (frame.scrollTop + frame.clientHeight / 2) / Math.max(1, frame.scrollHeight);
  frame.style.setProperty("--zoom", String(zoom));
  frame.scrollTop = middle * frame.scrollHeight - frame.clientHeight / 2;
  const shown = around.querySelector("[data-zoom-shown]");
  if (shown) shown.textContent = `${Math.round(zoom * 100)} %`;
}

/** @param {HTMLElement} frame */
function drag(frame) {
  frame.addEventListener("pointerdown", (down) => {
    if (down.pointerType !== "mouse" || down.button !== 0) return;
    const from = { x: down.clientX + frame.scrollLeft, y: down.clientY + frame.scrollTop };
    /** @param {PointerEvent} move */
    const pull = (move) => { frame.scrollTo(from.x - move.clientX, from.y - move.clientY); };
    const end = () => { removeEventListener("pointermove", pull); frame.classList.remove("is-dragged"); };
    frame.classList.add("is-dragged");
    addEventListener("pointermove", pull);
    addEventListener("pointerup", end, { once: true });
    addEventListener("pointercancel", end, { once: true });
  });
  frame.addEventListener("dragstart", (event) => event.preventDefault());
}
