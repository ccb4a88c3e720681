/** Colours that are tried out: the well and the line of text say the same, and the preview is asked for when they are whole. */

const WHOLE = /^#[0-9a-f]{6}$/i;
const PATIENCE = 250;

for (const form of document.querySelectorAll("[data-colours]")) watch(/** @type {HTMLFormElement} */ (form));

/** @param {HTMLFormElement} form */
function watch(form) {
  let waiting = 0;
  const ask = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => form.dispatchEvent(new CustomEvent("colours-tried")), PATIENCE);
  };
  for (const well of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[data-colour-well]"))) {
    const line = /** @type {HTMLInputElement} */ (form.querySelector(`[data-colour="${well.dataset.colourWell}"]`));
    well.addEventListener("input", () => {
      line.value = well.value;
      ask();
    });
    line.addEventListener("input", () => {
      if (!WHOLE.test(line.value.trim())) return;
      well.value = line.value.trim().toLowerCase();
      ask();
    });
  }
}
