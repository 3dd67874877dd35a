// The server's clock, as far as this page knows it. People's phones are often
// minutes off, and ages must not be.
const made = Date.parse(document.body.dataset.now);
const loaded = Date.now();

// How much faster time runs there: in a demo it can.
export const pace = Number(document.body.dataset.pace) || 1;

export const now = () => made + (Date.now() - loaded) * pace;

// A time of day as the school's clocks show it, wherever the browser thinks it is.
const zone = document.body.dataset.zone || undefined;
export const timeOfDay = (at) => at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", timeZone: zone });

// every calls what() now and then each second while the page can be seen.
export function every(what) {
  what();
  setInterval(() => document.hidden || what(), 1000);
  document.addEventListener("visibilitychange", () => document.hidden || what());
}
