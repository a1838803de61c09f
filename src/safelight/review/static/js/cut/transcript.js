// What is heard, word by word. Lines are broken here and have one height, so that of twenty thousand words only those are
// there that are seen.
import { LitElement, html, nothing } from "../vendor/lit.js";
import { pauses } from "../api.js";
import { UNSURE } from "./model.js";
import { Rows } from "./rows.js";
import { short } from "./time.js";

const LINE = 26; // px
const MARGIN = 64; // px: the time, and the bar that scrolls
const PAD = 9; // px around a word: padding, border, and what lies between it and the next
const PAUSE_S = 1.2; // of silence: a new paragraph
const LONG_S = 45; // after so much, a sentence's end is one too
const CUT = 200; // letters of a word that are shown

/** @typedef {{first: number, last: number, begins: boolean}} Line words of a line, half-open; whether a paragraph begins with it */

export class Transcript extends LitElement {
  constructor() {
    super();
    /** @type {import("./model.js").Model | null} */ this.model = null;
    /** @type {Line[]} */ this.lines = [];
    /** @type {Int32Array} */ this.lineOf = new Int32Array();
    this.heard = -1; // the word under the playhead
    this.anchor = this.cursor = -1; // the selection, both ends included
    this.follows = true;
    this.dragging = false;
    this.run = this.width = 0;
    /** @type {Map<string, number>} */ this.widths = new Map();
  }

  createRenderRoot() {
    return this;
  }

  render() {
    return html`<div class="words" role="listbox" tabindex="0" aria-multiselectable="true" aria-label="What is heard"></div><p class="told quiet" role="status"></p>`;
  }

  firstUpdated() {
    const box = /** @type {HTMLElement} */ (this.querySelector(".words"));
    this.box = box;
    this.rows = new Rows(box, LINE, (i) => this.line(i), { role: "presentation" });
    box.addEventListener("pointerdown", (e) => this.down(e));
    box.addEventListener("pointermove", (e) => this.over(e));
    box.addEventListener("keydown", (e) => this.key(e));
    addEventListener("pointerup", () => (this.dragging = false));
    new ResizeObserver(() => this.broken()).observe(box);
  }

  /** @param {import("./model.js").Model} model */
  show(model) {
    this.model = model;
    this.broken(true);
  }

  /** Signs that stand beside a word. @param {import("./model.js").Word} word */
  sign(word) {
    return `${word.suspect ? "!" : ""}${word.confidence < UNSURE ? "?" : ""}${word.estimated ? "~" : ""}`;
  }

  // ------------------------------------------------------------ lines

