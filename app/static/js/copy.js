/** [data-copy="id"] copies the text of that element and says so in its own words for two seconds. */

/** @param {string} text */
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** @param {Element} source */
function selectText(source) {
  const range = document.createRange();
  range.selectNodeContents(source);
  getSelection()?.removeAllRanges();
  getSelection()?.addRange(range);
}

/** @param {Element} button */
async function copy(button) {
  const source = document.getElementById(button.getAttribute("data-copy") ?? "");
  const label = button.querySelector("span");
  if (!source || !label) return;
  if (!(await toClipboard((source.textContent ?? "").replace(/\s+/g, " ").trim()))) {
    selectText(source);
    return;
  }
  const words = button.getAttribute("data-words") ?? label.textContent ?? "";
  button.setAttribute("data-words", words);
  button.setAttribute("aria-live", "polite");
  label.textContent = button.getAttribute("data-copied");
  setTimeout(() => { label.textContent = words; }, 2000);
}

/** Binds every [data-copy] button. */
export function watchCopies() {
  document.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest("[data-copy]");
    if (button) void copy(button);
  });
}
