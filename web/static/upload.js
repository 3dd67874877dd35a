// Sends a file in pieces, from the byte that the server has. A connection that
// breaks is waited for; what arrived is never sent again.
const piece = 4 * 1024 * 1024;

const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

async function ask(url, options) {
  const answer = await fetch(url, { ...options, credentials: "same-origin", redirect: "error" });
  const said = await answer.json();
  return { ok: answer.ok, status: answer.status, said };
}

async function send(form, file, show) {
  const values = new URLSearchParams(new FormData(form));
  values.set("file", file.name);
  values.set("size", String(file.size));
  let { ok, said } = await ask(form.action, { method: "POST", body: values });
  if (!ok) throw new Error(said.problem);
  for (let pause = 1; ; ) {
    show(said.offset);
    try {
      const next = await ask(said.url, {
        method: "POST",
        headers: { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(said.offset) },
        body: file.slice(said.offset, said.offset + piece),
      });
      if (next.ok) {
        if (next.said.done) return next.said.done;
        said = { ...said, offset: next.said.offset };
        pause = 1;
        continue;
      }
      if (next.status !== 409 && next.status < 500) throw Object.assign(new Error(next.said.problem), { told: true });
    } catch (error) {
      if (error.told) throw error;
    }
    show(said.offset, pause);
    await wait(pause);
    pause = Math.min(pause * 2, 30);
    try {
      const there = await ask(said.url, { method: "GET" });
      if (there.ok) said = { ...said, offset: there.said.offset };
    } catch {
      // Still no connection: the next round asks again.
    }
  }
}

export function upload() {
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-upload]");
    if (!form) return;
    event.preventDefault();
    const file = form.querySelector("input[type=file]").files[0];
    if (!file) return;
    const box = form.querySelector(".upload"), bar = box.querySelector("progress"), line = box.querySelector("p");
    const fault = form.querySelector("p.fault"), button = form.querySelector("button");
    box.hidden = false;
    fault.hidden = true;
    button.disabled = true;
    const show = (sent, pause) => {
      const percent = Math.floor((100 * sent) / file.size);
      bar.value = percent;
      const words = pause ? form.dataset.again : sent >= file.size ? form.dataset.looking : form.dataset.sent;
      line.textContent = words.replace("{percent}", percent);
    };
    try {
      location.assign(await send(form, file, show));
    } catch (error) {
      box.hidden = true;
      fault.hidden = false;
      fault.textContent = error.message;
      button.disabled = false;
    }
  });
}
