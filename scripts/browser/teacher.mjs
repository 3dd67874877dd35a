// A teacher at the console in a real browser, for server/e2e. It takes one order
// as JSON a line and answers each with one line: {"ok":…} or {"fault":"…"}.
// TEACHER says where the console is.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { join } from "node:path";

const require = createRequire(process.env.NODE_MODULES ? join(process.env.NODE_MODULES, "x.js") : import.meta.url);
const { chromium } = require("playwright-core");

const base = process.env.TEACHER;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, locale: "de-DE", ignoreHTTPSErrors: true, serviceWorkers: "block", reducedMotion: "reduce" });
const page = await context.newPage();
page.setDefaultTimeout(30000);
const faults = [];
page.on("pageerror", (error) => faults.push(error.message));

const words = (text) => text.replace(/\s+/g, " ").trim();

const orders = {
  async login({ email, password }) {
    await page.goto(base + "/anmelden");
    await page.fill("[name=email]", email);
    await page.fill("[name=password]", password);
    await page.click("main form button:not([name])");
    await page.waitForURL((url) => !url.pathname.startsWith("/anmelden"));
  },
  async board({ group }) {
    await page.goto(base + "/unterricht/" + group);
    await page.waitForSelector("#mode-offline");
  },
  // A mode that starts with one tap.
  async tap({ kind }) {
    await page.click(`#mode-${kind}[aria-pressed=false]`);
    await page.waitForSelector(".now h2");
  },
  // A mode that asks first.
  async form({ kind, group, fields, check }) {
    await page.click(`#mode-${kind}`);
    await page.waitForURL((url) => url.pathname.endsWith("/modus/" + kind));
    for (const [name, value] of Object.entries(fields ?? {})) await page.fill(`[name=${name}]`, value);
    for (const [name, value] of Object.entries(check ?? {})) await page.check(`[name=${name}][value="${value}"]`);
    await page.click("main form button.primary");
    await page.waitForURL((url) => url.pathname === "/unterricht/" + group);
    await page.waitForSelector(".now h2");
  },
  async end() {
    await page.click("[id^=end-]");
    await page.waitForSelector("#undo form");
  },
  // What every tile says: the name, the state in the board's words.
  async tiles() {
    return page.$$eval("#tiles li.tile", (list) => list.map((li) => ({
      name: li.querySelector("label span")?.textContent.trim() ?? "",
      state: (li.querySelector(".state")?.textContent ?? "").replace(/\s+/g, " ").trim(),
    })));
  },
  async text({ selector }) {
    return words(await page.innerText(selector ?? "main"));
  },
  async shot({ file }) {
    await page.screenshot({ path: file, fullPage: true });
  },
  async faults() {
    return faults;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  try {
    console.log(JSON.stringify({ ok: (await orders[order.do](order)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ fault: `${order.do}: ${error.message} at ${page.url()}` }));
  }
}
await browser.close();
