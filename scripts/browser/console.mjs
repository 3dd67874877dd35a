// The console in a real browser, for server/console: the teacher's walk on a
// phone, then every page as the person who uses it, in both languages and
// themes, with axe. CONSOLE_PLAN says where and who (see browser_test.go);
// --shots DIR keeps pictures.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(process.env.NODE_MODULES ? join(process.env.NODE_MODULES, "x.js") : import.meta.url);
const { chromium } = require("playwright-core");
const { AxeBuilder } = require("@axe-core/playwright");

const plan = JSON.parse(process.env.CONSOLE_PLAN);
const at = process.argv.indexOf("--shots");
const shots = at < 0 ? null : process.argv[at + 1];
if (shots) mkdirSync(shots, { recursive: true });
const phone = { width: 390, height: 844 }, desk = { width: 1280, height: 900 };
const only = process.env.CONSOLE_ONLY?.split(","); // names of pages; "walk" for the walk alone

let faults = 0;
const fault = (what) => (faults++, console.log("FAULT " + what));
const check = (fine, what) => fine || fault(what);
const picture = (page, name, fullPage = false) => shots && page.screenshot({ path: join(shots, name + ".png"), fullPage });

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });

// The browsers stand somewhere else: times are told in the school's all the same.
async function person(who, viewport, locale = "de-DE") {
  const context = await browser.newContext({ viewport, locale, timezoneId: "Asia/Tokyo", serviceWorkers: "block", reducedMotion: "reduce", hasTouch: viewport === phone });
  const page = await context.newPage();
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && !/404|403|422|ERR_INTERNET_DISCONNECTED|Failed to load resource|Service Worker registration blocked/.test(m.text()) && fault(`${who}: console: ${m.text()}`));
  page.on("pageerror", (e) => fault(`${who}: script: ${e.message}`));
  if (who) {
    await page.goto(plan.base + "/anmelden");
    await page.fill("[name=email]", plan.logins[who]);
    await page.fill("[name=password]", plan.password);
    await page.click("main form button:not([name])");
    await page.waitForURL((url) => !url.pathname.startsWith("/anmelden"));
  }
  return { context, page };
}

// active waits until the board says by itself that n devices are active.
const active = (page, n, word = "aktiv") => page.waitForFunction(([n, word]) => [...document.querySelectorAll("#summary li")].some((li) => li.textContent.replace(/\s+/g, " ").includes(`${n} ${word}`)), [n, word], { timeout: 15000 }).catch(async () => fault(`not ${n} ${word}: ${(await page.innerText("#board")).replace(/\s+/g, " ")}`));

