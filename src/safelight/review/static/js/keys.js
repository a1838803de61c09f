// Keys to actions, from the one table that the server has too: it makes this, the help page and the test of both. The
// table comes with the page, so that keys work as soon as anything is shown that they could be meant for.

/** @typedef {{action: string, page: string, group: string, keys: string[], text: string, advances: boolean, darktable: string[]}} Row */

/** @returns {"own" | "darktable"} */
export const layout = () => (localStorage.getItem("safelight.keys") === "darktable" ? "darktable" : "own");

/** A key event as the table writes it: modifiers, then the key. Shift is told apart only where it changes no sign.
 * @param {KeyboardEvent} event @returns {{key: string, shift: boolean}} */
export function written(event) {
  let key = event.key === " " ? "Space" : event.key;
  if (/^[A-Z]$/.test(key)) key = key.toLowerCase();
  if (event.shiftKey && event.code.startsWith("Digit")) key = event.code.slice(5);
  const modifiers = [event.ctrlKey && "Ctrl", event.altKey && "Alt", event.metaKey && "Meta"].filter(Boolean);
  return { key: [...modifiers, key].join("+"), shift: event.shiftKey };
}

/** The place in a list that a digit names: 1 the first, 0 the tenth. @param {string} key */
export const nth = (key) => (Number(key) + 9) % 10;

/** The digit that names a place in a list; empty beyond the tenth. @param {number} place */
export const digit = (place) => (place < 10 ? String((place + 1) % 10) : "");

export class Keys {
  constructor() {
    /** @type {Map<string, (advance: boolean, event: KeyboardEvent) => void>} */
    this.actions = new Map();
    /** @type {Map<string, Row>} */
    this.table = new Map();
    this.read(JSON.parse(document.body.dataset.shortcuts ?? "[]"));
    document.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** @param {string} action @param {(advance: boolean, event: KeyboardEvent) => void} act */
  on(action, act) {
    this.actions.set(action, act);
    return this;
  }

  /** @param {Row[]} rows */
  read(rows) {
    const pages = (document.body.dataset.page ?? "").split(" ");
    for (const row of rows) {
      if (row.page !== "all" && !pages.includes(row.page)) continue;
      const keys = layout() === "darktable" && row.darktable.length ? row.darktable : row.keys;
      for (const key of keys) this.table.set(key, row);
    }
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    if (event.defaultPrevented || event.isComposing) return;
    if (typing(event)) {
      if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur(); // keys are for the page again
      return;
    }
    const { key, shift } = written(event);
    const row = this.table.get(key);
    const act = row && this.actions.get(row.action);
    if (!row || !act || (pressing(event) && (key === "Enter" || key === "Space"))) return;
    event.preventDefault();
    act(shift && row.advances, event);
  }
}

/** Whether somebody is writing text. @param {KeyboardEvent} event */
function typing(event) {
  const at = /** @type {HTMLElement} */ (event.target);
  const box = at.closest?.("input, textarea, select");
  return box !== null && box !== undefined && !["checkbox", "radio", "button"].includes(box.getAttribute("type") ?? "");
}

/** Whether the key is for the control that has the focus; frames of a strip are chosen with arrows, items of a list by the focus itself. @param {KeyboardEvent} event */
function pressing(event) {
  const at = /** @type {HTMLElement} */ (event.target);
  return Boolean(at.closest?.("video, audio, button:not(.frame, .unit, .item), a[href], summary, input"));
}
