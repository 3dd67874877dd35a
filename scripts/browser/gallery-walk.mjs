// Uses the board in Chromium as a teacher would, with the gallery's pages and
// made-up answers: events arrive, tiles are ticked, the connection breaks and a
// release code is still to be had, an action is put in place without reloading.
//
//   node scripts/browser/gallery-walk.mjs
import assert from "node:assert/strict";
import { gallery, launch } from "./gallery.mjs";

const { address, end } = await gallery();
const browser = await launch();
const board = `${address}p/board-running?lang=de&theme=light`;

// open returns the board with a stream that says what events says; null breaks it.
async function open(events, size = { width: 1280, height: 900 }) {
  const page = await (await browser.newContext({ viewport: size, serviceWorkers: "block" })).newPage();
  page.on("pageerror", (error) => assert.fail(error));
  await page.route("**/unterricht/g7b/live", (route) => (events === null ? route.abort() : route.fulfill({ contentType: "text/event-stream", body: "retry: 100000\n" + events })));
  await page.route("**/unterricht/g7b/stand", (route) => route.fulfill({ contentType: "text/html", body: "" }));
  await page.goto(board);
  return page;
}

const walks = {
  async "an event changes a tile in place and keeps ticks"() {
    const page = await open("");
    await page.getByRole("checkbox", { name: "Ben K." }).check();
    await page.evaluate(() => {
      document.querySelector(".tile input[value=d1]").focus();
      const now = '<div id="tile-d1" class="tile-now" hx-swap-oob="outerHTML"><span class="state">neu</span></div><section id="summary" hx-swap-oob="innerHTML"><ul><li>25 aktiv</li></ul></section>';
      window.htmx.swap(document.body, now, { swapStyle: "none" });
    });
    await page.waitForFunction(() => document.getElementById("tile-d1").textContent === "neu");
    assert.equal(await page.locator("#summary[aria-live=polite]").innerText(), "25 aktiv");
    assert.ok(await page.getByRole("checkbox", { name: "Ben K." }).isChecked());
    assert.equal(await page.evaluate(() => document.activeElement.value), "d1");
  },
  async "an event of the stream finds its place"() {
    const page = await open('event: board\ndata: <div id="tile-d0" class="tile-now" hx-swap-oob="outerHTML">vom Strom</div>\n\n');
    await page.waitForFunction(() => document.getElementById("tile-d0").textContent === "vom Strom");
  },
  async "ticked tiles are counted and can be let go"() {
    const page = await open("");
    assert.ok(!(await page.locator(".picked").isVisible()));
    for (const name of ["Ada B.", "Cem A."]) await page.getByRole("checkbox", { name }).check();
    assert.match(await page.locator(".picked").innerText(), /2 Geräte ausgewählt/);
    assert.ok(!(await page.locator("[data-release-picked]").isVisible()));
    await page.getByRole("checkbox", { name: "Cem A." }).uncheck();
    assert.match(await page.locator("[data-release-picked]").getAttribute("href"), /\/freigabe\/d0$/);
    await page.getByRole("button", { name: "Auswahl aufheben" }).click();
    assert.ok(!(await page.locator(".picked").isVisible()));
  },
  async "without a server the page says so and still has the code"() {
    const page = await open(null);
    await page.locator("#lost .lost").waitFor();
    assert.match(await page.locator("[data-live]").innerText(), /unterbrochen/);
    await page.getByRole("checkbox", { name: "Ada B." }).check();
    await page.locator("[data-release-picked]").click();
    await page.getByRole("dialog").waitFor();
    assert.match(await page.locator("[data-digits]").innerText(), /^\d{4} \d{4}$/);
    await page.getByRole("button", { name: "Schließen" }).click();
    assert.equal(page.url(), board);
  },
  async "an action replaces the board without a reload and offers undo"() {
    const page = await open("");
    const asked = [];
    await page.route("**/laufend/m1/ende", async (route) => {
      asked.push(route.request().postData());
      const answer = await page.request.get(`${address}p/board-idle?lang=de&theme=light`);
      await route.fulfill({ contentType: "text/html", body: await answer.text() });
    });
    await page.evaluate(() => (window.same = true));
    await page.getByRole("button", { name: "Beenden", exact: true }).click();
    await page.getByRole("button", { name: /Rückgängig/ }).waitFor();
    assert.equal(asked.length, 1);
    assert.ok(await page.evaluate(() => window.same), "the page was loaded anew");
    assert.equal(await page.locator(".now").count(), 0);
    assert.match(await page.locator("#summary").innerText(), /24 bereit/);
  },
  async "a mode is started for the ticked devices"() {
    const page = await open("");
    let posted = "";
    await page.route("**/unterricht/g7b/modus", async (route) => {
      posted = route.request().postData();
      await route.fulfill({ status: 422, contentType: "text/html", body: '<div id="board">abgelehnt</div>' });
    });
    for (const name of ["Ada B.", "Cem A."]) await page.getByRole("checkbox", { name }).check();
    await page.getByRole("button", { name: /Augen nach vorn/ }).first().click();
    await page.waitForFunction(() => document.getElementById("board").textContent === "abgelehnt");
    assert.deepEqual([...new URLSearchParams(posted)].sort(), [["device", "d0"], ["device", "d2"], ["kind", "screen"]]);
  },
  async "on a phone other modes fold away and come back"() {
    const page = await open("", { width: 390, height: 844 });
    assert.ok(!(await page.getByRole("button", { name: /Fokus/ }).first().isVisible()));
    await page.getByRole("button", { name: "Andere Modi" }).click();
    assert.ok(await page.getByRole("button", { name: /Programme wählen/ }).isVisible());
  },
  async "the keyboard reaches every mode, and the menu closes with Escape"() {
    const page = await open("");
    const reached = new Set();
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => document.activeElement.id));
    }
    for (const id of ["mode-last", "mode-focus", "mode-sites", "mode-offline", "mode-screen", "end-m1", "plus-m1"]) assert.ok(reached.has(id), `${id} not reached`);
    await page.locator("details.menu > summary").click();
    await page.keyboard.press("Escape");
    assert.ok(!(await page.locator("details.menu .sheet").isVisible()));
  },
};

let failed = 0;
for (const [name, walk] of Object.entries(walks)) {
  try {
    await walk();
    console.log(`ok    ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}: ${error.message}`);
  }
}
await browser.close();
end();
process.exit(failed ? 1 : 0);
