/** Starts the small behaviours every page may need. Each binds by data- attributes and works on what htmx puts in. */

import { watchTheme } from "./theme.js";
import { watchMenus } from "./menus.js";
import { watchDialogs } from "./dialogs.js";
import { watchCopies } from "./copy.js";
import { watchForms } from "./forms.js";
import { watchFlashes } from "./flashes.js";

document.documentElement.classList.add("has-js");
watchTheme();
watchMenus();
watchDialogs();
watchCopies();
watchForms();
watchFlashes();
