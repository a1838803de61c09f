// One photo with the cards of its edits: the stage, the histogram, the list of edits, the card. Judge and Queue use it.
import { LitElement, html, nothing } from "../vendor/lit.js";
import { alarm, get, ofShoot, send, shootOf, tell } from "../api.js";
import { capital } from "./card.js";
import { histogram } from "./histogram.js";
import "./stage.js";

const OVERLAYS = { none: "", mask: "the mask", change: "what changed", clipping: "what is clipped" };

export class PhotoView extends LitElement {
  static properties = {
    photo: {}, place: {}, operator: {}, panel: { type: Boolean }, reasons: { attribute: false }, told: { state: true }, tones: { state: true },
    chosen: { state: true }, mode: { state: true }, zoomed: { state: true }, overlay: { state: true }, editing: { state: true },
    asking: { state: true }, values: { state: true }, tool: { state: true }, brush: { state: true }, here: { state: true }, wish: { state: true }, many: { type: Boolean },
  };

  constructor() {
    super();
    this.photo = "";
    this.place = ""; // where it is asked about
    this.operator = ""; // the only edit that is asked about; empty: all
    this.panel = true;
    this.many = false;
    /** @type {Record<string, string>} */
    this.reasons = {};
    /** @type {any} */
    this.told = null;
    /** @type {any} */
    this.tones = null;
    this.chosen = "";
    /** @type {"after" | "before" | "wipe" | "split"} */
    this.mode = "after";
    this.zoomed = false;
    /** @type {keyof typeof OVERLAYS} */
    this.overlay = "none";
    this.editing = false;
    this.asking = false;
    /** @type {Record<string, any>} */
    this.values = {};
    this.tool = "";
    this.brush = { radius: 60, hardness: 0.5 };
    /** @type {number[][]} */
    this.here = [];
    this.wish = {};
    this.since = performance.now();
    this.sliding = false;
    this.asked = 0; // counts questions: an answer to an earlier one is late
    this.early = false; // a change was asked for before the edits were there
  }

