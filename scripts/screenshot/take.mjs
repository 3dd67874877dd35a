// Signs in as the demo's teacher, opens the class that has a lesson, starts
// "Internet aus" if nothing runs, waits until devices have read it back, and
// takes the picture. Arguments: address, file of logins, picture.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(process.env.NODE_MODULES ? join(process.env.NODE_MODULES, "x.js") : import.meta.url);
const { chromium } = require("playwright-core");
const [base, logins, picture] = process.argv.slice(2);
const teacher = JSON.parse(readFileSync(logins, "utf8")).find((l) => l.role === "teacher");

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, locale: "de-DE", deviceScaleFactor: 1, reducedMotion: "reduce" });
  await page.goto(base + "/anmelden");
  await page.fill("[name=email]", teacher.email);
  await page.fill("[name=password]", teacher.password);
  await page.click("main form button:not([name])");
  await page.goto(base + "/unterricht");
  const class7b = page.locator("main a[href^='/unterricht/']", { hasText: "7b" });
  if (await class7b.count()) await class7b.first().click();
  await page.waitForSelector(".tile-now");
  if (!(await page.locator("[id^=end-]").count())) await page.click("#mode-offline");
  // "12 aktiv" in the summary: most devices have read it back.
  const active = async () => Number((await page.locator("#summary").innerText()).match(/(\d+)\s+aktiv/)?.[1] ?? 0);
  for (let i = 0; i < 100 && (await active()) < 5; i++) await page.waitForTimeout(200);
  await page.waitForTimeout(3000); // the age of a tile is older than a blink
  console.log(`${await active()} devices have read it back`);
  await page.screenshot({ path: picture });
} finally {
  await browser.close();
}
