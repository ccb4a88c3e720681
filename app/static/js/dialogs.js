/** Native dialogs: [data-dialog-open="id"] opens, [data-dialog-close] and a press beside it close. Without JavaScript
 *  the opener is a link to a page with the same form. */

/** Binds every opener and closer. */
export function watchDialogs() {
  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    const opener = target.closest("[data-dialog-open]");
    if (opener) {
      const dialog = document.getElementById(opener.getAttribute("data-dialog-open") ?? "");
      if (dialog instanceof HTMLDialogElement) {
        event.preventDefault();
        dialog.showModal();
      }
      return;
    }
    if (target.closest("[data-dialog-close]")) target.closest("dialog")?.close();
    else if (target instanceof HTMLDialogElement && target.open) target.close();
  });
}
