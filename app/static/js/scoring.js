/** The score sheet's keys and its last save: number keys choose a level, and what was typed just before leaving is sent. */

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-scores]"));
/** Counts: what was typed, what a request took along, what the server has kept. */
let typed = 0;
let sent = 0;
let kept = 0;

/** With the focus on a criterion's levels its digit chooses a level, 0 says "not assessed".
 * @param {KeyboardEvent} event */
function chooseByDigit(event) {
  const at = event.target;
  if (!(at instanceof HTMLInputElement) || at.type !== "radio" || !/^\d$/.test(event.key)) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const wanted = event.key === "0" ? "not_assessed" : event.key;
  const radios = /** @type {NodeListOf<HTMLInputElement>} */ (form?.querySelectorAll(`input[name="${CSS.escape(at.name)}"]`));
  const chosen = [...radios].find((radio) => radio.value === wanted);
  if (!chosen) return;
  event.preventDefault();
  chosen.focus();
  chosen.click();
}

/** Sends what is not kept yet while the page is left. */
function sendLast() {
  if (!form || kept >= typed) return;
  kept = typed;
  const headers = { "HX-Request": "true", "HX-Request-Type": "partial" };
  fetch(form.action, { method: "POST", body: new FormData(form), headers, keepalive: true }).catch(() => undefined);
}

form?.addEventListener("keydown", chooseByDigit);
form?.addEventListener("input", () => { typed += 1; });
form?.addEventListener("submit", () => { kept = typed; });
document.addEventListener("htmx:before:request", () => { sent = typed; });
document.addEventListener("htmx:after:swap", () => { kept = sent; });
addEventListener("pagehide", sendLast);
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") sendLast(); });
