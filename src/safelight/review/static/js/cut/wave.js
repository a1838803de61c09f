// The waveform with cuts, words and playhead: the whole clip as a band, and a part of it large. Drawn by hand.
import { LitElement, html } from "../vendor/lit.js";
import { Peaks } from "./peaks.js";
import { above, clock, short } from "./time.js";

const FIRST_S = 40; // of the part that is large at first
const LEAST_S = 0.5;
const LARGER = 16; // at most: the noise of a room is not made a storm
const NEAR = 6; // px around an edge in which it is taken
const RULER = 18; // px
const WORDS = 20; // px for the words, where they fit
const WORDS_FROM = 100; // px of a second
const STEPS = [0.04, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600];

export class Wave extends LitElement {
  constructor() {
    super();
    /** @type {import("./model.js").Model | null} */ this.model = null;
    /** @type {Peaks | null} */ this.peaks = null;
    this.frame = 0;
    this.from = 0; // seconds, of the part that is large
    this.to = FIRST_S;
    this.asked = false;
    /** @type {Record<string, string>} */ this.ink = {};
    /** @type {{edge: 0 | 1, x: number} | "seek" | "band" | null} */ this.held = null;
  }

  createRenderRoot() {
    return this;
  }

  render() {
    return html`<div class="band"><canvas></canvas><i class="seen"></i><i class="head"></i></div>
      <div class="large"><canvas></canvas><i class="head"></i></div><p class="quiet told" role="status"></p>`;
  }

