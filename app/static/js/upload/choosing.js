/** Files as people choose them: by the browser's dialog, by the plain field, or dropped anywhere on the region. */

/** @typedef {{file: File, handle: any}} Chosen */

/** @param {HTMLElement} root @param {HTMLInputElement} input @param {(chosen: Chosen[]) => void} take
 * @returns {() => Promise<void>} opens the dialog; call it on a press */
export function watchChoices(root, input, take) {
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = "";
    take(files.map((file) => ({ file, handle: null })));
  });
  const picker = /** @type {any} */ (globalThis).showOpenFilePicker;
  if (picker) {
    // the field's own dialog gives no handles to remember
    input.addEventListener("click", (event) => {
      event.preventDefault();
      void pick(take);
    });
  }
  watchDrops(root, take);
  return async () => (picker ? pick(take) : input.click());
}

/** @param {(chosen: Chosen[]) => void} take */
async function pick(take) {
  /** @type {any[]} */
  const handles = await /** @type {any} */ (globalThis).showOpenFilePicker({ multiple: true }).catch(() => []);
  take(await Promise.all(handles.map(async (handle) => ({ file: await handle.getFile(), handle }))));
}

/** @param {HTMLElement} root @param {(chosen: Chosen[]) => void} take */
function watchDrops(root, take) {
  const frame = root.querySelector("[data-file-drop]") ?? root;
  const over = (/** @type {DragEvent} */ event, /** @type {boolean} */ is) => {
    if (!event.dataTransfer?.types.includes("Files")) return false;
    event.preventDefault();
    event.stopPropagation();
    frame.classList.toggle("is-over", is);
    return true;
  };
  root.addEventListener("dragover", (event) => over(event, true));
  root.addEventListener("dragleave", (event) => {
    const left = !(event.relatedTarget instanceof Node && root.contains(event.relatedTarget));
    if (left) over(event, false);
  });
  root.addEventListener("drop", (event) => {
    if (over(event, false)) void dropped(event).then(take);
  });
}

/** Handles can be asked for only while the event is there.
 * @param {DragEvent} event @returns {Promise<Chosen[]>} */
function dropped(event) {
  const items = [...(event.dataTransfer?.items ?? [])].filter((item) => item.kind === "file");
  const found = items.map(async (item) => {
    const file = item.getAsFile();
    const handle = await /** @type {any} */ (item).getAsFileSystemHandle?.().catch(() => null);
    return file && (!handle || handle.kind === "file") ? [{ file, handle: handle ?? null }] : [];
  });
  return Promise.all(found).then((lists) => lists.flat());
}
