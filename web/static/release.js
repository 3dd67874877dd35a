// Shows release codes from the page itself while the server cannot be asked:
// each running lease's codes came with the page, one for every five minutes.
import { every, now, timeOfDay } from "./clock.js";
import { connected } from "./stream.js";

let shown = null;

const codesOf = (device) => JSON.parse(document.getElementById("codes")?.textContent || "[]").find((entry) => entry.device === device);

export function release() {
  const dialog = document.getElementById("offline-code");
  if (!dialog) return;
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-release]");
    if (!link || event.ctrlKey || event.metaKey) return;
    const codes = codesOf(link.dataset.release);
    if (!codes || (connected() && navigator.onLine)) return;
    event.preventDefault();
    shown = codes;
    draw(dialog);
    dialog.showModal();
  });
  every(() => dialog.open && draw(dialog));
}

function draw(dialog) {
  const at = Math.floor(now() / 1000), step = Math.floor((at - shown.from) / shown.step);
  const over = now() >= Date.parse(shown.ends) || step >= shown.codes.length;
  const code = shown.codes[Math.max(0, Math.min(step, shown.codes.length - 1))];
  dialog.querySelector("[data-name]").textContent = shown.name;
  dialog.querySelector("[data-digits]").textContent = over ? "" : `${code.slice(0, 4)} ${code.slice(4)}`;
  dialog.querySelector("[data-over]").classList.toggle("hidden", !over);
  const until = new Date((shown.from + (step + 1) * shown.step) * 1000);
  dialog.querySelector("[data-until]").textContent = over ? "–" : timeOfDay(until);
}
