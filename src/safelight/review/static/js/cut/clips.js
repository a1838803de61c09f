// The clips and sounds of a shoot, those with something that waits first.
import { LitElement, html, nothing } from "../vendor/lit.js";
import { alarm, get, ofShoot, picture, shoot, watch } from "../api.js";
import "../page.js";
import { lasting, short } from "./time.js";

class Clips extends LitElement {
  static properties = { rows: { state: true } };

  constructor() {
    super();
    /** @type {any[] | null} */ this.rows = null;
    this.revision = -1;
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    watch((revision) => this.load(revision), (here) => here || alarm("The app does not answer."));
  }

  /** @param {number} revision */
  async load(revision) {
    if (revision === this.revision) return;
    this.revision = revision;
    try {
      this.rows = await get(ofShoot("cuts"));
    } catch (error) {
      alarm(error);
    }
  }

  render() {
    if (!this.rows) return html`<section class="page wide"></section>`;
    const open = this.rows.filter((row) => row.waits.length).length;
    return html`<section class="page wide"><h1>Clips and sounds</h1>
      <p>${!this.rows.length ? "There are no clips and no sounds in this shoot." : open ? `${open} of ${this.rows.length} wait for you.` : "Nothing waits."}</p>
      <ul class="clips">${this.rows.map((row) => html`<li><a href="/shoots/${shoot}/cut/${row.clip}"><img src=${picture(row.clip, "thumb")} alt="" loading="lazy" width="112" height="63"><span class="name path">${row.path}</span></a>
        <span class="quiet">${short(row.seconds)}</span>
        <span>${row.waits.length ? html`<b class="need">${row.open ? `${row.open} ${row.open === 1 ? "cut waits" : "cuts wait"}` : "waits"}</b>` : html`<span class="quiet">${row.cuts ? "answered" : row.because}</span>`}${row.doubts ? html`<span class="quiet">, ${row.doubts} in doubt</span>` : nothing}</span>
        <span class="quiet">${row.cuts ? `plays ${lasting(row.plays_s)}${row.open ? `, as proposed ${lasting(row.plays_with_proposed_s)}` : ""}` : nothing}</span></li>`)}</ul></section>`;
  }
}

customElements.define("sl-clips", Clips);
