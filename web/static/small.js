// Small conveniences, one function each.

// fold opens and closes what a small screen has folded away.
export function fold() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fold]");
    if (!button) return;
    const open = document.getElementById(button.dataset.fold).classList.toggle("unfolded");
    button.setAttribute("aria-expanded", String(open));
  });
}

// hosts takes the ticked proposals into the text area beside the helper.
export function hosts() {
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-take-hosts]")) return;
    const area = document.querySelector("textarea[name=sites], textarea[name=hosts]");
    const lines = area.value.split("\n").map((line) => line.trim()).filter(Boolean);
    for (const box of document.querySelectorAll("[data-host]:checked")) if (!lines.includes(box.value)) lines.push(box.value);
    area.value = lines.join("\n") + "\n";
    area.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !("noEnter" in event.target.dataset)) return;
    event.preventDefault();
    event.target.parentElement.querySelector("button").click();
  });
}

// menus closes an open menu when one looks elsewhere.
export function menus() {
  const close = (except) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
  };
  document.addEventListener("click", (event) => close(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.activeElement?.closest?.("details.menu[open]");
    close();
    menu?.querySelector("summary").focus();
  });
  for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
}
