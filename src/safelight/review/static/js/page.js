// What every page does: theme, keys that work everywhere, telling what happened.
import { Keys, layout } from "./keys.js";

const theme = document.getElementById("theme");
theme?.addEventListener("click", () => {
  const next = document.documentElement.dataset.theme === "light" ? "dark" : "light";
  document.documentElement.dataset.theme = next;
  localStorage.setItem("safelight.theme", next);
});

const box = /** @type {HTMLInputElement | null} */ (document.getElementById("layout"));
if (box) {
  box.checked = layout() === "darktable";
  box.addEventListener("change", () => localStorage.setItem("safelight.keys", box.checked ? "darktable" : "own"));
}

/** The keys of this page; pages add what their actions do.
 * @type {Keys} */
export const keys = new Keys();
keys.on("help", () => {
  if (document.body.dataset.page === "help") history.back();
  else location.href = "/help";
});
