// The captions of the cut as they would be written, with the rules that they break.
import { LitElement, html, nothing } from "../vendor/lit.js";
import { alarm, get, ofShoot } from "../api.js";
import { Rows } from "./rows.js";
import { short } from "./time.js";

const ROW = 68; // px

export class Captions extends LitElement {
  static properties = { found: { state: true }, preset: { state: true } };

  constructor() {
    super();
    /** @type {any} */ this.found = null;
    this.preset = localStorage.getItem("safelight.captions") ?? "netflix";
    this.clip = "";
    this.proposed = true;
    this.at = -1;
    /** @type {Rows | null} */ this.rows = null;
  }

  createRenderRoot() {
    return this;
  }

  /** @param {string} clip @param {boolean} proposed @returns {Promise<void>} */
  async load(clip, proposed) {
    [this.clip, this.proposed] = [clip, proposed];
    try {
      this.found = await get(`${ofShoot(`clips/${clip}/captions`)}?${new URLSearchParams({ preset: this.preset, proposed: String(proposed) })}`);
    } catch (error) {
      if (this.preset === "netflix") return alarm(error);
      this.preset = "netflix"; // what was chosen once may be gone
      await this.load(clip, proposed);
    }
  }

  /** @param {string} name */
  choose(name) {
    this.preset = name;
    localStorage.setItem("safelight.captions", name);
    this.load(this.clip, this.proposed);
  }

  /** @param {number} frame */
  playhead(frame) {
    const cues = this.found?.cues ?? [];
    let at = -1;
    for (let i = 0; i < cues.length && cues[i].at <= frame; i++) at = i;
    if (at === this.at) return;
    this.at = at;
    this.rows?.paint(true);
    if (at >= 0) this.rows?.reveal(at, true);
  }

  /** The next caption that breaks a rule. */
  next() {
    const cues = this.found?.cues ?? [];
    const order = [...cues.slice(this.at + 1), ...cues.slice(0, this.at + 1)];
    const one = order.find((cue) => cue.breaches.some((/** @type {any} */ b) => !b.soft)) ?? order.find((cue) => cue.breaches.length);
    if (one) this.seek(one.at);
    return Boolean(one);
  }

  /** @param {number} frame */
  seek(frame) {
    this.dispatchEvent(new CustomEvent("seek", { detail: frame }));
  }

  render() {
    const f = this.found;
    if (!f) return nothing;
    const told = f.cannot_tell ? `No captions: ${f.cannot_tell}.` : f.hard ? html`<b class="need">${f.hard} rules broken</b>, ${f.soft} pieces of advice` : html`${f.cues.length === 1 ? "The caption keeps" : `All ${f.cues.length} captions keep`} the rules${f.soft ? `; ${f.soft} pieces of advice` : ""}`;
    return html`<div class="head"><label>Rules of <select @change=${(/** @type {any} */ e) => this.choose(e.target.value)}>${Object.entries(f.presets).map(([name, about]) => html`<option value=${name} ?selected=${name === f.preset}>${about}</option>`)}</select></label>
      <p role="status">${told}.</p></div><div class="items" tabindex="-1"></div>
      <p class="quiet foot">They follow the words and the cut. To write them: <code>${f.command}</code></p>`;
  }

  updated() {
    const box = /** @type {HTMLElement | null} */ (this.querySelector(".items"));
    if (!box) return;
    if (!this.rows || this.rows.box !== box) this.rows = new Rows(box, ROW, (i) => this.cue(i), { role: "list" });
    this.rows.set(this.found.cues.length);
    this.dataset.count = String(this.found.cues.length);
  }

  /** @param {number} i */
  cue(i) {
    const cue = this.found.cues[i];
    const wrong = cue.breaches.map((/** @type {any} */ b) => b.text).join("; ");
    const hard = cue.breaches.some((/** @type {any} */ b) => !b.soft);
    return html`<button type="button" class="item cue" tabindex=${i === Math.max(this.at, 0) ? 0 : -1} aria-current=${i === this.at ? "true" : "false"} @click=${() => this.seek(cue.at)}>
      <span class="time">${short(cue.start, true)}</span><span class="wrong-rule ${hard ? "need" : "quiet"}" title=${wrong}>${wrong ? `${hard ? "! " : "advice: "}${wrong}` : nothing}</span><span class="long">${(cue.end - cue.start).toFixed(1)} s</span>
      <span class="lines">${cue.lines.map((/** @type {string} */ line) => html`<span>${line}</span>`)}</span></button>`;
  }
}

customElements.define("sl-captions", Captions);
