/** Starts the page that records. */

import { Chest } from "./chest.js";
import { Left } from "./left.js";
import { Studio } from "./studio.js";

const root = document.querySelector("[data-record]");
const left = document.querySelector("[data-left]");
if (root instanceof HTMLElement && left instanceof HTMLElement) {
  const chest = new Chest();
  const others = new Left(left, chest);
  new Studio(root, chest).start();
  root.addEventListener("recording:left", () => void others.look());
  void others.look();
}
