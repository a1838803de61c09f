// The picture: after, before, a wipe between both, side by side, at 100 %; marks are drawn on it.
import { LitElement, html, nothing, svg } from "../vendor/lit.js";
import { picture, shootOf } from "../api.js";
import { draw, placed } from "../parts/views.js";
import { Follower } from "./look.js";

const [COARSE, FINE] = [0.5, 0.1]; // of the brush's radius: how far an arrow moves it
const POINTED = 6; // px, radius of what shows where a box or a point would be

/** @typedef {"after" | "before" | "wipe" | "split"} Mode */

export class Stage extends LitElement {
  static properties = {
    photo: {}, place: {}, wish: { attribute: false }, mode: {}, zoomed: { type: Boolean }, overlay: {}, tool: {}, brush: { attribute: false },
    shown: { state: true }, other: { state: true }, patch: { state: true }, line: { state: true }, ink: { state: true }, pen: { state: true }, labels: { attribute: false },
    width: { type: Number }, height: { type: Number },
  };

  constructor() {
    super();
    this.photo = "";
    this.place = ""; // where views of it are asked for
    /** the change that is being tried, and which edits are shown */
    this.wish = {};
    /** @type {Mode} */
    this.mode = "after";
    this.zoomed = false;
    this.overlay = "none";
    this.tool = "";
    this.brush = { radius: 60, hardness: 0.5 };
    this.moving = false; // whether a slider is being moved
    this.labels = true;
    this.line = 0.5;
    this.width = 3;
    this.height = 2;
    /** @type {[number, number][]} */
    this.ink = [];
    /** @type {[number, number] | null} where a hand on the keys holds the brush, in pixels of the original */
    this.pen = null;
    /** @type {[number, number]} */
    this.at = [0, 0];
    /** @type {any} */
    this.shown = null;
    /** @type {any} */
    this.other = null;
    /** @type {any} the middle of a view at 100 %, newer than what lies around it */
    this.patch = null;
    const fail = (/** @type {unknown} */ error) => this.dispatchEvent(new CustomEvent("failed", { detail: error }));
    this.edited = new Follower((shown, wish, place) => {
      const there = this.shown?.at && wish.at && this.there && String(this.shown.at) === String(wish.at);
      this.patch = wish.part && there ? shown : null;
      if (this.patch) return;
      this.shown = { ...shown, place, at: wish.at };
      this.dispatchEvent(new CustomEvent("view", { detail: shown }));
    }, fail);
    this.plain = new Follower((shown, wish, place) => (this.other = { ...shown, place, at: wish.at }), fail);
    this.sized = new ResizeObserver(() => this.look());
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.sized.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.sized.disconnect();
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    if (changed.has("place") || changed.has("tool")) [this.ink, this.pen] = [[], null];
    if (changed.has("tool") && this.tool) this.hold();
    if (["place", "width", "height"].some((name) => changed.has(name))) this.at = [this.width / 2, this.height / 2];
    draw(this, () => this.lay(), changed.has("place"));
    this.lay();
    const asked = ["place", "wish", "mode", "zoomed", "overlay"].some((name) => changed.has(name));
    if (asked || (this.zoomed && changed.has("width"))) this.look(this.moving);
  }

  /** Gives the keys to the picture, where they are free or have just taken up the tool. */
  hold() {
    const at = document.activeElement;
    if (at === document.body || at?.closest(".tools")) /** @type {HTMLElement | null} */ (this.querySelector(".pane.drawing[tabindex]"))?.focus({ preventScroll: true });
  }

  /** Asks for what the view shows now. @param {boolean} [moving] whether a slider is being moved */
  look(moving = false) {
    if (!this.place || !this.clientWidth) return;
    this.edited.parts = this.mode !== "wipe"; // there two pictures lie on each other
    const both = this.mode === "split" || this.mode === "wipe";
    const panes = this.mode === "split" ? 2 : 1;
    const wide = Math.floor(this.clientWidth / panes);
    const side = Math.max(wide, this.clientHeight) * Math.min(window.devicePixelRatio || 1, 2);
    /** @type {any} */
    const base = { ...this.wish, side: Math.round(side) };
    if (this.zoomed) {
      const ratio = window.devicePixelRatio || 1;
      base.at = this.at;
      base.view = [Math.max(16, Math.round(wide * ratio)), Math.max(16, Math.round(this.clientHeight * ratio))];
    }
    if (this.mode === "before") {
      this.edited.want(this.place, { ...base, before: true, framed: true }, moving);
    } else {
      this.edited.want(this.place, { ...base, overlay: this.overlay }, moving);
      if (both && !moving) this.plain.want(this.place, { ...base, before: true, framed: this.mode === "wipe" || this.zoomed });
    }
  }

