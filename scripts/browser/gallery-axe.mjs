// Opens every page of the gallery in Chromium, in both themes and at the sizes
// of a desk and a phone, and reports what axe finds, what the console logs and
// what is wider than the window. With --shots DIR it keeps a picture of each.
//
//   node scripts/browser/gallery-axe.mjs [--shots DIR] [--only PART] [--lang de,en] [--theme light,dark] [--size desk,phone] [--no-axe]
//
// It starts the gallery itself (go run ./web/gallery) unless GALLERY names one.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { gallery, launch, modules } from "./gallery.mjs";

const { AxeBuilder } = modules("@axe-core/playwright");
const flag = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const shots = flag("shots"), only = flag("only", "").split(","), langs = flag("lang", "de,en").split(",");
const themes = flag("theme", "light,dark").split(","), sizes = flag("size", "desk,phone").split(",");
const axe = !process.argv.includes("--no-axe");
const windows = { desk: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

// widest names what reaches furthest beyond the right edge.
const widest = () => [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(e).position !== "absolute").map((e) => e.tagName.toLowerCase() + "." + e.className).slice(-2).join(", ");

async function look(page, address, name, lang, theme, size, report) {
  const tell = (what) => report(`${name} ${lang} ${theme} ${size}: ${what}`);
  const fragment = /fragments?$/.test(name); // drawn without its page
  const heard = (message) => ["error", "warning"].includes(message.type()) && !/live|stream|404|Service Worker registration blocked/.test(message.text() + message.location().url) && tell(`console: ${message.text()}`);
  const broke = (error) => tell(`script: ${error.message}`);
  page.on("console", heard);
  page.on("pageerror", broke);
  await page.setViewportSize(windows[size]);
  await page.goto(`${address}p/${name}?lang=${lang}&theme=${theme}`, { waitUntil: "load" });
  await page.evaluate(() => document.fonts.ready);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) tell(`${wide} px wider than the window: ${await page.evaluate(widest)}`);
  const small = fragment ? [] : await page.evaluate(() => [...document.querySelectorAll("a.button, button:not(.link, [aria-hidden]), summary, .tabbar a")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 43.5).map((e) => e.textContent.trim()));
  if (small.length) tell(`lower than 44 px: ${small.join(", ")}`);
  page.off("console", heard); // axe itself tries inline styles
  if (axe && !fragment) {
    const { violations } = await new AxeBuilder({ page }).options({ preload: false }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
    for (const found of violations) tell(`axe ${found.id}: ${found.nodes.map((node) => node.target.join(" ") + " (" + (node.any[0]?.message ?? node.failureSummary) + ")").slice(0, 3).join(" | ")}`);
  }
  if (shots) await page.screenshot({ path: join(shots, `${name}-${size}-${theme}-${lang}.png`), fullPage: size === "desk" });
  page.off("pageerror", broke);
}

const { address, end } = await gallery();
const browser = await launch();
let faults = 0, pages = 0;
try {
  if (shots) mkdirSync(shots, { recursive: true });
  const names = (await (await fetch(`${address}names`)).text()).trim().split("\n").filter((name) => only.some((part) => name.includes(part)));
  const context = await browser.newContext({ serviceWorkers: "block", reducedMotion: "reduce" });
  const page = await context.newPage();
  for (const name of names) for (const lang of langs) for (const theme of themes) for (const size of sizes) {
    pages++;
    await look(page, address, name, lang, theme, size, (line) => (faults++, console.log(line)));
  }
} finally {
  await browser.close();
  end();
}
console.log(`${pages} pages, ${faults} faults`);
process.exit(faults ? 1 : 0);
