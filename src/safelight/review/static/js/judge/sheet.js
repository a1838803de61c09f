// The scene sheet: all keepers of a scene, before over after, those that stand apart first.
import { LitElement, html, nothing, repeat } from "../vendor/lit.js";
import { shoot } from "../api.js";

export class Sheet extends LitElement {
  static properties = { scene: { attribute: false }, at: { type: Number }, marked: { attribute: false }, stamp: {}, trial: { attribute: false } };

  constructor() {
    super();
    /** @type {any} */
    this.scene = null;
    this.at = 0;
    /** @type {Set<string>} */
    this.marked = new Set();
    this.stamp = "";
    /** Pictures of a change that is tried on all, by photo. @type {Record<string, string>} */
    this.trial = {};
  }

  createRenderRoot() {
    return this;
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    if (changed.has("at") || changed.has("scene")) {
      const cell = /** @type {HTMLElement | null} */ (this.querySelector('[aria-current="true"]'));
      cell?.scrollIntoView({ block: "nearest" });
    }
  }

  /** How many cells stand in a row. */
  get across() {
    const cells = /** @type {HTMLElement[]} */ ([...this.querySelectorAll(".cell")]);
    return Math.max(1, cells.filter((cell) => cell.offsetTop === cells[0].offsetTop).length);
  }

  render() {
    if (!this.scene) return nothing;
    return html`<div class="cells" role="list" aria-label=${`${this.scene.name}: before over after`}>${repeat(
      this.scene.photos,
      (/** @type {any} */ photo) => photo.id,
      (/** @type {any} */ photo, /** @type {number} */ i) => this.cell(photo, i),
    )}</div>`;
  }

  /** @param {any} photo @param {number} i */
  cell(photo, i) {
    const pick = () => this.dispatchEvent(new CustomEvent("pick", { detail: i }));
    const open = () => this.dispatchEvent(new CustomEvent("open", { detail: i }));
    const address = `/shoots/${shoot}/photos/${photo.id}`;
    const marked = this.marked.has(photo.id);
    const plain = !photo.edits.length && !this.trial[photo.id];
    const said = photo.edits.map((/** @type {any} */ e) => `${e.operator.replaceAll("_", " ")}: ${e.text}`).join("; ");
    return html`<div class="cell ${photo.stands_apart ? "apart" : ""} ${photo.waits.length ? "" : "settled"} ${marked ? "marked" : ""}" role="listitem" aria-current=${i === this.at ? "true" : "false"}>
      <button type="button" class="pair" @click=${pick} @dblclick=${open} aria-label=${`${photo.path}. ${said}. ${photo.because}`}>
        ${plain ? nothing : html`<img src=${`${address}/before.jpg?v=${this.stamp}`} alt="" loading="lazy" width=${photo.width} height=${photo.height}>`}
        <img src=${this.trial[photo.id] ?? `${address}/after.jpg?v=${this.stamp}`} alt="" loading="lazy" width=${photo.width} height=${photo.height}>
      </button>
      <div class="under"><span class="path" title=${photo.path}>${photo.path}</span>
        ${photo.waits.length ? html`<label class="choice"><input type="checkbox" .checked=${marked} @change=${() => this.dispatchEvent(new CustomEvent("mark", { detail: photo.id }))}> leave out</label>` : html`<span class="quiet">${plain ? "as it is" : "answered"}</span>`}</div>
      <p class="quiet" title=${said}>${photo.because && photo.stands_apart ? html`<span class="need">${photo.because}</span>` : said}</p>
    </div>`;
  }
}

customElements.define("sl-sheet", Sheet);
