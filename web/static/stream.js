// Listens to the page's event stream and puts each event in place. One stream
// per page, closed while nobody looks: a browser has six connections to a host.
// If the connection is lost, the page says so and since when, and tries again
// with growing, random pauses.
const place = document.querySelector("[data-stream]");
const lost = document.getElementById("lost");
const live = document.querySelector("[data-live]");

let source = null, failures = 0, retry = 0, hide = 0, since = null, gap = false;

export const connected = () => !place || since === null;

export function stream() {
  document.body.addEventListener("htmx:responseError", failed);
  document.body.addEventListener("htmx:sendError", failed);
  if (!place) return;
  open();
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hide);
    if (document.hidden) hide = setTimeout(close, 20000);
    else if (!source) open();
  });
  addEventListener("online", () => source || open());
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
}

function open() {
  clearTimeout(retry);
  source = new EventSource(place.dataset.stream);
  source.onopen = () => {
    failures = 0;
    tell(null);
    if (gap) refresh();
    gap = true;
  };
  source.onerror = () => {
    close();
    failures++;
    tell(since ?? new Date());
    retry = setTimeout(open, Math.random() * Math.min(30000, 1000 * 2 ** failures));
  };
  for (const name of ["board", "stage"]) source.addEventListener(name, (event) => put(event.data));
}

function close() {
  clearTimeout(retry);
  source?.close();
  source = null;
}

// put lets htmx swap each fragment into the place that its id names, and keeps
// the ticks of tiles that were drawn anew.
function put(html) {
  const ticked = [...document.querySelectorAll(".tile :checked")].map((box) => box.value);
  window.htmx.swap(document.body, html, { swapStyle: "none" });
  for (const value of ticked) {
    const box = document.querySelector(`.tile input[value="${CSS.escape(value)}"]`);
    if (box && !box.checked) box.checked = true;
  }
  document.dispatchEvent(new Event("schulwart:changed"));
}

async function refresh() {
  const answer = await fetch(place.dataset.refresh, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (answer?.ok && !answer.redirected) put(await answer.text());
}

function tell(at) {
  since = at;
  if (live) live.textContent = at ? live.dataset.off : live.dataset.on;
  lost.replaceChildren();
  if (!at) return;
  const words = document.getElementById("lost-words").content.cloneNode(true);
  words.querySelector("time").textContent = at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  lost.append(words);
}

// An action that did not get through must not look as if it had.
function failed() {
  const note = document.createElement("div");
  note.className = "note trouble";
  note.setAttribute("role", "alert");
  note.textContent = document.body.dataset.failed;
  document.getElementById("flash")?.replaceChildren(note);
}