  firstUpdated() {
    new ResizeObserver(() => this.draw()).observe(this);
    new MutationObserver(() => this.inked()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const [band, large] = /** @type {HTMLElement[]} */ ([...this.querySelectorAll(".band, .large")]);
    this.inked();
    for (const box of [band, large]) {
      box.addEventListener("pointerdown", (e) => this.down(e, box));
      box.addEventListener("pointermove", (e) => this.moved(e, box));
      box.addEventListener("pointerup", () => this.let());
      box.addEventListener("pointercancel", () => this.let());
    }
    large.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
  }

  /** @param {import("./model.js").Model} model */
  show(model) {
    this.model = model;
    this.seconds = Math.max(model.frames / model.rate, 0.04);
    this.peaks = new Peaks(model.clip, this.seconds, () => this.draw());
    this.to = Math.min(this.seconds, FIRST_S);
    const [band, large] = [...this.querySelectorAll("canvas")];
    for (const [canvas, name] of /** @type {[HTMLCanvasElement, string][]} */ ([[band, "The whole clip"], [large, "Waveform with the cuts"]])) {
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", name);
    }
    this.draw();
  }

  /** Colours as the theme has them. */
  inked() {
    const style = getComputedStyle(document.documentElement);
    this.ink = Object.fromEntries(["page", "panel", "mat", "line", "text", "quiet", "need"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    this.draw();
  }

  // ------------------------------------------------------------ where

  /** @param {number} from @param {number} to seconds */
  look(from, to) {
    const whole = this.seconds ?? FIRST_S;
    const span = Math.min(whole, Math.max(LEAST_S, to - from));
    this.from = Math.max(0, Math.min(from, whole - span));
    this.to = this.from + span;
    this.draw();
  }

  /** Larger or smaller around the playhead. @param {number} by */
  zoom(by) {
    const at = this.frame / (this.model?.rate ?? 25);
    const span = (this.to - this.from) * by;
    const share = at >= this.from && at <= this.to ? (at - this.from) / (this.to - this.from) : 0.5;
    const middle = at >= this.from && at <= this.to ? at : (this.from + this.to) / 2;
    this.look(middle - span * share, middle + span * (1 - share));
  }

  /** The chosen cut with what is around it, or the whole clip. */
  zoomTo() {
    const item = this.model?.item;
    if (!this.model || !item) return this.look(0, this.seconds ?? FIRST_S);
    const { rate } = this.model;
    const [start, end] = this.model.span(item).map((f) => f / rate);
    const around = Math.max(2, (end - start) * 0.5);
    const here = Math.abs(this.from - Math.max(0, start - around)) < 0.01;
    if (here) this.look(0, this.seconds ?? FIRST_S);
    else this.look(start - around, end + around);
  }

  /** Where the playhead is. @param {number} frame @param {boolean} [playing] */
  playhead(frame, playing = false) {
    this.frame = frame;
    if (!this.model) return;
    const at = (frame + 0.5) / this.model.rate;
    if (at < this.from || at > this.to) {
      const span = this.to - this.from;
      this.look(playing ? at - span * 0.05 : at - span / 2, playing ? at + span * 0.95 : at + span / 2);
    }
    this.heads();
  }

  heads() {
    const at = (this.frame + 0.5) / (this.model?.rate ?? 25);
    const [band, large] = /** @type {HTMLElement[]} */ ([...this.querySelectorAll(".head")]);
    if (!band || !large) return;
    band.style.transform = `translateX(${((at / (this.seconds ?? 1)) * this.clientWidth).toFixed(1)}px)`;
    large.style.transform = `translateX(${(((at - this.from) / (this.to - this.from)) * this.clientWidth).toFixed(1)}px)`;
    const seen = /** @type {HTMLElement} */ (this.querySelector(".seen"));
    const whole = this.seconds ?? 1;
    seen.style.left = `${(this.from / whole) * 100}%`;
    seen.style.width = `${((this.to - this.from) / whole) * 100}%`;
  }

  // ------------------------------------------------------------ pointer

  /** @param {PointerEvent} e @param {HTMLElement} box */
  down(e, box) {
    if (!this.model || e.button) return;
    box.setPointerCapture(e.pointerId);
    if (box.classList.contains("band")) this.held = "band";
    else {
      const edge = this.edge(e.offsetX);
      this.held = edge === null ? "seek" : { edge, x: e.offsetX };
    }
    this.moved(e, box);
  }

  /** The edge of the chosen item that lies under the pointer. @param {number} x @returns {0 | 1 | null} */
  edge(x) {
    const item = this.model?.item;
    if (!item || !this.model || item.kind === "heard") return null;
    const { rate } = this.model;
    const places = this.model.span(item).map((f) => this.x(f / rate));
    const near = places.map((place) => Math.abs(place - x));
    if (Math.min(...near) > NEAR) return null;
    return near[0] < near[1] ? 0 : 1;
  }

  /** @param {PointerEvent} e @param {HTMLElement} box */
  moved(e, box) {
    if (!this.model) return;
    if (!this.held) {
      if (!box.classList.contains("band")) box.classList.toggle("trims", this.edge(e.offsetX) !== null);
      return;
    }
    const whole = this.seconds ?? 1;
    if (this.held === "band") {
      const at = (e.offsetX / box.clientWidth) * whole;
      const span = this.to - this.from;
      this.look(at - span / 2, at + span / 2);
      this.seekTo(at);
    } else if (this.held === "seek") this.seekTo(this.from + (e.offsetX / box.clientWidth) * (this.to - this.from));
    else {
      const frame = Math.round((this.from + (e.offsetX / box.clientWidth) * (this.to - this.from)) * this.model.rate);
      const item = this.model.item;
      if (!item) return;
      const span = this.model.span(item);
      const by = frame - span[this.held.edge];
      if (by) this.model.trim(this.held.edge ? 0 : by, this.held.edge ? by : 0);
    }
  }

  let() {
    this.held = null;
  }

  /** @param {number} seconds */
  seekTo(seconds) {
    const frame = Math.floor(seconds * (this.model?.rate ?? 25));
    this.dispatchEvent(new CustomEvent("seek", { detail: Math.max(0, frame) }));
  }

  /** @param {WheelEvent} e */
  wheel(e) {
    e.preventDefault();
    const span = this.to - this.from;
    if (e.ctrlKey || e.metaKey) {
      const at = this.from + (e.offsetX / this.clientWidth) * span;
      const by = Math.exp(e.deltaY / 300);
      return this.look(at - (at - this.from) * by, at + (this.to - at) * by);
    }
    const by = ((e.deltaX || e.deltaY) / this.clientWidth) * span;
    this.look(this.from + by, this.to + by);
  }

  // ------------------------------------------------------------ drawing

  /** @param {number} seconds */
  x(seconds) {
    return ((seconds - this.from) / (this.to - this.from)) * this.clientWidth;
  }

  draw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.paint();
    });
  }

