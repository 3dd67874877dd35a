// Counts on what the server wrote as "3 s ago".
import { every, now } from "./clock.js";

const { ageSeconds, ageMinutes, ageHours } = document.body.dataset;

function words(seconds) {
  if (seconds < 60) return ageSeconds.replace("{n}", Math.max(0, Math.floor(seconds)));
  if (seconds < 3600) return ageMinutes.replace("{n}", Math.floor(seconds / 60));
  if (seconds < 48 * 3600) return ageHours.replace("{n}", Math.floor(seconds / 3600));
  return null; // days do not change while one looks
}

export function age() {
  every(() => {
    for (const time of document.querySelectorAll("time[data-age]")) {
      const text = words((now() - Date.parse(time.dateTime)) / 1000);
      if (text && text !== time.textContent) time.textContent = text;
    }
  });
}