async function walk() {
  const { context, page } = await person("teacher", phone);
  check(page.url().endsWith("/mein-tag"), `a teacher begins at ${page.url()}`);
  await picture(page, "walk-1-day");
  await page.click(`a[href="/unterricht/${plan.class}"]`); // first tap
  await page.waitForSelector("#mode-offline");
  await picture(page, "walk-2-board");
  await page.evaluate(() => (window.same = true));
  const began = Date.now();
  await page.click("#mode-offline"); // second tap
  await active(page, plan.devices);
  console.log(`two taps to a mode; all ${plan.devices} devices were shown as active ${Date.now() - began} ms after the second`);
  check(await page.evaluate(() => window.same === true), "the board was reloaded");
  await picture(page, "walk-3-running");

  const until = () => page.textContent(".now h2");
  const before = await until();
  await page.click("[id^=plus-]");
  await page.waitForFunction((before) => document.querySelector(".now h2")?.textContent !== before, before);
  await active(page, plan.devices);

  await page.click("[id^=end-]");
  await page.waitForSelector("#undo form");
  await picture(page, "walk-4-undo");
  await page.click("#undo button");
  await page.waitForSelector(".now h2");
  await active(page, plan.devices);

  // What can be done with the ticked tiles lies under the thumb, and nothing over it.
  await page.check(".tile input >> nth=0");
  const covered = await page.$$eval(".picked .button", (all) => all.filter((one) => one.checkVisibility()).filter((one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    return ![0.1, 0.5, 0.9].every((part) => one.contains(document.elementFromPoint(x + width / 2, y + height * part)));
  }).map((one) => one.textContent.trim()));
  check(covered.length === 0, `on a phone, in a mode, something lies over: ${covered.join(", ")}`);
  await picture(page, "walk-5-picked");

  // The page keeps the codes for when the server is out of reach.
  await context.setOffline(true);
  await page.waitForSelector("#lost :text-matches('.')", { timeout: 20000 }).catch(() => fault("a lost stream is not said"));
  check(/^1[01]:\d\d$/.test(await page.textContent("#lost time")), `lost since ${await page.textContent("#lost time")}, and school is at ten in the morning`);
  await picture(page, "walk-6-lost");
  await context.setOffline(false);
  await page.waitForFunction(() => !document.querySelector("#lost")?.textContent.trim(), null, { timeout: 40000 }).catch(() => fault("the stream does not come back"));
  await page.uncheck(".tile input >> nth=0");

  // At a desk, with the keyboard alone: Enter on a tick box starts nothing, the
  // pressed tile ends its mode.
  await page.setViewportSize(desk);
  await page.focus(".tile input >> nth=0");
  await page.keyboard.press("Enter");
  await page.waitForTimeout(300);
  check(page.url().endsWith(plan.class), "Enter on a tick box started something");
  await page.focus("#mode-offline");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#undo form");
  await page.waitForFunction(() => document.querySelector("#mode-offline")?.getAttribute("aria-pressed") === "false");
  check(await page.evaluate(() => document.activeElement?.id === "mode-offline"), "the focus is lost when the board changes");

  // Two devices only, a list of sites, in English.
  await page.setViewportSize(phone);
  await page.goto(plan.base + "/unterricht/" + plan.class);
  await page.click(".menu summary");
  await page.click(".menu button[name=lang][value=en]");
  await page.waitForSelector("html[lang=en]");
  await page.check(".tile input >> nth=1");
  await page.check(".tile input >> nth=2");
  await picture(page, "walk-7-picked-en");
  await page.click("#mode-sites");
  await page.fill("[name=sites]", "geogebra.org");
  await picture(page, "walk-8-sites-en", true);
  await page.click("main form button.primary");
  await page.waitForURL((url) => url.pathname === "/unterricht/" + plan.class);
  await active(page, 2, "active");
  await picture(page, "walk-9-sites-running-en", true);
  await page.click("[id^=end-]");
  await page.waitForSelector("#undo form");
  await page.click(".menu summary");
  await page.click(".menu button[name=lang][value=de]");

  // Try it on a device that is none.
  await page.goto(plan.base + "/probe");
  await page.click("#mode-screen");
  await page.waitForFunction(() => /Frau Oert möchte/.test(document.body.innerText), null, { timeout: 10000 }).catch(() => fault("the pretend screen does not show the mode"));
  await active(page, 1);
  await picture(page, "walk-10-rehearsal", true);
  await page.click("[id^=end-]");
  await page.waitForFunction(() => /Geschafft/.test(document.body.innerText), null, { timeout: 8000 }).catch(() => fault("the rehearsal does not say that it is done"));
  await context.close();
}

async function look(page, entry, lang, theme, size) {
  const tell = (what) => fault(`${entry.name} ${lang} ${theme} ${size}: ${what}`);
  await page.goto(plan.base + entry.path, { waitUntil: "load" });
  await page.evaluate(() => document.fonts.ready);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) tell(`${wide} px wider than the window`);
  if (await page.evaluate(() => document.documentElement.lang) !== lang) tell("another language");
  if (/⟦/.test(await page.content())) tell("words are missing");
  const { violations } = await new AxeBuilder({ page }).options({ preload: false }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
  for (const found of violations) tell(`axe ${found.id}: ${found.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(" | ")}`);
  await picture(page, `${entry.name}-${size}-${theme}-${lang}`, true);
}

async function pages() {
  let n = 0;
  const people = [...new Set(plan.pages.map((entry) => entry.as))];
  for (const [lang, theme, size, window] of [["de", "light", "desk", desk], ["en", "dark", "desk", desk], ["de", "dark", "phone", phone], ["en", "light", "phone", phone]]) {
    for (const who of people) {
      const { context, page } = await person(who, window, lang === "de" ? "de-DE" : "en-GB");
      page.removeAllListeners("console"); // axe itself tries inline styles
      if (who) await context.request.post(plan.base + "/einstellungen", { form: { lang, theme, back: "/hilfe" }, headers: { Origin: plan.base } });
      else await context.addCookies([{ name: "theme", value: theme, url: plan.base }, { name: "lang", value: lang, url: plan.base }]);
      for (const entry of plan.pages.filter((entry) => entry.as === who && (!only || only.includes(entry.name)))) {
        n++;
        await look(page, entry, lang, theme, size);
      }
      await context.close();
    }
  }
  console.log(`${n} pages looked at`);
}

try {
  if (!only || only.includes("walk")) await walk();
  if (!only || only.some((name) => name !== "walk")) await pages();
} catch (error) {
  fault(error.stack);
  for (const context of browser.contexts()) for (const page of context.pages()) await picture(page, "at-the-fault", true);
} finally {
  await browser.close();
}
console.log(`${faults} faults`);
process.exit(faults ? 1 : 0);