  /** Breaks the words into lines, where the width or the words are others. @param {boolean} [anew] */
  async broken(anew = false) {
    if (!this.model || !this.box) return;
    const width = this.box.clientWidth - MARGIN;
    if (width < 60 || (!anew && width === this.width)) return;
    this.width = width;
    const run = ++this.run;
    const breath = pauses();
    const pen = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
    const style = getComputedStyle(this.box);
    pen.font = `${style.fontSize} ${style.fontFamily}`;
    const words = this.model.words;
    /** @type {Line[]} */ const lines = [];
    const lineOf = new Int32Array(words.length);
    let [first, used, since, begins] = [0, 0, 0, true];
    for (let i = 0; i < words.length; i++) {
      const word = words[i];
      const wide = this.wide(pen, word);
      const before = words[i - 1];
      const paragraph = before && (word.start - before.end > PAUSE_S || (word.start - since > LONG_S && /[.!?…]["'”’)]*$/.test(before.text)));
      if (i > first && (paragraph || used + wide > width)) {
        lines.push({ first, last: i, begins });
        [first, used, begins] = [i, 0, Boolean(paragraph)];
      }
      if (paragraph || !i) since = word.start;
      used += wide;
      lineOf[i] = lines.length;
      await breath();
      if (run !== this.run) return;
    }
    if (words.length) lines.push({ first, last: words.length, begins });
    [this.lines, this.lineOf] = [lines, lineOf];
    this.rows?.set(lines.length);
    this.dataset.ready = String(words.length);
    const told = /** @type {HTMLElement} */ (this.querySelector(".told"));
    told.textContent = words.length ? (this.model.heard ? "" : "The rest is still being listened to.") : `No words: ${this.model.mute ?? "nobody speaks in it"}.`;
    this.box.classList.toggle("empty", !words.length);
  }

  /** @param {CanvasRenderingContext2D} pen @param {import("./model.js").Word} word */
  wide(pen, word) {
    const text = word.text.slice(0, CUT) + this.sign(word);
    let found = this.widths.get(text);
    if (found === undefined) {
      found = pen.measureText(text).width + PAD;
      this.widths.set(text, found);
    }
    return found;
  }

  /** @param {number} i */
  line(i) {
    const model = /** @type {import("./model.js").Model} */ (this.model);
    const { first, last, begins } = this.lines[i];
    const words = [];
    for (let n = first; n < last; n++) words.push(this.word(model, n));
    return html`<span class="time quiet" aria-hidden="true">${begins ? short(model.words[first].start) : nothing}</span>${words}`;
  }

  /** @param {import("./model.js").Model} model @param {number} n */
  word(model, n) {
    const word = model.words[n];
    const said = [
      model.struck[n] && "struck", !model.struck[n] && model.gone[n] === 1 && "cut", model.gone[n] === 2 && "would be cut", word.suspect && "three times as long as expected",
      word.confidence < UNSURE && `heard with confidence ${word.confidence.toFixed(2)}`, word.estimated && "its time is estimated",
    ].filter(Boolean).join(", ");
    const [low, high] = [Math.min(this.anchor, this.cursor), Math.max(this.anchor, this.cursor)];
    const chosen = n >= low && n <= high && low >= 0;
    const kind = `word${model.struck[n] ? " struck" : model.gone[n] === 1 ? " gone" : model.gone[n] === 2 ? " going" : ""}${word.suspect ? " suspect" : ""}${word.confidence < UNSURE ? " unsure" : ""}${word.estimated ? " estimated" : ""}${n === this.heard ? " heard" : ""}${chosen ? " chosen" : ""}`;
    const sign = this.sign(word);
    return html`<span class=${kind} role="option" id=${`word-${n}`} data-n=${n} aria-selected=${chosen ? "true" : "false"} aria-label=${said ? `${word.text}, ${said}` : word.text} title=${said ? `${word.text}: ${said}` : nothing}>${word.text.slice(0, CUT)}${sign ? html`<b>${sign}</b>` : nothing}</span>`;
  }

  again() {
    this.rows?.paint(true);
    if (this.cursor >= 0) this.box?.setAttribute("aria-activedescendant", `word-${this.cursor}`);
  }

  // ------------------------------------------------------------ in step

  /** @param {number} frame @param {boolean} playing */
  playhead(frame, playing) {
    if (!this.model) return;
    const n = this.model.wordAt(frame);
    if (n === this.heard) return;
    this.querySelector(".word.heard")?.classList.remove("heard");
    this.heard = n;
    this.querySelector(`#word-${n}`)?.classList.add("heard");
    if (n >= 0 && playing) this.reveal(n);
  }

  /** @param {number} n */
  reveal(n) {
    if (this.lineOf.length > n && n >= 0) this.rows?.reveal(this.lineOf[n], true);
  }

  /** Chooses words. @param {number} n @param {boolean} [grows] @param {boolean} [seeks] */
  choose(n, grows = false, seeks = true) {
    const count = this.model?.words.length ?? 0;
    if (!count) return;
    this.cursor = Math.max(0, Math.min(count - 1, n));
    if (!grows || this.anchor < 0) this.anchor = this.cursor;
    this.reveal(this.cursor);
    this.again();
    if (seeks) this.dispatchEvent(new CustomEvent("seek", { detail: this.cursor }));
  }

  /** The chosen words, half-open; null where none are. @returns {[number, number] | null} */
  get selection() {
    if (this.cursor < 0) return null;
    return [Math.min(this.anchor, this.cursor), Math.max(this.anchor, this.cursor) + 1];
  }

  clear() {
    const had = this.cursor >= 0;
    this.anchor = this.cursor = -1;
    this.box?.removeAttribute("aria-activedescendant");
    this.again();
    return had;
  }

  /** From the word under the playhead, where nothing is chosen. @param {number} by @param {boolean} grows */
  go(by, grows) {
    if (this.cursor < 0) return this.choose(Math.max(0, this.heard));
    this.choose(this.cursor + by, grows);
  }

  /** The next word whose text or time is in doubt. */
  doubted() {
    const words = this.model?.words ?? [];
    const from = Math.max(this.cursor, -1) + 1;
    for (let k = 0; k < words.length; k++) {
      const n = (from + k) % words.length;
      if (this.sign(words[n])) return this.choose(n);
    }
    return undefined;
  }

  /** @param {KeyboardEvent} e */
  key(e) {
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    const line = this.cursor >= 0 ? this.lines[this.lineOf[this.cursor]] : null;
    const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: line ? line.first - this.cursor - 1 : 1, ArrowDown: line ? line.last - this.cursor : 1 }[e.key];
    if (move === undefined) return;
    e.preventDefault();
    this.go(move, e.shiftKey);
  }

  /** @param {Event} e */
  under(e) {
    const word = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (e.target).closest?.(".word"));
    return word ? Number(word.dataset.n) : -1;
  }

  /** @param {PointerEvent} e */
  down(e) {
    const n = this.under(e);
    if (n < 0 || e.button) return;
    this.dragging = true;
    this.choose(n, e.shiftKey);
  }

  /** @param {PointerEvent} e */
  over(e) {
    const n = this.dragging && e.buttons ? this.under(e) : -1;
    if (n >= 0 && n !== this.cursor) this.choose(n, true, false);
  }
}

customElements.define("sl-transcript", Transcript);
