// The card of an edit: what was done, on which evidence, how sure, what would have changed it; and changing it.
import { LitElement, html, nothing } from "../vendor/lit.js";
import { get, ofShoot } from "../api.js";
import { digit } from "../keys.js";

/** @typedef {{name: string, label: string, kind: string, help: string, unit: string, default: any, low?: number, high?: number, step?: number, options?: string[], labels?: string[]}} Field */

export class Card extends LitElement {
  static properties = {
    place: {}, card: { attribute: false }, values: { attribute: false }, editing: { type: Boolean }, asking: { type: Boolean },
    reasons: { attribute: false }, turning: { state: true }, tool: {}, brush: { attribute: false }, many: { type: Boolean },
  };

  constructor() {
    super();
    this.place = "";
    /** @type {any} */
    this.card = null;
    /** @type {Record<string, any>} */
    this.values = {};
    this.editing = false;
    this.many = false; // whether the change can be tried on more photos
    this.asking = false;
    /** @type {Record<string, string>} */
    this.reasons = {};
    /** @type {any[] | null} */
    this.turning = null;
    this.tool = "";
    this.brush = { radius: 60, hardness: 0.5 };
  }

  createRenderRoot() {
    return this;
  }

  /** @param {Map<string, any>} changed */
  willUpdate(changed) {
    if (changed.has("card") && changed.get("card")?.operator !== this.card?.operator) this.turning = null;
    if (changed.has("place")) this.turning = null;
  }

  /** Brings the reasons that are asked for into sight. @param {Map<string, any>} changed */
  updated(changed) {
    if (changed.has("asking") && this.asking) this.querySelector(".chips")?.scrollIntoView({ block: "nearest" });
  }

  async ask() {
    const [place, operator] = [this.place, this.card.operator];
    const found = await get(ofShoot(`${place}/cards/${operator}/turning`));
    if (this.place === place && this.card.operator === operator) this.turning = found;
  }

  /** @param {string} name @param {unknown} [detail] */
  say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  render() {
    const card = this.card;
    if (!card) return html`<p class="quiet">No edit is chosen.</p>`;
    return html`
      <h2>${capital(card.title)} ${card.waits ? html`<span class="need">waits</span>` : html`<span class="quiet">${told(card)}</span>`}</h2>
      ${card.blind && !this.editing ? nothing : html`<p class="done">${card.cannot_tell ?? capital(this.editing ? this.said() : card.said)}${card.cannot_tell ? "" : "."}</p>`}
      ${card.shaken ? html`<p class="need">${card.shaken}</p>` : nothing}
      ${this.asking ? this.chips() : nothing}
      ${this.editing ? this.form() : this.why()}`;
  }

  // ------------------------------------------------------------ why

  why() {
    const card = this.card;
    return html`
      ${card.because.length
        ? html`${card.blind ? nothing : html`<h3>Why</h3>`}<ol class="because">${card.because.map((/** @type {any} */ b) => html`<li title=${`${b.evidence}: ${b.value}`}>${b.text}</li>`)}</ol>`
        : nothing}
      ${card.blind || (card.score === null && !card.because.length) ? nothing : html`<p class="quiet">${card.sure}</p>`}
      ${this.checks()}
      ${card.because.length && !card.blind
        ? html`<details @toggle=${(/** @type {any} */ e) => e.target.open && !this.turning && this.ask()}><summary>What would have changed it</summary>
            ${this.turning === null
              ? html`<p class="quiet">It is being asked again…</p>`
              : this.turning.length
                ? html`<ul class="because">${this.turning.map((t) => html`<li>${capital(t.text)}</li>`)}</ul>`
                : html`<p class="quiet">No single measurement, moved by itself, would have.</p>`}</details>`
        : nothing}
      ${card.alternatives.length
        ? html`<h3>Instead</h3><div class="others">${card.alternatives.map(
            (/** @type {any} */ a, /** @type {number} */ i) => html`<button type="button" class="chip" @click=${() => this.say("try", a.params)}
              title=${`Alternative ${i + 1}: look at it, then keep it or not`}>${a.text}</button>`,
          )}</div>`
        : nothing}`;
  }

  checks() {
    const faults = Object.entries(this.card.faults);
    const told = this.card.checks.filter((/** @type {any} */ c) => c.cannot_tell);
    if (!this.card.checks.length) return nothing;
    if (!faults.length) return html`<p class="quiet">Its checks found nothing${told.length ? `; ${told.length} could not tell` : ""}.</p>`;
    return html`<ul class="because found">${faults.map(([name, value]) => html`<li class="need">${words(name)}: ${Math.round(100 * Number(value))} %</li>`)}</ul>`;
  }

  chips() {
    return html`<div class="chips" role="group" aria-label="Why not?"><h3>Why not?</h3>
      ${Object.entries(this.reasons).map(
        ([code, text], i) => html`<button type="button" class="chip" data-reason=${code} @click=${() => this.say("reason", code)}>${digit(i) ? html`<kbd>${digit(i)}</kbd> ` : nothing}${text}</button>`,
      )}
      <button type="button" class="chip" @click=${() => this.say("reason", "")}>No reason</button></div>`;
  }

  // ------------------------------------------------------------ changing it

  said() {
    const fields = this.card.form.filter((/** @type {Field} */ f) => f.kind === "slider" && this.values[f.name] !== f.default);
    return fields.map((/** @type {Field} */ f) => `${f.label} ${number(this.values[f.name], f)}`).join(", ") || "as it is";
  }

