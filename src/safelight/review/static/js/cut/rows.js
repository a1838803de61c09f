// Long lists: rows of one height, of which only those that are seen are there.
import { render } from "../vendor/lit.js";

const SPARE = 6; // rows above and below what is seen

export class Rows {
  /** @param {HTMLElement} box what scrolls @param {number} height of a row, px @param {(i: number) => unknown} make a row's template
   * @param {{role?: string}} [more] of the element that holds the rows */
  constructor(box, height, make, more = {}) {
    this.box = box;
    this.height = height;
    this.make = make;
    this.count = 0;
    /** @type {Map<number, HTMLElement>} */
    this.shown = new Map();
    this.inner = document.createElement("div");
    this.inner.className = "rows-inner";
    if (more.role) this.inner.setAttribute("role", more.role);
    this.row = more.role === "list" ? "listitem" : more.role === "listbox" ? "group" : "";
    box.replaceChildren(this.inner);
    this.asked = false;
    box.addEventListener("scroll", () => this.ask(), { passive: true });
    this.watched = new ResizeObserver(() => this.ask());
    this.watched.observe(box);
  }

  /** Says how many there are, and draws what is seen anew. @param {number} count */
  set(count) {
    this.count = count;
    this.inner.style.height = `${count * this.height}px`;
    for (const i of [...this.shown.keys()]) if (i >= count) this.away(i);
    this.paint(true);
  }

  /** Draws what is seen anew, at the next picture of the screen. */
  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.paint(false);
    });
  }

  /** @param {number} i */
  away(i) {
    this.shown.get(i)?.remove();
    this.shown.delete(i);
  }

  /** @param {boolean} anew whether rows that are there are made again */
  paint(anew) {
    const first = Math.max(0, Math.floor(this.box.scrollTop / this.height) - SPARE);
    const last = Math.min(this.count, Math.ceil((this.box.scrollTop + this.box.clientHeight) / this.height) + SPARE);
    for (const i of [...this.shown.keys()]) if (i < first || i >= last) this.away(i);
    for (let i = first; i < last; i++) {
      let row = this.shown.get(i);
      if (row && !anew) continue;
      if (!row) {
        row = document.createElement("div");
        row.className = "rows-row";
        if (this.row) row.setAttribute("role", this.row);
        if (this.row === "listitem") {
          row.setAttribute("aria-posinset", String(i + 1));
          row.setAttribute("aria-setsize", String(this.count));
        }
        row.style.transform = `translateY(${i * this.height}px)`;
        row.style.height = `${this.height}px`;
        this.shown.set(i, row);
        const next = [...this.shown.keys()].filter((n) => n > i).sort((a, b) => a - b)[0];
        this.inner.insertBefore(row, next === undefined ? null : /** @type {HTMLElement} */ (this.shown.get(next)));
      }
      render(this.make(i), row);
    }
  }

  /** Scrolls until a row is seen. @param {number} i @param {boolean} [middle] in the middle, where it was not seen */
  reveal(i, middle = false) {
    const [top, bottom] = [i * this.height, (i + 1) * this.height];
    if (top >= this.box.scrollTop && bottom <= this.box.scrollTop + this.box.clientHeight) return;
    const above = top < this.box.scrollTop;
    this.box.scrollTop = middle ? top - this.box.clientHeight / 2 : above ? top : bottom - this.box.clientHeight;
    this.paint(false);
  }
}
