// Listens to the page's event stream and puts each event in place. One stream
// per page, closed while nobody looks: a browser has six connections to a host.
// If the connection is lost, the page says so and since when, and tries again
// with growing, random pauses. A dead connection looks like a quiet one, so a
// beat that stays out counts as lost. Where a stream does not get through at all,
// as behind some proxies, the page asks every few seconds instead.
//
// Answers to actions and events of the stream can overtake each other. An answer
// says an instant before it was looked up (header Board-At), an event one after
// (its id); an answer that may be older than what is shown is followed by a
// fresh look.
import { now, timeOfDay } from "./clock.js";

const place = document.querySelector("[data-stream]");
const lost = document.getElementById("lost");
const live = document.querySelector("[data-live]");

const silence = 50000; // two beats and some
const pace = 5000; // of asking while the stream says nothing
let source = null, failures = 0, retry = 0, hide = 0, watch = 0, since = null, gap = false, newest = 0;
let flows = false; // the stream has said something since it was opened
let asked = 0; // when asking was answered last

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
  addEventListener("offline", lose);
  document.body.addEventListener("htmx:afterSwap", (event) => {
    const at = Number(event.detail.xhr?.getResponseHeader("Board-At"));
    if (event.target.id === "board" && at && at <= newest) refresh();
  });
  setInterval(() => flows || document.hidden || refresh(0), pace);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
}

function open() {
  clearTimeout(retry);
  source = new EventSource(place.dataset.stream);
  clearTimeout(watch);
  watch = setTimeout(lose, silence);
  source.onopen = () => {
    tell(null);
    if (gap) refresh();
    gap = true;
  };
  source.onerror = lose;
  source.addEventListener("beat", heard);
  for (const name of ["board", "stage"]) {
    source.addEventListener(name, (event) => {
      heard();
      newest = Math.max(newest, Number(event.lastEventId));
      put(event.data);
    });
  }
}

// heard: a server says something at once. What only keeps a connection open, as a
// proxy that gathers does, is no stream.
function heard() {
  flows = true;
  failures = 0;
  tell(null);
  clearTimeout(watch);
  watch = setTimeout(lose, silence);
}

function lose() {
  close();
  failures++;
  if (Date.now() - asked > 2 * pace) tell(since ?? new Date(now()));
  retry = setTimeout(open, Math.random() * Math.min(30000, 1000 * 2 ** failures));
}

function close() {
  clearTimeout(retry);
  clearTimeout(watch);
  source?.close();
  source = null;
  flows = false;
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

async function refresh(tries = 5) {
  const answer = await fetch(place.dataset.refresh, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (answer && (answer.redirected || answer.status === 401 || answer.status === 403)) return location.reload();
  if (!answer?.ok) return flows || tell(since ?? new Date(now()));
  asked = Date.now();
  if (!flows) tell(null);
  const at = Number(answer.headers.get("Board-At"));
  const html = await answer.text();
  if (at <= newest && tries > 0) return setTimeout(refresh, 100, tries - 1);
  put(html);
}

function tell(at) {
  since = at;
  if (live) live.textContent = at ? live.dataset.off : live.dataset.on;
  lost.replaceChildren();
  if (!at) return;
  const words = document.getElementById("lost-words").content.cloneNode(true);
  words.querySelector("time").textContent = timeOfDay(at);
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
