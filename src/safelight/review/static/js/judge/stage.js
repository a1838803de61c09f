// The picture: after, before, a wipe between both, side by side, at 100 %; marks are drawn on it.
import { LitElement, html, nothing, svg } from "../vendor/lit.js";
import { picture, shootOf } from "../api.js";
import { draw, placed } from "../parts/views.js";
import { Follower } from "./look.js";

/** @typedef {"after" | "before" | "wipe" | "split"} Mode */

export class Stage extends LitElement {
  static properties = {
    photo: {}, place: {}, wish: { attribute: false }, mode: {}, zoomed: { type: Boolean }, overlay: {}, tool: {}, brush: { attribute: false },
    shown: { state: true }, other: { state: true }, patch: { state: true }, line: { state: true }, ink: { state: true }, labels: { attribute: false },
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
    if (changed.has("place")) this.ink = [];
    if (["place", "width", "height"].some((name) => changed.has(name))) this.at = [this.width / 2, this.height / 2];
    draw(this, () => this.lay(), changed.has("place"));
    this.lay();
    const asked = ["place", "wish", "mode", "zoomed", "overlay"].some((name) => changed.has(name));
    if (asked || (this.zoomed && changed.has("width"))) this.look(this.moving);
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
    this.ink = this.tool ? [this.spot(event)] : [];
    event.preventDefault();
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (this.shown && !this.zoomed && !this.tool) this.hover = this.spot(event);
    if (!this.from) return;
    if (this.tool === "brush" || this.tool === "eraser") this.ink = [...this.ink, this.spot(event)];
    else if (this.tool) this.ink = [this.ink[0], this.spot(event)];
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
    if (this.tool && this.ink.length) {
      const points = this.ink.map(([x, y]) => [Math.round(x * 10) / 10, Math.round(y * 10) / 10]);
      const shape = this.tool === "here" ? (moved ? "box" : "point") : this.tool === "select" ? (moved ? "box" : "point") : this.tool;
      const ends = shape === "box" ? [points[0], points[points.length - 1]] : shape === "point" ? [points[0]] : points;
      this.dispatchEvent(new CustomEvent("mark", { detail: { tool: this.tool, mark: { shape, points: ends, ...this.brush } } }));
      this.ink = [];
    } else if (!moved && !this.tool) this.dispatchEvent(new CustomEvent("zoom", { detail: this.spot(event) }));
  }

  /** Marks the middle of what is seen, for hands that stay on the keys. */
  markMiddle() {
    if (!this.shown) return;
    const [x0, y0, x1, y1] = this.shown.box;
    const scale = [this.width / this.shown.whole[0], this.height / this.shown.whole[1]];
    const middle = [(scale[0] * (x0 + x1)) / 2, (scale[1] * (y0 + y1)) / 2].map((v) => Math.round(v * 10) / 10);
    this.dispatchEvent(new CustomEvent("mark", { detail: { tool: this.tool, mark: { shape: "point", points: [middle], ...this.brush } } }));
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
    return html`<div class="pane ${this.zoomed ? "zoomed" : ""} ${this.tool ? "drawing" : ""}" @pointerdown=${this.down} @pointermove=${this.move} @pointerup=${this.up}>
      ${image ? html`<canvas data-src=${image} role="img" aria-label=${label} class=${this.zoomed && shown?.at ? "exact" : ""}></canvas>` : nothing}
      ${drawn && this.patch && this.zoomed && shown?.at ? html`<canvas data-src=${this.patch.image} aria-hidden="true" class="exact patch"></canvas>` : nothing}
      ${drawn && this.ink.length ? this.drawn() : nothing}
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
    const lines = this.tool === "brush" || this.tool === "eraser";
    const [a, b] = [points[0], points[points.length - 1]];
    return html`<svg class="ink" aria-hidden="true">${
      lines
        ? svgLine(points, wide)
        : svgBox(Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.abs(b[0] - a[0]), Math.abs(b[1] - a[1]))
    }</svg>`;
  }
}

/** @param {number[][]} points @param {number} wide */
const svgLine = (points, wide) =>
  svg`<polyline class="stroke" points=${points.map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" ")} stroke-width=${wide.toFixed(1)}/>`;
/** @param {number} x @param {number} y @param {number} w @param {number} h */
const svgBox = (x, y, w, h) => svg`<rect class="frame" x=${x} y=${y} width=${w} height=${h}/>`;

customElements.define("sl-view", Stage);