  createRenderRoot() {
    return this;
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has("place")) {
      this.stop();
      this.here = [];
      this.told = null;
      this.chosen = this.operator;
      this.since = performance.now();
      this.asked++;
      if (this.place) this.load();
    }
  }

  get stage() {
    return /** @type {import("./stage.js").Stage} */ (/** @type {unknown} */ (this.querySelector("sl-view")));
  }

  get card() {
    return this.told?.cards.find((/** @type {any} */ card) => card.operator === this.chosen) ?? null;
  }

  /** Seconds since this photo came up. */
  get seconds() {
    return Math.round((performance.now() - this.since) / 100) / 10;
  }

  /** The edits that wait, or the one that is asked about; what is shown without a suggestion cannot be approved.
   * @returns {string[]} */
  get waits() {
    const cards = (this.told?.cards ?? []).filter((/** @type {any} */ card) => (this.operator ? card.operator === this.operator : card.waits));
    return cards.filter((/** @type {any} */ card) => !card.blind).map((/** @type {any} */ card) => card.operator);
  }

  /** Approves what waits. */
  approve() {
    if (this.waits.length) this.say("approve", { operators: this.waits });
    else tell(this.card?.blind ? "Shown without a suggestion: set it with D, or leave the photo as it is with X." : "No edit of this photo waits.");
  }

  async load() {
    const asked = ++this.asked;
    try {
      const told = await get(ofShoot(`${this.place}/cards`));
      if (asked !== this.asked) return; // another photo, or a later question about this one
      this.told = told;
      const known = told.cards.some((/** @type {any} */ card) => card.operator === this.chosen);
      if (!known) this.chosen = (told.cards.find((/** @type {any} */ card) => card.waits) ?? told.cards.find((/** @type {any} */ card) => card.state !== "abstained") ?? told.cards[0])?.operator ?? "";
      if (this.early) this.modify();
    } catch (error) {
      alarm(error);
    }
  }

  // ------------------------------------------------------------ what keys do

  /** @param {number} step */
  choose(step) {
    const order = (/** @type {any} */ card) => (card.state === "abstained" ? 1 : 0);
    const names = [...(this.told?.cards ?? [])].sort((a, b) => order(a) - order(b)).map((/** @type {any} */ card) => card.operator);
    const next = names[Math.min(names.length - 1, Math.max(0, names.indexOf(this.chosen) + step))];
    if (next && next !== this.chosen) {
      this.stop();
      this.chosen = next;
    }
  }

  /** @param {"after" | "before" | "wipe" | "split"} mode */
  show(mode) {
    this.mode = this.mode === mode ? "after" : mode;
  }

  zoom(at = this.stage?.hover) {
    if (!this.zoomed && at) this.stage.at = at;
    this.zoomed = !this.zoomed;
  }

  nextOverlay() {
    const masked = this.values.mask || this.told?.cards.some((/** @type {any} */ card) => card.params.mask);
    this.overlay = this.overlay === "none" ? (masked ? "mask" : "change") : this.overlay === "mask" ? "change" : "none";
    if (this.overlay !== "none") tell(`Shown in colour: ${OVERLAYS[this.overlay]}.`);
  }

  clipping() {
    this.overlay = this.overlay === "clipping" ? "none" : "clipping";
  }

  /** Takes up what points at a place; again, it is the middle of what is seen. */
  point() {
    if (this.tool === "here" || this.tool === "select") return this.stage?.markMiddle();
    this.tool = "here";
    tell("Drag a box or click, or T again for the middle: the place goes along with your verdict.");
  }

  /** @returns {boolean} whether there was something to stop */
  stop() {
    const was = this.editing || this.asking || this.tool !== "";
    this.editing = this.asking = this.early = false;
    this.tool = "";
    if (Object.keys(this.wish).length) this.wish = {};
    return was;
  }

  // ------------------------------------------------------------ changing an edit

  modify(params = this.card?.params) {
    this.early = !this.told;
    if (!this.card) return;
    this.editing = true;
    this.asking = false;
    const fresh = Object.fromEntries(this.card.form.map((/** @type {any} */ f) => [f.name, f.default]));
    this.values = { ...fresh, ...params };
    this.tool = this.card.form.some((/** @type {any} */ f) => f.kind === "mask") ? "brush" : "";
    this.changed(this.values, false);
  }

  /** Adds an edit that nobody proposed. @param {string} operator */
  async add(operator) {
    try {
      const card = await get(ofShoot(`${this.place}/cards/${operator}`));
      this.told = { ...this.told, cards: [...this.told.cards, card], others: this.told.others.filter((/** @type {any} */ o) => o.operator !== operator) };
      this.chosen = operator;
      this.modify();
    } catch (error) {
      alarm(error);
    }
  }

  /** @param {Record<string, any>} values @param {boolean} moving */
  changed(values, moving) {
    this.values = values;
    const wish = { change: { operator: this.card.operator, params: values } };
    if (this.stage) this.stage.moving = moving;
    this.wish = wish;
  }

  /** @param {CustomEvent} event */
  async marked(event) {
    const { tool, mark } = event.detail;
    if (tool === "here") {
      const [[x0, y0], [x1, y1] = [x0, y0]] = mark.points;
      const box = [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)].map(Math.round);
      if (box[0] === box[2] && box[1] === box[3]) [box[0], box[1], box[2], box[3]] = [box[0] - 20, box[1] - 20, box[2] + 20, box[3] + 20];
      this.here = [...this.here, box];
      this.tool = "";
      tell("The place goes along with your verdict.");
      return;
    }
    try {
      const made = await send(ofShoot(`${this.place}/masks`), { mask: this.values.mask ?? "", marks: [mark] });
      this.changed({ ...this.values, mask: made.mask }, false);
    } catch (error) {
      alarm(error);
    }
  }

  /** What a verdict says beside its say. */
  more() {
    return { seconds: this.seconds, note: this.here.length ? `here ${this.here.map((box) => box.join(",")).join("; ")}` : "" };
  }

  /** @param {string} say @param {Record<string, unknown>} [detail] */
  say(say, detail = {}) {
    this.asking = false;
    this.dispatchEvent(new CustomEvent("say", { detail: { say, ...this.more(), ...detail } }));
  }

  /** Tries the change on all photos that are shown together. */
  all() {
    const [operators, params] = [[this.card.operator], this.values];
    this.stop();
    this.say("modify", { operators, params, all: true });
  }

  async keep() {
    const { operator } = this.card;
    const params = this.values;
    try {
      if (params.mask) await send(ofShoot(`masks/${params.mask}`, shootOf(this.place)), {});
      this.stop();
      this.say("modify", { operators: [operator], params });
    } catch (error) {
      alarm(error);
    }
  }

  /** Hands on what waits, what is shown without a suggestion too. */
  escalate() {
    const blind = this.told?.cards.filter((/** @type {any} */ card) => card.waits && card.blind).map((/** @type {any} */ card) => card.operator) ?? [];
    this.say("escalate", { operators: [...this.waits, ...blind] });
  }

  reject() {
    if (this.card?.blind && this.chosen) this.say("reject", { operators: [this.chosen], reason: "" });
    else if (this.asking) this.say("reject", { operators: [this.chosen], reason: "" });
    else if (this.chosen) {
      this.stop();
      this.asking = true;
    }
  }

  // ------------------------------------------------------------ how it looks

  render() {
    const told = this.told;
    return html`<sl-view .photo=${this.photo} .place=${this.place} .wish=${this.wish} .mode=${this.mode} .zoomed=${this.zoomed} .overlay=${this.overlay}
        .tool=${this.tool} .brush=${this.brush} .width=${told?.width ?? 3} .height=${told?.height ?? 2}
        @view=${(/** @type {CustomEvent} */ e) => (this.tones = e.detail.histogram)} @failed=${(/** @type {CustomEvent} */ e) => alarm(e.detail)}
        @mark=${this.marked} @zoom=${(/** @type {CustomEvent} */ e) => this.zoom(e.detail)}></sl-view>
      ${this.panel ? html`<aside class="side" aria-label="Edits of this photo">${histogram(this.tones)}${this.views()}${told ? this.edits(told) : nothing}</aside>` : nothing}`;
  }

  views() {
    const button = (/** @type {boolean} */ on, /** @type {string} */ label, /** @type {string} */ key, /** @type {() => void} */ act) =>
      html`<button type="button" aria-pressed=${on} title=${`Key: ${key}`} @click=${act}>${label}</button>`;
    return html`<div class="views" role="group" aria-label="View">
      ${button(this.mode === "before", "Before", "\\", () => this.show("before"))}${button(this.mode === "wipe", "Wipe", "v", () => this.show("wipe"))}
      ${button(this.mode === "split", "Split", "y", () => this.show("split"))}${button(this.zoomed, "100 %", "z", () => this.zoom())}
      ${button(this.overlay === "change" || this.overlay === "mask", "Where", "l", () => this.nextOverlay())}${button(this.overlay === "clipping", "Clipped", "j", () => this.clipping())}
    </div>`;
  }

  /** @param {any} told */
  edits(told) {
    /** @type {any[]} */
    const cards = this.operator ? told.cards.filter((/** @type {any} */ card) => card.operator === this.operator) : told.cards;
    const silent = cards.filter((card) => card.state === "abstained");
    return html`<div class="edits" role="group" aria-label="Edits">${[...cards.filter((card) => card.state !== "abstained"), ...silent].map(
        (/** @type {any} */ card) => html`<button type="button" aria-pressed=${card.operator === this.chosen} @click=${() => { this.stop(); this.chosen = card.operator; }}>
          <span>${capital(card.title)}</span> <span class=${card.waits ? "need" : ""}>${card.waits ? "waits" : short(card)}</span></button>`,
      )}</div>
      <sl-card .place=${this.place} .card=${this.card} .values=${this.values} .editing=${this.editing} .asking=${this.asking} .reasons=${this.reasons}
        .tool=${this.tool} .brush=${this.brush} .many=${this.many} @all=${() => this.all()}
        @change=${(/** @type {CustomEvent} */ e) => e.detail && this.changed(e.detail, this.sliding)} @moving=${() => { this.sliding = true; this.changed(this.values, true); }}
        @rest=${() => { this.sliding = false; this.changed(this.values, false); }} @tool=${(/** @type {CustomEvent} */ e) => (this.tool = e.detail)}
        @brush=${(/** @type {CustomEvent} */ e) => (this.brush = e.detail)} @try=${(/** @type {CustomEvent} */ e) => this.modify(e.detail)}
        @keep=${this.keep} @drop=${() => this.stop()} @reason=${(/** @type {CustomEvent} */ e) => this.say("reject", { operators: [this.chosen], reason: e.detail })}></sl-card>
      ${this.here.length ? html`<p class="quiet">${this.here.length} place${this.here.length > 1 ? "s" : ""} pointed at. <button type="button" class="chip" @click=${() => (this.here = [])}>Forget</button></p>` : nothing}
      ${this.editing ? nothing : this.actions(told)}`;
  }

  /** @param {any} told */
  actions(told) {
    const waits = this.waits.length;
    return html`<div class="buttons">
        <button type="button" class="first" ?disabled=${!waits} @click=${() => this.approve()}>Approve${waits > 1 ? ` all ${waits}` : ""} <kbd>Enter</kbd></button>
        <button type="button" ?disabled=${!this.card} @click=${() => this.reject()}>${this.card?.blind ? "As it is" : "Reject"} <kbd>x</kbd></button>
        <button type="button" ?disabled=${!this.card} @click=${() => this.modify()}>${this.card?.blind ? "Set" : "Change"} <kbd>d</kbd></button>
        <button type="button" ?disabled=${!waits && !this.card?.blind} @click=${() => this.escalate()}>Hand on <kbd>e</kbd></button>
      </div>
      ${told.others.length && !this.operator ? html`<label class="row quiet">Add <select @change=${(/** @type {any} */ e) => { this.add(e.target.value); e.target.value = ""; }}>
        <option value="">an edit of your own…</option>${told.others.map((/** @type {any} */ o) => html`<option value=${o.operator} title=${o.about}>${o.title}</option>`)}</select></label>` : nothing}`;
  }
}

/** @param {any} card */
const short = (card) => SHORT[card.state] ?? "";
/** @type {Record<string, string>} */
const SHORT = { approved: "approved", modified: "changed", rejected: "rejected", applied: "done", abstained: "nothing", escalated: "handed on" };

customElements.define("sl-photo", PhotoView);