  /** Puts what is newer in the middle of a view at 100 % to its place. */
  lay() {
    const [patch, under] = ["canvas.patch", ".pane:last-of-type canvas.exact"].map((name) => /** @type {HTMLElement | null} */ (this.querySelector(name)));
    if (!patch || !under || !this.patch) return;
    const [x0, y0, x1] = this.shown.box;
    const [left, top, right, bottom] = this.patch.box;
    const scale = under.offsetWidth / (x1 - x0);
    const place = { left: under.offsetLeft + (left - x0) * scale, top: under.offsetTop + (top - y0) * scale, width: (right - left) * scale, height: (bottom - top) * scale };
    for (const [name, value] of Object.entries(place)) patch.style.setProperty(name, `${value}px`);
  }

  /** Moves the view at 100 % by a part of its size. @param {number} x @param {number} y */
  pan(x, y) {
    const ratio = window.devicePixelRatio || 1;
    this.at = [
      Math.min(this.width, Math.max(0, this.at[0] + x * ratio)), Math.min(this.height, Math.max(0, this.at[1] + y * ratio)),
    ];
    this.look();
  }

  /** Whether the view shows this photo already. */
  get there() {
    return this.shown?.place === this.place;
  }

  // ------------------------------------------------------------ marks

  /** A place on the screen in pixels of the original, as far as framing lets it be told here.
   * @param {PointerEvent} event @returns {[number, number]} */
  spot(event) {
    const box = placed(/** @type {HTMLCanvasElement} */ (this.querySelector(".pane:last-of-type canvas")));
    const [x0, y0, x1, y1] = this.shown.box;
    const x = x0 + ((event.clientX - box.left) / box.width) * (x1 - x0);
    const y = y0 + ((event.clientY - box.top) / box.height) * (y1 - y0);
    return [x * (this.width / this.shown.whole[0]), y * (this.height / this.shown.whole[1])];
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (event.button !== 0 || !this.shown) return;
    const at = /** @type {HTMLElement} */ (event.currentTarget);
    at.setPointerCapture(event.pointerId);
    this.from = [event.clientX, event.clientY];
    this.pen = null;
    this.ink = this.tool ? [this.spot(event)] : [];
    event.preventDefault();
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (this.shown && !this.zoomed && !this.tool) this.hover = this.spot(event);
    if (!this.from) return;
    if (this.tool) this.grow(this.spot(event));
    else if (this.zoomed) {
      this.pan(this.from[0] - event.clientX, this.from[1] - event.clientY);
      this.from = [event.clientX, event.clientY];
    }
  }

  /** @param {PointerEvent} event */
  up(event) {
    if (!this.from) return;
    const moved = Math.hypot(event.clientX - this.from[0], event.clientY - this.from[1]) > 3;
    this.from = undefined;
    if (this.tool && this.ink.length) this.lift(moved);
    else if (!moved && !this.tool) this.dispatchEvent(new CustomEvent("zoom", { detail: this.spot(event) }));
  }

  /** Whether what is drawn is a way, not a box or a point. */
  get lines() {
    return this.tool === "brush" || this.tool === "eraser";
  }

  /** @param {[number, number]} to pixels of the original */
  grow(to) {
    this.ink = this.lines ? [...this.ink, to] : [this.ink[0], to];
  }

  /** Ends what is drawn. @param {boolean} moved since it was begun */
  lift(moved) {
    this.mark(this.lines ? this.tool : moved ? "box" : "point", this.ink);
    this.ink = [];
  }

  /** @param {string} shape @param {[number, number][]} way */
  mark(shape, way) {
    const points = way.map(([x, y]) => [Math.round(x * 10) / 10, Math.round(y * 10) / 10]);
    const ends = shape === "box" ? [points[0], points[points.length - 1]] : shape === "point" ? [points[0]] : points;
    this.dispatchEvent(new CustomEvent("mark", { detail: { tool: this.tool, mark: { shape, points: ends, ...this.brush } } }));
  }

  /** The middle of what is seen, in pixels of the original. @returns {[number, number]} */
  get middle() {
    const [x0, y0, x1, y1] = this.shown.box;
    return [(this.width / this.shown.whole[0]) * ((x0 + x1) / 2), (this.height / this.shown.whole[1]) * ((y0 + y1) / 2)];
  }

  /** Marks that middle, for hands that stay on the keys. */
  markMiddle() {
    if (this.shown) this.mark("point", [this.middle]);
  }

