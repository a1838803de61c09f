// The filter: what is there to choose from comes from the photos themselves.
import { pauses } from "../api.js";
import { html, LitElement, nothing } from "../vendor/lit.js";
import { name } from "../parts/signs.js";
import { everything } from "./model.js";

/** @typedef {import("./model.js").Model} Model @typedef {import("./model.js").Photo} Photo */

const MOST = 60; // values of a field to choose from
/** @type {Record<string, (p: Photo) => Iterable<string | null>>} */
const OF = { reason: (p) => p.reasons, finding: (p) => p.findings, zone: (p) => [p.zone], label: (p) => [p.label], camera: (p) => [p.camera] };

export class Filters extends LitElement {
  constructor() {
    super();
    /** @type {Model} */ this.model = /** @type {any} */ (null);
    /** @type {Record<string, Map<string, number>>} values of a field with how many photos have them */ this.found = {};
    this.counted = 0; // how often they were counted, so that the newest wins
    this.opened = false; // whether somebody has reached for the list of moments, which is as long as the day
  }

  createRenderRoot() {
    return this;
  }

  /** @param {Model} model */
  show(model) {
    this.model = model;
    model.addEventListener("units", () => setTimeout(() => this.count())); // the photos themselves come first
    this.requestUpdate();
  }

  /** Counts what there is to choose from, in the page's spare time. */
  async count() {
    const turn = ++this.counted;
    const pause = pauses();
    /** @type {Record<string, Map<string, number>>} */
    const found = Object.fromEntries(Object.keys(OF).map((field) => [field, new Map()]));
    for (const photo of [...this.model.photos.values()]) {
      for (const [field, of] of Object.entries(OF)) {
        for (const value of of(photo)) if (value) found[field].set(value, (found[field].get(value) ?? 0) + 1);
      }
      await pause();
      if (turn !== this.counted) return;
    }
    this.found = found;
    this.requestUpdate();
  }

  /** Values of a field with how many photos have them, most first. @param {string} field */
  values(field) {
    return [...(this.found[field] ?? [])].sort((a, b) => b[1] - a[1]).slice(0, MOST);
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
      ${this.choose("reason", "Reason", this.values("reason"), name)}
      ${this.choose("finding", "Finding", this.values("finding"), name)}
      ${this.choose("zone", "Zone", this.values("zone"), name)}
      ${this.choose("rating", "Rating", [1, 2, 3, 4, 5].map((n) => /** @type {[string, number]} */ ([String(n), 0])), (v) => `${"★".repeat(Number(v))} or more`)}
      ${this.choose("label", "Colour", this.values("label"), (v) => v)}
      ${this.choose("scene", "Moment", model.scenes.map((s) => /** @type {[string, number]} */ ([s.id, s.members.length])), (v) => scenes.get(v) ?? v)}
      ${this.choose("camera", "Camera", this.values("camera"), (v) => v)}
      <input type="search" placeholder="Name or keyword" aria-label="Name or keyword" .value=${f.text} @input=${(/** @type {any} */ e) => model.select({ text: e.target.value })}>
      ${active ? html`<button type="button" @click=${() => model.select(everything())}>Show all</button><span class="quiet">${photos.toLocaleString("en-GB")} shown</span>` : nothing}
    </form>`;
  }

  /** Lists the moments: hundreds of entries that most people never look at are not made before. */
  open() {
    if (this.opened) return;
    this.opened = true;
    this.requestUpdate();
  }

  /** @param {"decision" | "reason" | "finding" | "zone" | "rating" | "label" | "scene" | "camera"} field
   * @param {string} label @param {[string, number][]} values @param {(value: string) => string} word */
  choose(field, label, values, word) {
    if (!values.length || (field === "camera" && values.length < 2)) return nothing;
    const chosen = this.model.filter[field];
    const listed = field === "scene" && !this.opened ? values.filter(([value]) => value === chosen) : values;
    return html`<select aria-label=${label} class="${field}${chosen ? " set" : ""}" @pointerdown=${this.open} @focus=${this.open} .value=${chosen} @change=${(/** @type {any} */ e) => this.model.select({ [field]: e.target.value })}>
      <option value="" ?selected=${!chosen}>${label}</option>
      ${listed.map(([value, count]) => html`<option value=${value} ?selected=${chosen === value}>${word(value)}${count ? ` (${count.toLocaleString("en-GB")})` : ""}</option>`)}
    </select>`;
  }
}

customElements.define("sl-filters", Filters);