  paint() {
    const [band, large] = /** @type {HTMLCanvasElement[]} */ ([...this.querySelectorAll("canvas")]);
    if (!this.model?.sheet || !band || !this.peaks) return;
    const pens = [band, large].map(fitted);
    if (!pens[0] || !pens[1]) return;
    this.sound(pens[0], 0, this.seconds ?? 1, 0, band.clientHeight);
    this.marks(pens[0], 0, this.seconds ?? 1, 0, band.clientHeight, false);
    const words = large.clientWidth / (this.to - this.from) > WORDS_FROM && this.model.words.length ? WORDS : 0;
    const [top, height] = [RULER, large.clientHeight - RULER - words];
    this.ruler(pens[1], large.clientWidth);
    this.sound(pens[1], this.from, this.to, top, height);
    this.marks(pens[1], this.from, this.to, top, height, true);
    if (words) this.text(pens[1], large.clientHeight - words, words);
    this.heads();
    const told = /** @type {HTMLElement} */ (this.querySelector(".told"));
    const measured = this.peaks.known && !this.peaks.whole && !this.peaks.why ? `Waveform: ${short(this.peaks.known)} of ${short(this.seconds ?? 0)} measured.` : "";
    const text = this.peaks.why || measured;
    if (told.textContent !== text) told.textContent = text;
    this.dataset.drawn = this.peaks.why ? "none" : this.peaks.whole ? "whole" : "part";
  }

  /** How much larger the sound is drawn than it is, so that a quiet one is seen: the loudest of all nearly fills the height. */
  gain() {
    const peaks = /** @type {Peaks} */ (this.peaks);
    const whole = this.seconds ?? 1;
    const step = peaks.step(whole / Math.max(1, this.clientWidth));
    const found = peaks.at(0, whole, step);
    return found ? Math.min(LARGER, 0.95 / Math.max(0.01, found[1], -found[0])) : 1;
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} from @param {number} to @param {number} top @param {number} height */
  sound(pen, from, to, top, height) {
    const width = pen.canvas.clientWidth;
    const peaks = /** @type {Peaks} */ (this.peaks);
    const column = (to - from) / width;
    const step = peaks.step(column);
    const [middle, half] = [top + height / 2, (height / 2) * this.gain()];
    pen.fillStyle = this.ink.quiet;
    pen.beginPath();
    for (let x = 0; x < width; x++) {
      const found = peaks.at(from + x * column, from + (x + 1) * column, step);
      if (!found) continue;
      const [low, high] = found;
      pen.rect(x, middle - high * half, 1, Math.max(1, (high - low) * half));
    }
    pen.fill();
  }

