/** A document's pages: which one is seen, jumping to one, small copies at the side. */

/** Binds every document of the page. */
export function watchPages() {
  document.querySelectorAll("[data-page-scroll]").forEach((scroll) => bind(/** @type {HTMLElement} */ (scroll)));
}

/** @param {HTMLElement} scroll */
function bind(scroll) {
  const around = /** @type {HTMLElement} */ (scroll.closest("[data-pages]"));
  const sheets = /** @type {HTMLElement[]} */ ([...scroll.querySelectorAll("[data-page]")]);
  const number = /** @type {HTMLInputElement | null} */ (around.querySelector("[data-page-number]"));
  const state = { page: 1 };
  /** @param {number} page */
  const goTo = (page) => {
    const sheet = sheets[Math.min(sheets.length, Math.max(1, page)) - 1];
    if (sheet) scroll.scrollTo({ top: sheet.offsetTop - scroll.offsetTop });
  };
  const seen = () => {
    const middle = scroll.scrollTop + scroll.clientHeight / 3;
    const found = sheets.filter((one) => one.offsetTop - scroll.offsetTop <= middle).length;
    if (Math.max(1, found) !== state.page) { state.page = Math.max(1, found); show(around, number, state.page); }
  };
  scroll.addEventListener("scroll", seen, { passive: true });
  scroll.addEventListener("keydown", (event) => {
    const way = { PageDown: 1, PageUp: -1 }[event.key];
    if (way) { event.preventDefault(); goTo(state.page + way); }
    if (event.key === "Home") goTo(1);
    if (event.key === "End") goTo(sheets.length);
  });
  around.addEventListener("click", (event) => {
    const pressed = event.target instanceof Element ? event.target.closest("[data-page-step], [data-page-link]") : null;
    if (!(pressed instanceof HTMLElement)) return;
    event.preventDefault();
    goTo(pressed.dataset.pageLink ? Number(pressed.dataset.pageLink) : state.page + Number(pressed.dataset.pageStep));
  });
  number?.addEventListener("change", () => goTo(Number(number.value)));
  sheets.forEach((sheet) => copyToSide(around, sheet));
  show(around, number, 1);
}

/**
 * @param {HTMLElement} around
 * @param {HTMLInputElement | null} number
 * @param {number} page
 */
function show(around, number, page) {
  if (number && document.activeElement !== number) number.value = String(page);
  around.querySelectorAll("[data-page-link]").forEach((link) => {
    const here = link.getAttribute("data-page-link") === String(page);
    if (here) { link.setAttribute("aria-current", "page"); keepInSight(/** @type {HTMLElement} */ (link)); }
    else link.removeAttribute("aria-current");
  });
}

/** @param {HTMLElement} link */
function keepInSight(link) {
  const side = /** @type {HTMLElement | null} */ (link.closest(".pages-side"));
  if (!side) return;
  const top = link.offsetTop - side.offsetTop;
  if (top < side.scrollTop || top + link.offsetHeight > side.scrollTop + side.clientHeight) side.scrollTo({ top: top - side.clientHeight / 3 });
}

/**
 * The small picture at the side is the large one, which was fetched already.
 * @param {HTMLElement} around
 * @param {HTMLElement} sheet
 */
function copyToSide(around, sheet) {
  const large = sheet.querySelector("img");
  const small = /** @type {HTMLImageElement | null} */ (around.querySelector(`[data-page-copy="${sheet.dataset.page}"]`));
  if (!large || !small) return;
  const copy = () => { small.src = large.currentSrc || large.src; small.hidden = false; };
  if (large.complete && large.naturalWidth) copy();
  else large.addEventListener("load", copy, { once: true });
}
