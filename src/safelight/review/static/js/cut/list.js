// The cuts of a clip by time, with what is in doubt and what was heard otherwise between them.
import { LitElement, html, nothing } from "../vendor/lit.js";
import { sign } from "../parts/signs.js";
import { Rows } from "./rows.js";
import { lasting, short } from "./time.js";

/** @typedef {import("./model.js").Item} Item */

const ROW = 44; // px
const STATES = { proposed: "proposed", approved: "approved", dropped: "dropped", moved: "moved", added: "your own", doubt: "in doubt", heard: "heard otherwise", stays: "left as it is" };
const SIGNS = { approved: "keep", moved: "keep", added: "keep", dropped: "reject", proposed: "undecided", doubt: "undecided", heard: "undecided", stays: "keep" };

/** A rule or an operator as people read it. @param {string} code */
export const named = (code) => code.replaceAll("_", " ");

/** Where an item stands, as sign and word. @param {Item} item */
export const stands = (item) =>
  html`<span class="decision">${sign(/** @type {any} */ (SIGNS)[item.state])}<span class=${item.waits || (item.kind !== "cut" && item.state !== "stays") ? "need" : ""}>${item.waits ? "waits" : /** @type {any} */ (STATES)[item.state]}</span></span>`;

export class List extends LitElement {
  constructor() {
    super();
    /** @type {import("./model.js").Model | null} */ this.model = null;
    this.at = -1;
  }

  createRenderRoot() {
    return this;
  }

  render() {
    return html`<div class="items" tabindex="-1"></div>`;
  }

  firstUpdated() {
    const box = /** @type {HTMLElement} */ (this.querySelector(".items"));
    this.rows = new Rows(box, ROW, (i) => this.item(i), { role: "list" });
    this.again();
  }

  /** @param {import("./model.js").Model} model */
  show(model) {
    this.model = model;
    this.again();
  }

  again() {
    if (!this.model || !this.rows) return;
    const items = this.model.items;
    this.at = items.findIndex((one) => one.key === this.model?.chosen);
    this.rows.set(items.length);
    if (this.at >= 0) this.rows.reveal(this.at, true);
  }

  /** @param {number} i */
  item(i) {
    const model = /** @type {import("./model.js").Model} */ (this.model);
    const item = model.items[i];
    const [start, end] = model.span(item);
    const length = item.kind === "heard" ? "" : lasting((end - start) / model.rate);
    const words = item.inside.length ? `${item.inside.length} ${item.inside.length > 1 ? "words" : "word"} in it` : "";
    const chosen = i === this.at;
    return html`<button type="button" class="item ${item.state}" tabindex=${chosen ? 0 : -1} aria-current=${chosen ? "true" : "false"} @click=${() => this.dispatchEvent(new CustomEvent("choose", { detail: item.key }))}>
      <span class="time">${short(start / model.rate, true)}</span><span class="what">${named(item.rule)}</span><span class="long">${length}</span>
      <span></span><span class="state">${stands(item)}</span><span class="quiet in">${words || nothing}</span></button>`;
  }
}

customElements.define("sl-cuts", List);