  /** Cuts: what goes is hatched; amber where a person is asked; a dashed line where it was dropped.
   * @param {CanvasRenderingContext2D} pen @param {number} from @param {number} to @param {number} top @param {number} height @param {boolean} large */
  marks(pen, from, to, top, height, large) {
    const model = /** @type {import("./model.js").Model} */ (this.model);
    const scale = pen.canvas.clientWidth / (to - from);
    const place = (/** @type {number} */ frame) => (frame / model.rate - from) * scale;
    for (const item of model.items) {
      const [a, b] = model.span(item);
      const [x, end] = [place(a), place(b)];
      if (end < 0 || x > pen.canvas.clientWidth) continue;
      const width = Math.max(end - x, large ? 2 : 1);
      const chosen = item.key === model.chosen;
      const goes = item.kind === "cut" && item.state !== "dropped";
      pen.globalAlpha = 1;
      if (goes) {
        pen.fillStyle = this.ink.page;
        pen.globalAlpha = 0.62;
        pen.fillRect(x, top, width, height);
        pen.globalAlpha = 1;
        if (large) this.hatch(pen, x, top, width, height, item.waits ? this.ink.need : this.ink.quiet);
      }
      const asks = item.waits || item.kind !== "cut";
      pen.fillStyle = pen.strokeStyle = asks ? this.ink.need : this.ink.quiet;
      if (asks) pen.fillRect(x, top + height - 3, width, 3);
      if (!large) {
        if (chosen) {
          pen.fillStyle = this.ink.text;
          pen.fillRect(x - 1, top, Math.max(width, 2) + 2, 4);
        }
        continue;
      }
      pen.lineWidth = chosen ? 2 : 1;
      pen.strokeStyle = chosen ? this.ink.text : asks ? this.ink.need : this.ink.quiet;
      pen.setLineDash(goes ? [] : [4, 4]);
      pen.strokeRect(x, top + 1, width, height - 2);
      pen.setLineDash([]);
      if (chosen) {
        pen.fillStyle = this.ink.text;
        pen.fillRect(x - 3, top, 6, 10);
        pen.fillRect(x + width - 3, top, 6, 10);
      }
    }
    const { start, end } = model.range;
    pen.fillStyle = this.ink.text;
    if (start !== null && end !== null) {
      pen.globalAlpha = 0.16;
      pen.fillRect(place(start), top, (end - start) / model.rate * scale, height);
      pen.globalAlpha = 1;
    }
    if (large) for (const [at, name] of /** @type {[number | null, string][]} */ ([[start, "I"], [end, "O"]])) {
      if (at === null) continue;
      pen.fillRect(place(at), top, 1, height);
      pen.font = "600 11px system-ui, sans-serif";
      pen.fillText(name, place(at) + (name === "I" ? 3 : -11), top + height - 6);
    }
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} x @param {number} y @param {number} width @param {number} height @param {string} ink */
  hatch(pen, x, y, width, height, ink) {
    pen.save();
    pen.beginPath();
    pen.rect(x, y, width, height);
    pen.clip();
    pen.strokeStyle = ink;
    pen.globalAlpha = 0.55;
    pen.lineWidth = 1;
    pen.beginPath();
    const [left, right] = [Math.max(x, -height), Math.min(x + width, pen.canvas.clientWidth)];
    for (let at = left - height - ((left - height) % 8); at < right; at += 8) {
      pen.moveTo(at, y + height);
      pen.lineTo(at + height, y);
    }
    pen.stroke();
    pen.restore();
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} width */
  ruler(pen, width) {
    const span = this.to - this.from;
    const rate = this.model?.rate ?? 25;
    const step = STEPS.find((s) => (s / span) * width > 76) ?? 3600;
    pen.font = "11px system-ui, sans-serif";
    pen.fillStyle = this.ink.quiet;
    for (let at = Math.ceil(this.from / step) * step; at <= this.to; at += step) {
      const x = Math.round(this.x(at));
      pen.fillRect(x, 0, 1, RULER);
      pen.fillText(step < 1 ? clock(Math.round(at * rate), rate) : short(at), x + 4, 12);
    }
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} top @param {number} height */
  text(pen, top, height) {
    const model = /** @type {import("./model.js").Model} */ (this.model);
    pen.font = "12px system-ui, sans-serif";
    const first = Math.max(0, above(model.words.length, (i) => model.words[i].start, this.from) - 2);
    for (let i = first; i < model.words.length && model.words[i].start < this.to; i++) {
      const word = model.words[i];
      const [x, end] = [this.x(word.start), this.x(word.end)];
      pen.save();
      pen.beginPath();
      pen.rect(x, top, Math.max(0, end - x), height);
      pen.clip();
      pen.fillStyle = this.ink.line;
      pen.fillRect(x, top + 3, 1, height - 6);
      pen.fillStyle = model.gone[i] || model.struck[i] ? this.ink.quiet : this.ink.text;
      pen.fillText(word.text.slice(0, 60), x + 4, top + 14);
      if (model.struck[i] || model.gone[i] === 1) pen.fillRect(x + 4, top + 10, Math.max(0, Math.min(end - x - 6, pen.measureText(word.text).width)), 1);
      pen.restore();
    }
  }
}

/** A canvas in the pixels of the screen, empty. @param {HTMLCanvasElement} canvas */
function fitted(canvas) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width || !height) return null;
  const dense = devicePixelRatio || 1;
  const pen = canvas.getContext("2d");
  if (canvas.width !== Math.round(width * dense) || canvas.height !== Math.round(height * dense)) {
    [canvas.width, canvas.height] = [Math.round(width * dense), Math.round(height * dense)];
  }
  pen?.setTransform(dense, 0, 0, dense, 0, 0);
  pen?.clearRect(0, 0, width, height);
  return pen;
}

customElements.define("sl-wave", Wave);
