// What every page does: theme, keys that work everywhere, telling what happened.
import { alarm, takeBack, tell } from "./api.js";
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
const helping = document.body.dataset.page === "help";
keys.on("help", () => (helping ? history.back() : location.assign("/help")));
if (helping) keys.on("back", () => history.back());
keys.on("undo", async () => {
  try {
    const answer = await takeBack();
    tell(answer.undone ? "Taken back what you said last." : "There is nothing to take back.");
  } catch (error) {
    alarm(error);
  }
});
