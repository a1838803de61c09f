// The filter: what is there to choose from comes from the photos themselves.
import { html, LitElement, nothing } from "../vendor/lit.js";
import { name } from "../parts/signs.js";
import { everything } from "./model.js";

/** @typedef {import("./model.js").Model} Model @typedef {import("./model.js").Photo} Photo */

export class Filters extends LitElement {
  constructor() {
    super();
    /** @type {Model} */ this.model = /** @type {any} */ (null);
  }

  createRenderRoot() {
    return this;
  }

  /** @param {Model} model */
  show(model) {
    this.model = model;
    model.addEventListener("units", () => this.requestUpdate());
    this.requestUpdate();
  }

  /** Values of a field with how many photos have them, most first. @param {(p: Photo) => Iterable<string | null>} of */
  values(of) {
    /** @type {Map<string, number>} */
    const found = new Map();
    for (const photo of this.model.photos.values()) for (const value of of(photo)) if (value) found.set(value, (found.get(value) ?? 0) + 1);
    return [...found].sort((a, b) => b[1] - a[1]).slice(0, 60);
  }

  render() {
    const { model } = this;
    if (!model?.order.length) return nothing;
    const f = model.filter;
    const active = JSON.stringify(f) !== JSON.stringify(everything());
    const scenes = new Map(model.scenes.map((scene, n) => [scene.id, `moment ${n + 1}`]));
    const photos = model.shown.reduce((sum, place) => sum + model.units[place].members.length, 0);
    return html`<form role="search" aria-label="Filter" @submit=${(/** @type {Event} */ e) => e.preventDefault()}>
      <label class="choice"><input type="checkbox" .checked=${f.undecided} @change=${(/** @type {any} */ e) => model.select({ undecided: e.target.checked })}> open only</label>
      ${this.choose("decision", "Decision", [["keep", 0], ["reject", 0], ["undecided", 0]], (v) => v)}
      ${this.choose("reason", "Reason", this.values((p) => p.reasons), name)}
      ${this.choose("finding", "Finding", this.values((p) => p.findings), name)}
      ${this.choose("zone", "Zone", this.values((p) => [p.zone]), name)}
      ${this.choose("rating", "Rating", [1, 2, 3, 4, 5].map((n) => /** @type {[string, number]} */ ([String(n), 0])), (v) => `${"★".repeat(Number(v))} or more`)}
      ${this.choose("label", "Colour", this.values((p) => [p.label]), (v) => v)}
      ${this.choose("scene", "Moment", model.scenes.map((s) => /** @type {[string, number]} */ ([s.id, s.members.length])), (v) => scenes.get(v) ?? v)}
      ${this.choose("camera", "Camera", this.values((p) => [p.camera]), (v) => v)}
      <input type="search" placeholder="Name or keyword" aria-label="Name or keyword" .value=${f.text} @input=${(/** @type {any} */ e) => model.select({ text: e.target.value })}>
      ${active ? html`<button type="button" @click=${() => model.select(everything())}>Show all</button><span class="quiet">${photos.toLocaleString("en-GB")} shown</span>` : nothing}
    </form>`;
  }

  /** @param {"decision" | "reason" | "finding" | "zone" | "rating" | "label" | "scene" | "camera"} field
   * @param {string} label @param {[string, number][]} values @param {(value: string) => string} word */
  choose(field, label, values, word) {
    if (!values.length || (field === "camera" && values.length < 2)) return nothing;
    const chosen = this.model.filter[field];
    return html`<select aria-label=${label} class=${chosen ? "set" : ""} .value=${chosen} @change=${(/** @type {any} */ e) => this.model.select({ [field]: e.target.value })}>
      <option value="" ?selected=${!chosen}>${label}</option>
      ${values.map(([value, count]) => html`<option value=${value} ?selected=${chosen === value}>${word(value)}${count ? ` (${count.toLocaleString("en-GB")})` : ""}</option>`)}
    </select>`;
  }
}

customElements.define("sl-filters", Filters);