  form() {
    /** @type {Field[]} */
    const fields = this.card.form.filter((/** @type {Field} */ f) => f.kind !== "measured");
    return html`<form @submit=${(/** @type {Event} */ e) => e.preventDefault()}>${fields.map((field) => this.field(field))}
      <div class="buttons"><button type="button" class="first" @click=${() => this.say("keep")}>Keep this change</button>
      <button type="button" @click=${() => this.say("all")} ?hidden=${!this.many}>Try on the scene</button>
      <button type="button" @click=${() => this.say("drop")}>Leave it</button></div></form>`;
  }

  /** @param {Field} field */
  field(field) {
    const value = this.values[field.name];
    const id = `f-${field.name}`;
    if (field.kind === "slider") return this.slider(field, value, id, (v) => this.set(field.name, v));
    if (field.kind === "switch")
      return html`<label class="choice"><input type="checkbox" .checked=${value} @change=${(/** @type {any} */ e) => this.set(field.name, e.target.checked)}> ${capital(field.label)}</label>`;
    if (field.kind === "choice")
      return html`<label class="row">${capital(field.label)} <select @change=${(/** @type {any} */ e) => this.set(field.name, e.target.value)}>
        ${field.options?.map((option) => html`<option value=${option} ?selected=${option === value}>${option}</option>`)}</select></label>`;
    if (field.kind === "box")
      return html`${field.labels?.map((label, i) =>
        this.slider({ ...field, label, help: "" }, value?.[i] ?? (i < 2 ? 0 : 1), `${id}-${i}`, (v) =>
          this.set(field.name, [0, 1, 2, 3].map((k) => (k === i ? v : (value?.[k] ?? (k < 2 ? 0 : 1))))),
        ),
      )}`;
    if (field.kind === "mask") return this.mask(value);
    return html`<label class="row">${capital(field.label)} <input .value=${value ?? ""} title=${field.help} @change=${(/** @type {any} */ e) => this.set(field.name, e.target.value)}></label>`;
  }

  /** @param {Field} field @param {number} value @param {string} id @param {(v: number) => void} set */
  slider(field, value, id, set) {
    const moved = (/** @type {any} */ e) => set(Number(e.target.value));
    return html`<div class="slider"><label for=${id} title=${field.help}>${capital(field.label)}</label>
      <output for=${id}>${number(value, field)}</output>
      <input type="range" id=${id} min=${field.low} max=${field.high} step=${field.step} .value=${String(value)} title=${field.help}
        @input=${(/** @type {any} */ e) => { set(Number(e.target.value)); this.say("moving"); }} @change=${(/** @type {any} */ e) => { moved(e); this.say("rest"); }}
        @dblclick=${() => { set(field.default ?? 0); this.say("rest"); }}></div>`;
  }

  /** @param {string} value */
  mask(value) {
    const pick = (/** @type {string} */ tool) => () => this.say("tool", this.tool === tool ? "" : tool);
    const button = (/** @type {string} */ tool, /** @type {string} */ label) =>
      html`<button type="button" aria-pressed=${this.tool === tool} @click=${pick(tool)}>${label}</button>`;
    return html`<div class="row tools" role="group" aria-label="Where">${button("brush", "Brush")}${button("eraser", "Eraser")}${button("select", "Box or point")}</div>
      ${this.brushSlider("radius", "Size", 4, 600, 2, " px")}${this.brushSlider("hardness", "Edge", 0, 1, 0.05, "")}
      <p class="quiet">${value ? "Painted." : "Paint where it applies: drag a brush, drag a box, or click a place and what is like it is taken. By keys: arrows move, Space sets down and lifts."}</p>`;
  }

  /** @param {"radius" | "hardness"} name @param {string} label @param {number} low @param {number} high @param {number} step @param {string} unit */
  brushSlider(name, label, low, high, step, unit) {
    const id = `brush-${name}`;
    return html`<div class="slider"><label for=${id}>${label}</label><output for=${id}>${this.brush[name]}${unit}</output>
      <input type="range" id=${id} min=${low} max=${high} step=${step} .value=${String(this.brush[name])}
        @input=${(/** @type {any} */ e) => this.say("brush", { ...this.brush, [name]: Number(e.target.value) })}></div>`;
  }

  /** @param {string} name @param {unknown} value */
  set(name, value) {
    this.values = { ...this.values, [name]: value };
    this.say("change", this.values);
  }
}

/** @param {string} text */
export const capital = (text) => (text ? text[0].toUpperCase() + text.slice(1) : "");
/** @param {string} name */
const words = (name) => capital(name.replaceAll(".", " ").replaceAll("_", " "));
/** @param {number} value @param {Field} field */
function number(value, field) {
  const places = Math.max(0, Math.min(3, -Math.floor(Math.log10(field.step ?? 1) + 1e-9)));
  const sign = value > 0 && (field.low ?? 0) < 0 ? "+" : "";
  return `${sign}${Number(value ?? 0).toFixed(places)}${field.unit && field.unit !== field.label ? ` ${field.unit}` : ""}`;
}
/** @param {any} card */
function told(card) {
  /** @type {Record<string, string>} */
  const names = { approved: "approved", modified: "changed", rejected: "rejected", applied: "done alone", abstained: "nothing proposed", failed: "failed" };
  const what = names[card.state];
  return what ? `${what}${card.decided_by && !card.decided_by.startsWith("policy:") ? ` by ${card.decided_by}` : ""}` : "";
}

customElements.define("sl-card", Card);
