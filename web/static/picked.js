// Counts the ticked tiles for the bar that acts on them.
export function picked() {
  const update = () => {
    const boxes = [...document.querySelectorAll(".tile :checked")];
    document.querySelector(".board")?.classList.toggle("picking", boxes.length > 0);
    const count = document.querySelector(".picked [data-count]");
    if (!count || boxes.length === 0) return;
    count.textContent = boxes.length === 1 ? count.dataset.one : count.dataset.other.replace("{n}", boxes.length);
    const code = document.querySelector("[data-release-picked]");
    const one = boxes.length === 1 && "code" in boxes[0].dataset;
    code.classList.toggle("hidden", !one);
    if (one) {
      code.href = boxes[0].dataset.href;
      code.dataset.release = boxes[0].value;
    }
  };
  document.addEventListener("change", (event) => event.target.closest(".tile") && update());
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-unpick]")) return;
    for (const box of document.querySelectorAll(".tile :checked")) box.checked = false;
    update();
  });
  // Enter on a tick box would press the form's first button, and that starts a
  // mode.
  document.addEventListener("keydown", (event) => event.key === "Enter" && event.target.matches(".tile input") && event.preventDefault());
  document.addEventListener("schulwart:changed", update);
  document.addEventListener("htmx:afterSettle", update);
  update(); // a browser may bring ticks back with the page
}
