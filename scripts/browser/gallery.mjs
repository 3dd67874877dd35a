// What the scripts about the gallery share: the gallery itself, and a browser.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// modules loads a package from here, or from NODE_MODULES where that is set.
export const modules = createRequire(process.env.NODE_MODULES ? join(process.env.NODE_MODULES, "x.js") : import.meta.url);

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

// gallery returns the address of a running gallery and how to end it.
export async function gallery() {
  if (process.env.GALLERY) return { address: process.env.GALLERY, end() {} };
  const child = spawn("go", ["run", "-tags", "nomsgpack", "./web/gallery", "-listen", "127.0.0.1:0"], { cwd: root, detached: true, stdio: ["ignore", "ignore", "pipe"] });
  const end = () => process.kill(-child.pid);
  const address = await new Promise((found, failed) => {
    let said = "";
    child.stderr.on("data", (data) => {
      said += data;
      const at = said.match(/http:\/\/\S+/);
      if (at) found(at[0]);
    });
    child.on("exit", () => failed(new Error(said)));
  });
  return { address, end };
}

export function launch() {
  const { chromium } = modules("playwright-core");
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
}
