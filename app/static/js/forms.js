/** What forms need beside HTML: counters, one submission per press, focus on an error summary, frames for dropped files. */

const numbers = new Intl.NumberFormat(document.documentElement.lang || undefined);

/** After this many milliseconds a form may be sent again: the answer may have been a file, or nothing. */
const PATIENCE = 8000;

/** @param {HTMLTextAreaElement} area */
function count(area) {
  const counter = document.getElementById(`${area.id}-count`);
  if (!counter) return;
  const left = Number(area.dataset.countTo) - Array.from(area.value).length;
  const words = (left < 0 ? counter.dataset.over : counter.dataset.left) ?? "{count}";
  counter.textContent = words.replace("{count}", numbers.format(Math.abs(left)));
  counter.classList.toggle("counter-over", left < 0);
}

/** A second press while the first is on its way does nothing; coming Back makes the form fresh again.
 * @param {SubmitEvent} event */
function submitOnce(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (event.defaultPrevented || form.method === "get" || form.method === "dialog") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  const button = event.submitter;
  form.dataset.sent = "yes";
  button?.classList.add("is-busy");
  setTimeout(() => release(form, button), PATIENCE);
}

/** @param {HTMLFormElement} form @param {HTMLElement | null} button */
function release(form, button) {
  form.removeAttribute("data-sent");
  button?.classList.remove("is-busy");
}

/** @param {boolean} persisted */
function refresh(persisted) {
  if (!persisted) return;
  for (const form of document.forms) release(form, form.querySelector(".is-busy"));
}

/** @param {ParentNode} root */
function greet(root) {
  for (const area of root.querySelectorAll("textarea[data-count-to]")) count(/** @type {HTMLTextAreaElement} */ (area));
  const first = root.querySelector("[data-focus]");
  if (first instanceof HTMLElement && !first.dataset.focused) {
    first.dataset.focused = "yes";
    first.focus();
  }
}

function watchDrops() {
  /** @param {DragEvent} event */
  const frameOf = (event) => /** @type {Element} */ (event.target).closest?.("[data-file-drop]") ?? null;
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (raw) => {
      const event = /** @type {DragEvent} */ (raw);
      const frame = frameOf(event);
      if (!frame) return;
      if (kind !== "dragleave") event.preventDefault();
      frame.classList.toggle("is-over", kind === "dragenter" || kind === "dragover");
      const input = frame.querySelector("input[type=file]");
      if (kind === "drop" && input instanceof HTMLInputElement && event.dataTransfer?.files.length) {
        input.files = event.dataTransfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
  }
}

/** Binds every form, textarea and file frame, also those htmx puts in later. */
export function watchForms() {
  document.addEventListener("input", (event) => {
    if (event.target instanceof HTMLTextAreaElement && event.target.dataset.countTo) count(event.target);
  });
  document.addEventListener("submit", (event) => submitOnce(/** @type {SubmitEvent} */ (event)));
  document.addEventListener("htmx:after:swap", () => greet(document));
  addEventListener("pageshow", (event) => refresh(event.persisted));
  watchDrops();
  greet(document);
}
