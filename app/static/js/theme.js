/** The colours a reader chose: kept in a cookie, so that the server's next page comes in them without a flash. */

const COOKIE = "assay_theme";
const A_YEAR = 31536000;

/** @param {string} choice "auto", "light" or "dark" */
function choose(choice) {
  const root = document.documentElement;
  if (choice === "auto") root.removeAttribute("data-theme");
  else root.setAttribute("data-theme", choice);
  const age = choice === "auto" ? 0 : A_YEAR;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${COOKIE}=${choice}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
  for (const button of document.querySelectorAll("[data-theme-set]")) {
    button.setAttribute("aria-pressed", String(button.getAttribute("data-theme-set") === choice));
  }
}

/** Binds every [data-theme-set] button. */
export function watchTheme() {
  document.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest("[data-theme-set]");
    if (button) choose(button.getAttribute("data-theme-set") ?? "auto");
  });
}
