// The grid: as many cells as fit on the screen, whatever the size of the shoot. Cells are made by hand and used again,
// because this is the one place where a page must not think while somebody scrolls.
import { badge, isClip, what } from "./clips.js";
import { markup, words } from "../parts/signs.js";
import "../parts/thumb.js";

/** @typedef {import("./model.js").Model} Model @typedef {import("./model.js").Photo} Photo @typedef {import("./model.js").Unit} Unit */

const WIDTH = 208;
const GAP = 8;
const CAPTION = 26;
const MAT = 6; // px around a picture
const SPARE = 2; // rows above and below the view that are there already
const TURN = 8; // ms of a frame that may go into filling cells; the rest comes with the next frame
const CALM = 90; // ms without a jump after which pictures of far places are asked for

export class Grid extends HTMLElement {
  constructor() {
    super();
    /** @type {Model | null} */ this.model = null;
    /** @type {Map<number, Cell>} by place among what is shown */ this.cells = new Map();
    /** @type {Cell[]} */ this.pool = [];
    this.columns = 1;
    this.cellWidth = WIDTH;
    this.cellHeight = WIDTH;
    this.asked = false;
    this.lastTop = 0;
    this.calm = 0;
    this.size = ""; // of the view that is laid out
    this.onopen = () => {};
  }

  /** @param {Model} model */
  show(model) {
    this.model = model;
    this.setAttribute("role", "listbox");
    this.setAttribute("aria-label", "Photos, stacks and clips");
    this.tabIndex = 0;
    this.space = document.createElement("div");
    this.space.className = "space";
    this.space.role = "presentation";
    this.replaceChildren(this.space);
    this.addEventListener("scroll", () => this.ask(), { passive: true });
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("dblclick", () => this.onopen());
    model.addEventListener("units", () => this.lay());
    model.addEventListener("photos", () => this.refresh());
    model.addEventListener("cursor", () => this.follow());
    new ResizeObserver(() => this.size !== this.room && this.lay()).observe(this);
  }

  get room() {
    return `${this.clientWidth} ${this.clientHeight}`;
  }

  /** Works out columns and height; all cells are placed anew. */
  lay() {
    if (!this.model || !this.space || !this.clientWidth) return;
    this.size = this.room;
    const wide = this.clientWidth - GAP;
    this.columns = Math.max(1, Math.floor(wide / (WIDTH + GAP)));
    this.cellWidth = Math.floor(wide / this.columns) - GAP;
    this.cellHeight = Math.round(this.cellWidth * 0.75) + CAPTION;
    const rows = Math.ceil(this.model.shown.length / this.columns);
    this.space.style.height = `${rows * (this.cellHeight + GAP) + GAP}px`;
    for (const place of [...this.cells.keys()]) this.drop(place);
    this.reach();
    this.draw();
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.draw();
    });
  }

  /** Fills what is in view. */
  draw() {
    const { model, space } = this;
    if (!model || !space) return;
    const row = this.cellHeight + GAP;
    const jumped = Math.abs(this.scrollTop - this.lastTop) > 2 * row;
    this.lastTop = this.scrollTop;
    const first = Math.max(0, Math.floor(this.scrollTop / row) - SPARE) * this.columns;
    const last = Math.min(model.shown.length, (Math.ceil((this.scrollTop + this.clientHeight) / row) + SPARE) * this.columns);
    for (const place of [...this.cells.keys()]) if (place < first || place >= last) this.drop(place);
    const until = performance.now() + TURN;
    for (let place = first; place < last; place++) {
      if (this.cells.has(place)) continue;
      this.fill(place, !jumped);
      if (performance.now() > until) {
        this.ask();
        break;
      }
    }
    if (jumped || this.asked) {
      clearTimeout(this.calm);
      this.calm = window.setTimeout(() => this.cells.forEach((cell) => cell.load()), CALM);
    }
  }

  /** @param {number} place @param {boolean} load */
  fill(place, load) {
    const model = /** @type {Model} */ (this.model);
    const cell = this.pool.pop() ?? new Cell();
    const unit = model.units[model.shown[place]];
    const x = GAP + (place % this.columns) * (this.cellWidth + GAP);
    const y = GAP + Math.floor(place / this.columns) * (this.cellHeight + GAP);
    cell.place(place, model.shown.length, x, y, this.cellWidth, this.cellHeight);
    cell.show(unit, model);
    if (load) cell.load();
    this.cells.set(place, cell);
    this.space?.append(cell.root);
  }

  /** @param {number} place */
  drop(place) {
    const cell = this.cells.get(place);
    if (!cell) return;
    cell.root.remove();
    cell.unload();
    this.cells.delete(place);
    if (this.pool.length < 200) this.pool.push(cell);
  }

  refresh() {
    const model = /** @type {Model} */ (this.model);
    for (const [place, cell] of this.cells) {
      const unit = model.units[model.shown[place]];
      if (unit) cell.show(unit, model);
    }
  }

  /** Brings the cursor into view and marks it. */
  follow() {
    if (this.reach()) this.draw();
    this.refresh();
  }

  /** Scrolls to the cursor; says whether there is one. */
  reach() {
    const { model } = this;
    const place = this.clientHeight && model ? model.shown.indexOf(model.unitOf.get(model.current) ?? -1) : -1;
    if (place < 0) return false;
    const row = this.cellHeight + GAP;
    const top = Math.floor(place / this.columns) * row;
    if (top < this.scrollTop) this.scrollTop = top;
    else if (top + row + GAP > this.scrollTop + this.clientHeight) this.scrollTop = top + row + GAP - this.clientHeight;
    this.setAttribute("aria-activedescendant", `cell${place}`);
    return true;
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const root = /** @type {HTMLElement} */ (event.target).closest("[data-id]");
    if (root instanceof HTMLElement && root.dataset.id) this.model?.go(root.dataset.id);
  }
}

