// What the console's pages do by themselves. Everything works without it, only
// less lively.
import { age } from "./age.js";
import { ring } from "./ring.js";
import { stream } from "./stream.js";
import { undo } from "./undo.js";
import { copy } from "./copy.js";
import { picked } from "./picked.js";
import { release } from "./release.js";
import { upload } from "./upload.js";
import { fold, hosts, menus } from "./small.js";

age();
ring();
stream();
undo();
copy();
picked();
release();
upload();
fold();
hosts();
menus();

if ("serviceWorker" in navigator) navigator.serviceWorker.register("/worker.js").catch(() => {});
