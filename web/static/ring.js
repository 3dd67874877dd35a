// Lets the rings run out.
import { every, now } from "./clock.js";

function text(seconds) {
  if (seconds <= 0) return "0′";
  if (seconds < 60) return `${Math.floor(seconds)}″`;
  if (seconds > 99 * 60) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.ceil(seconds / 60)}′`;
}

export function ring() {
  every(() => {
    for (const svg of document.querySelectorAll(".ring[data-ends]")) {
      const starts = Date.parse(svg.dataset.starts), ends = Date.parse(svg.dataset.ends);
      const share = Math.min(1, Math.max(0, (ends - now()) / (ends - starts)));
      svg.querySelector(".rest").setAttribute("stroke-dasharray", `${(share * 100).toFixed(1)} 100`);
      const label = svg.querySelector("text");
      if (label) label.textContent = text((ends - now()) / 1000);
    }
  });
}
