// Why: what was decided, on which evidence, and the faces with their eyes. Asked for as somebody looks, kept for a while.
import { get, ofShoot } from "../api.js";
import { html, LitElement, nothing } from "../vendor/lit.js";
import { NOTHING_TO_SAY, isClip, what } from "./clips.js";
import { size, strip } from "../parts/faces.js";
import { decision, name } from "../parts/signs.js";

/** @typedef {import("./model.js").Model} Model */

const KEPT = 60;
const SLOW = 120; // ms of rest on a photo before its evidence is asked for
/** @type {Map<string, Promise<any>>} */
const known = new Map();

/** @param {string} id @returns {Promise<any>} what is known about a photo; null where nobody answers */
export function about(id) {
  let found = known.get(id);
  if (!found) {
    found = get(ofShoot(`photos/${id}`)).catch(() => {
      known.delete(id);
      return null;
    });
    known.set(id, found);
    if (known.size > KEPT) known.delete(/** @type {string} */ (known.keys().next().value));
  }
  return found;
}

/** @param {Iterable<string>} ids what has changed and is to be asked for anew */
export const forget = (ids) => {
  for (const id of ids) known.delete(id);
};

/** Where the eyes of the largest face are, as shares of the picture; null without a face.
 * @param {string} id @returns {Promise<{x: number, y: number} | null>} */
export async function eyesOf(id) {
  const found = await about(id);
  const faces = [...(found?.faces ?? [])].sort((a, b) => size(b) - size(a));
  if (!faces.length) return null;
  const [left, right] = faces[0].landmarks?.length > 1 ? faces[0].landmarks : [middle(faces[0].box), middle(faces[0].box)];
  return { x: (left[0] + right[0]) / 2 / found.width, y: (left[1] + right[1]) / 2 / found.height };
}

/** @param {number[]} box */
const middle = (box) => [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];

export class Why extends LitElement {
  constructor() {
    super();
    /** @type {Model} */ this.model = /** @type {any} */ (null);
    this.found = /** @type {any} */ (null);
    this.wait = 0;
  }

  createRenderRoot() {
    return this;
  }

  /** @param {Model} model */
  show(model) {
    this.model = model;
    for (const what of ["cursor", "units", "photos"]) model.addEventListener(what, () => this.ask());
    this.ask();
  }

  ask() {
    this.requestUpdate();
    clearTimeout(this.wait);
    const id = this.model.current;
    if (!id || this.hidden || isClip(this.model.photos.get(id))) return;
    this.wait = window.setTimeout(async () => {
      const found = await about(id);
      if (found && id === this.model.current) {
        this.found = found;
        this.requestUpdate();
      }
    }, SLOW);
  }

  render() {
    const photo = this.model?.photos.get(this.model.current);
    if (!photo) return nothing;
    if (isClip(photo))
      return html`<h2>${decision(photo)}</h2><p class="path">${photo.path.slice(0, 300)}</p><p>${what(photo)}</p>
        <p class="quiet">${NOTHING_TO_SAY}</p>${photo.unplayable ? html`<p class="quiet">${photo.unplayable}</p>` : nothing}`;
    const found = this.found?.id === photo.id ? this.found : null;
    const unit = this.model.unit;
    const reasons = found?.cull.reasons ?? (photo.because ? [{ text: photo.because }] : []);
    return html`
      <h2>${decision(photo)}</h2>
      ${photo.by ? html`<p class="quiet">said by ${photo.by}</p>` : nothing}
      <p class="path">${photo.path.slice(0, 300)}</p>
      ${unit?.group ? html`<p class="quiet">${unit.group.because}</p>` : nothing}
      <ul class="reasons">${reasons.map((/** @type {any} */ r) => html`<li>${r.text}</li>`)}</ul>
      ${this.faces(found)}
      ${photo.keywords.length ? html`<p class="quiet">${photo.keywords.slice(0, 12).join(", ").slice(0, 300)}</p>` : nothing}
      ${this.edits(found)}
      <dl class="facts">${this.facts(found)}</dl>
      <p class="quiet stars">${photo.rating ? `${"★".repeat(photo.rating)} ` : ""}${photo.label}</p>`;
  }

  /** @param {any} found */
  faces(found) {
    if (!found?.faces.length) return nothing;
    return html`<h2>Faces</h2><div class="faces">${strip(found, 12)}</div>`;
  }

  /** @param {any} found */
  edits(found) {
    const shown = (found?.proposals ?? []).filter((/** @type {any} */ p) => !p.cannot_tell && p.because.length);
    if (!shown.length) return nothing;
    return html`<h2>Edits</h2><ul class="reasons">${shown.map((/** @type {any} */ p) =>
      html`<li><span>${name(p.operator)}</span> <span class="quiet">${p.state}</span>${p.because[0] ? html`<br><span class="quiet">${p.because[0].text}</span>` : nothing}</li>`)}</ul>`;
  }

  /** @param {any} found */
  facts(found) {
    const rows = [
      ["sharpness", "sharpness"], ["blur", "blur"], ["eyes.closed", "eyes closed"], ["exposure.over", "over-exposed"],
      ["exposure.under", "under-exposed"], ["noise", "noise"],
    ];
    const measured = new Map((found?.evidence ?? []).map((/** @type {any} */ e) => [e.name, e]));
    return rows.map(([code, word]) => {
      const e = /** @type {any} */ (measured.get(code));
      if (!e) return nothing;
      const told = e.cannot_tell ? "cannot tell" : typeof e.value === "number" ? e.value.toFixed(2) : String(e.value);
      return html`<div title=${e.cannot_tell ?? ""}><dt class="quiet">${word}</dt><dd>${told}</dd></div>`;
    });
  }
}

customElements.define("sl-why", Why);
