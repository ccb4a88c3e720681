/** Menus are <details data-menu>: they open by themselves; this closes them on Escape, elsewhere, and one by another. */

/** @param {Element | null} [but] the one menu that stays open */
function closeMenus(but = null) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (menu !== but) menu.removeAttribute("open");
  }
}

/** On a phone the main navigation scrolls sideways: begin where the reader is. */
function showCurrent() {
  const nav = document.querySelector(".main-nav");
  const here = nav?.querySelector("[aria-current]");
  if (nav && here instanceof HTMLElement) nav.scrollLeft = here.offsetLeft - nav.clientWidth / 2 + here.offsetWidth / 2;
}

/** Binds every menu on the page. */
export function watchMenus() {
  showCurrent();
  document.addEventListener("click", (event) => {
    closeMenus(/** @type {Element} */ (event.target).closest("details[data-menu]"));
  });
  document.addEventListener("focusin", (event) => {
    closeMenus(/** @type {Element} */ (event.target).closest("details[data-menu]"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details[data-menu][open]");
    closeMenus();
    /** @type {HTMLElement | null | undefined} */ (open?.querySelector("summary"))?.focus();
  });
}
