// Counts down the offer to take something back, then removes it.
import { every, now, pace } from "./clock.js";

export function undo() {
  every(() => {
    const offer = document.querySelector(".undo[data-until]");
    if (!offer) return;
    const left = Math.ceil((Date.parse(offer.dataset.until) - now()) / pace / 1000);
    if (left <= 0) offer.remove();
    else offer.querySelector(".left").textContent = `${left} s`;
  });
}
