/** Passing messages: [data-dismiss] takes one away; a request that got no answer leaves a message instead of silence. */

function tellLost() {
  const region = document.getElementById("flashes");
  if (!region?.dataset.lost || region.querySelector("[data-lost-note]")) return;
  const note = document.createElement("div");
  note.className = "flash flash-warning";
  note.dataset.lostNote = "yes";
  const words = document.createElement("p");
  words.textContent = region.dataset.lost;
  note.append(words);
  region.append(note);
  note.scrollIntoView({ block: "nearest" });
}

function forgetLost() {
  document.querySelector("[data-lost-note]")?.remove();
}

/** Binds the region of flashes and htmx's failures. */
export function watchFlashes() {
  document.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest("[data-dismiss]");
    button?.closest(".flash")?.remove();
  });
  document.addEventListener("htmx:error", tellLost);
  document.addEventListener("htmx:after:request", forgetLost);
}
