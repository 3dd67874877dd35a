// Copies what a button names, and says so on the button for a moment.
export function copy() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.querySelector("span"), before = label.textContent;
    label.textContent = document.body.dataset.copied;
    setTimeout(() => (label.textContent = before), 1600);
  });
}