  /** A hand on the keys: arrows move the brush, with Shift by little; Space sets it down, and lifts it. @param {KeyboardEvent} event */
  penKey(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!this.tool || !this.shown || !(way || event.key === " ")) return;
    event.preventDefault();
    event.stopPropagation();
    const [x, y] = (this.pen ??= this.middle);
    if (way) {
      const step = this.brush.radius * (event.shiftKey ? FINE : COARSE);
      this.pen = [Math.min(this.width, Math.max(0, x + way[0] * step)), Math.min(this.height, Math.max(0, y + way[1] * step))];
      if (this.ink.length) this.grow(this.pen);
    } else if (this.ink.length) this.lift(this.ink.length > 1);
    else this.ink = [this.pen];
  }

  /** The line of a wipe. @param {PointerEvent} event */
  wipe(event) {
    const pane = /** @type {HTMLElement} */ (this.querySelector(".pane"));
    const box = pane.getBoundingClientRect();
    if (event.buttons & 1) this.line = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  }

  /** @param {KeyboardEvent} event */
  wipeKey(event) {
    const step = { ArrowLeft: -0.05, ArrowRight: 0.05, Home: -1, End: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.line = Math.min(1, Math.max(0, this.line + step));
  }

  // ------------------------------------------------------------ how it looks

  render() {
    const soon = this.photo ? picture(this.photo, "proxy", shootOf(this.place)) : "";
    const main = this.there ? this.shown.image : soon;
    const other = this.other?.place === this.place ? this.other.image : soon;
    const beside = this.mode === "before" ? "Before" : "After";
    if (this.mode === "split") return html`${this.pane(other, "Before", this.other)}${this.pane(main, "After", this.shown, true)}`;
    if (this.mode === "wipe") return this.wiped(main, other);
    return this.pane(main, beside, this.shown, true);
  }

  /** @param {string} image @param {string} label @param {any} shown @param {boolean} [drawn] */
  pane(image, label, shown, drawn = false) {
    return html`<div class="pane ${this.zoomed ? "zoomed" : ""} ${this.tool ? "drawing" : ""}" @pointerdown=${this.down} @pointermove=${this.move} @pointerup=${this.up} @keydown=${this.penKey}
      tabindex=${drawn && this.tool ? "0" : nothing} role=${drawn && this.tool ? "group" : nothing} aria-label=${drawn && this.tool ? "Where: arrows move, Space sets down and lifts" : nothing}>
      ${image ? html`<canvas data-src=${image} role="img" aria-label=${label} class=${this.zoomed && shown?.at ? "exact" : ""}></canvas>` : nothing}
      ${drawn && this.patch && this.zoomed && shown?.at ? html`<canvas data-src=${this.patch.image} aria-hidden="true" class="exact patch"></canvas>` : nothing}
      ${drawn && (this.ink.length || this.pen) ? this.drawn() : nothing}
      ${this.labels && this.mode !== "after" ? html`<span class="label">${label}</span>` : nothing}
    </div>`;
  }

  /** @param {string} main @param {string} other */
  wiped(main, other) {
    const share = `${(100 * this.line).toFixed(1)}%`;
    const exact = this.zoomed && this.shown?.at ? "exact" : "";
    this.style.setProperty("--line-at", share);
    return html`<div class="pane wiping" @pointerdown=${this.wipe} @pointermove=${this.wipe}>
      <div class="layer"><canvas data-src=${main} role="img" aria-label="After" class=${exact}></canvas></div>
      <div class="layer over"><canvas data-src=${other} role="img" aria-label="Before" class=${exact}></canvas></div>
      <span class="label">Before</span><span class="label right">After</span>
      <div class="cut" role="slider" tabindex="0" aria-label="Line between before and after" aria-valuemin="0" aria-valuemax="100"
        aria-valuenow=${Math.round(100 * this.line)} @keydown=${this.wipeKey}></div>
    </div>`;
  }

  /** The stroke that is being drawn. */
  drawn() {
    const image = /** @type {HTMLCanvasElement | null} */ (this.querySelector(".pane:last-of-type canvas"));
    const pane = image?.parentElement;
    if (!image || !pane) return nothing;
    const [box, around] = [placed(image), pane.getBoundingClientRect()];
    const [x0, y0, x1, y1] = this.shown.box;
    const scale = [(this.width / this.shown.whole[0]), (this.height / this.shown.whole[1])];
    const at = (/** @type {[number, number]} */ [x, y]) => [
      box.left - around.left + ((x / scale[0] - x0) / (x1 - x0)) * box.width, box.top - around.top + ((y / scale[1] - y0) / (y1 - y0)) * box.height,
    ];
    const points = this.ink.map(at);
    const wide = (2 * this.brush.radius * box.width) / ((x1 - x0) * scale[0]);
    const [a, b] = [points[0], points[points.length - 1]];
    const ink = !points.length ? nothing
      : this.lines ? svgLine(points, wide) : svgBox(Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.abs(b[0] - a[0]), Math.abs(b[1] - a[1]));
    return html`<svg class="ink" aria-hidden="true">${ink}${this.pen ? svgPen(at(this.pen), this.lines ? wide / 2 : POINTED) : nothing}</svg>`;
  }
}

/** @param {number[][]} points @param {number} wide */
const svgLine = (points, wide) =>
  svg`<polyline class="stroke" points=${points.map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" ")} stroke-width=${wide.toFixed(1)}/>`;
/** @param {number[]} at @param {number} radius */
const svgPen = ([x, y], radius) => svg`<circle class="frame" cx=${x} cy=${y} r=${radius}/>`;
/** @param {number} x @param {number} y @param {number} w @param {number} h */
const svgBox = (x, y, w, h) => svg`<rect class="frame" x=${x} y=${y} width=${w} height=${h}/>`;

customElements.define("sl-view", Stage);
