/** Starts what a page with evidence to look at needs: players with their marks, pages, pictures. */

import { watchPlayers } from "./player.js";
import { watchCaptions } from "./captions.js";
import { watchMarks } from "./marks.js";
import { watchZoom } from "./zoom.js";
import { watchPages } from "./pages.js";

watchPlayers();
watchCaptions();
watchMarks();
watchZoom();
watchPages();
