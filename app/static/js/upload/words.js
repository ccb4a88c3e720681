/** Puts figures into the page's own words, in the reader's language. */

const language = document.documentElement.lang || undefined;
const UNITS = /** @type {const} */ (["byte", "kilobyte", "megabyte", "gigabyte"]);

/** @param {number} count @returns {string} such as “12.3 MB” */
export function size(count) {
  let unit = 0;
  let value = count;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 ? 0 : value < 10 ? 2 : 1;
  // the short form of “bytes” is “byte”
  const unitDisplay = unit === 0 ? "long" : "short";
  return new Intl.NumberFormat(language, { style: "unit", unit: UNITS[unit], unitDisplay, maximumFractionDigits: digits }).format(value);
}

export class Words {
  /** @param {string} json the messages that the page brought, with {places} */
  constructor(json) {
    /** @type {Record<string, string>} */
    this.messages = JSON.parse(json);
  }

  /** @param {string} name @param {Record<string, string | number>} [places] */
  say(name, places = {}) {
    return this.messages[name].replace(/\{(\w+)\}/g, (whole, place) => String(places[place] ?? whole));
  }

  /** @param {number} seconds */
  time(seconds) {
    if (seconds < 90) return this.say("seconds", { count: Math.max(1, Math.ceil(seconds)) });
    if (seconds < 5400) return this.say("minutes", { count: Math.ceil(seconds / 60) });
    return this.say("hours", { count: new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(seconds / 3600) });
  }
}