/** One cell: the top of a stack, its sign, its count. */
class Cell {
  constructor() {
    this.root = document.createElement("div");
    this.root.className = "cell";
    this.root.setAttribute("role", "option");
    this.root.innerHTML =
      '<div class="mat"><sl-thumb></sl-thumb></div><div class="caption"><span class="what"></span>' +
      '<span class="name"></span><span class="stars"></span><span class="count"></span></div>';
    const [thumb, what, name, stars, count] = ["sl-thumb", ".what", ".name", ".stars", ".count"].map((s) => this.root.querySelector(s));
    this.thumb = /** @type {import("../parts/thumb.js").Thumb} */ (thumb);
    this.thumb.onseen = (here) => this.root.classList.toggle("gone", !here);
    this.what = /** @type {HTMLElement} */ (what);
    this.name = /** @type {HTMLElement} */ (name);
    this.stars = /** @type {HTMLElement} */ (stars);
    this.count = /** @type {HTMLElement} */ (count);
    this.shown = "";
    this.top = "";
  }

  /** @param {number} place @param {number} of @param {number} x @param {number} y @param {number} width @param {number} height */
  place(place, of, x, y, width, height) {
    this.root.id = `cell${place}`;
    this.root.setAttribute("aria-posinset", String(place + 1));
    this.root.setAttribute("aria-setsize", String(of));
    this.root.style.transform = `translate(${x}px, ${y}px)`;
    this.root.style.width = `${width}px`;
    this.root.style.height = `${height}px`;
    this.thumb.tall = height - CAPTION - 2 * MAT;
  }

  /** @param {Unit} unit @param {Model} model */
  show(unit, model) {
    const here = unit.members.includes(model.current);
    const top = here ? model.current : model.top(unit);
    const photo = model.at(top);
    const done = unit.members.every((id) => !model.at(id).open.length);
    const state = [top, here, photo.decision, photo.decided, photo.rating, photo.label, done, unit.members.length, model.marked.has(top)].join();
    if (state === this.shown) return;
    this.shown = state;
    const { root } = this;
    root.dataset.id = top;
    root.setAttribute("aria-selected", String(here));
    root.className = `cell ${photo.decision} ${photo.decided ? "said" : "proposed"} ${unit.group ? "stack" : ""} ${here ? "here" : ""} ${done ? "done" : ""} ${model.marked.has(top) ? "marked" : ""}`;
    this.what.innerHTML = markup(photo.decision);
    this.name.textContent = photo.path.slice(-80);
    this.stars.textContent = "★".repeat(photo.rating);
    root.dataset.label = photo.label;
    this.count.textContent = isClip(photo) ? badge(photo) : unit.group ? `${unit.group.protected ? "" : "▤ "}${unit.members.length}` : "";
    if (unit.group?.protected) this.count.insertAdjacentHTML("afterbegin", `${markup("lock")} `);
    const stack = unit.group ? `, ${unit.group.protected ? "kept whole" : "stack"} of ${unit.members.length}` : "";
    const stars = photo.rating ? `, ${photo.rating} stars` : "";
    root.setAttribute("aria-label", `${photo.path.slice(-80)}: ${isClip(photo) ? `${what(photo)}, ` : ""}${words(photo)}${stack}${stars}${photo.label ? `, ${photo.label}` : ""}`);
    if (this.top !== top && this.top) {
      this.top = top;
      this.thumb.photo = top;
    }
    this.next = top;
  }

  load() {
    if (this.top === this.next || !this.next) return;
    this.top = this.next;
    this.root.classList.remove("gone");
    this.thumb.photo = this.top;
  }

  /** Stops a picture that is still on its way. */
  unload() {
    this.thumb.photo = "";
    this.top = "";
    this.shown = "";
    this.root.classList.remove("gone");
  }
}

customElements.define("sl-grid", Grid);
