// The first page, where there is nothing to open yet: it goes on by itself once a run has begun.
import { get } from "./api.js";
import "./page.js";

const LOOK_MS = 2000;
const waits = /** @type {HTMLElement | null} */ (document.querySelector("[data-waits]"));

async function look() {
  const first = await fetch("/").catch(() => null); // leads to the shoot that was asked for, once there is one
  if (first?.redirected) return location.replace(first.url);
  const shoots = await get("/api/shoots").catch(() => null);
  if (shoots && shoots.length !== Number(waits?.dataset.waits)) return location.reload();
  setTimeout(look, LOOK_MS);
}

if (waits) setTimeout(look, LOOK_MS);
