// The loupe: the photograph, its stack best first, the shoot with its moments as gaps.
import { picture } from "../api.js";
import { html, LitElement, nothing, repeat } from "../vendor/lit.js";
import { Pictures } from "../parts/pictures.js";
import { strip } from "../parts/faces.js";
import { decision, name, sign } from "../parts/signs.js";
import { isClip, player } from "./clips.js";
import { about, eyesOf } from "./why.js";
import "../parts/stage.js";

/** @typedef {import("./model.js").Model} Model @typedef {import("../parts/stage.js").Stage} Stage */

const AROUND = 24; // units of the strip on each side of the cursor
const ROOM = 9; // pictures of 7 MB that are kept decoded
const AHEAD = 3; // units whose pictures are made ready before somebody goes there
export const MOST = 6; // frames side by side
const FACES = 6; // of a frame beside others

export class Loupe extends LitElement {
  constructor() {
    super();
    /** @type {Model} */ this.model = /** @type {any} */ (null);
    this.pictures = new Pictures(ROOM, (id, size) => (size === "after" ? `${picture(id, /** @type {any} */ ("after"))}?side=1600&v=${this.versions.get(id) ?? ""}` : picture(id, /** @type {any} */ (size))));
    /** @type {Map<string, string>} */ this.versions = new Map();
    this.zoom = { on: false, x: 0.5, y: 0.5 };
    /** @type {"before" | "after" | "split"} */ this.side = "before";
    this.comparing = false;
    /** @type {Map<string, any>} what is known about the frames that are compared */ this.known = new Map();
    /** @type {Set<string>} clips that this browser could not play */ this.failed = new Set();
    /** @type {(milliseconds: number) => void} */ this.ondrawn = () => {};
  }

  createRenderRoot() {
    return this;
  }

  /** @param {Model} model */
  show(model) {
    this.model = model;
    for (const what of ["units", "photos", "cursor"]) model.addEventListener(what, () => this.changed(what));
    this.requestUpdate();
  }

  /** @param {string} what */
  changed(what) {
    if (what === "cursor" && !this.comparing) {
      this.zoom = { ...this.zoom, x: 0.5, y: 0.5 };
      this.aim();
    }
    if (!this.hidden) this.requestUpdate();
  }

  /** At 100 % the eyes are what one looks at. */
  aim() {
    if (!this.zoom.on) return;
    const id = this.model.current;
    if (isClip(this.model.photos.get(id))) return;
    eyesOf(id).then((eyes) => {
      if (eyes && id === this.model.current) this.look({ on: true, ...eyes });
    });
  }

  toggleZoom() {
    this.look({ on: !this.zoom.on, x: 0.5, y: 0.5 });
    this.aim();
  }

  /** @param {{on: boolean, x: number, y: number}} zoom */
  look(zoom) {
    this.zoom = zoom;
    for (const stage of this.stages()) stage.look(zoom);
  }

  /** Moves what is seen at 100 % by halves of the view; says whether anything is. @param {number} x @param {number} y */
  pan(x, y) {
    const [stage] = this.stages();
    if (!this.zoom.on || !stage) return false;
    const half = (window.devicePixelRatio || 1) / 2;
    const moved = (/** @type {number} */ at, /** @type {number} */ by, /** @type {number} */ view, /** @type {number} */ side) => Math.min(1, Math.max(0, at + (by * half * view) / side));
    this.look({ on: true, x: moved(this.zoom.x, x, stage.clientWidth, stage.photo.width), y: moved(this.zoom.y, y, stage.clientHeight, stage.photo.height) });
    return true;
  }

  /** @returns {Stage[]} */
  stages() {
    return [.../** @type {NodeListOf<Stage>} */ (this.querySelectorAll("sl-stage"))];
  }

  /** The frames that are compared: those that are marked, else the stack's best. */
  get compared() {
    const { model } = this;
    const marked = [...model.marked].filter((id) => model.photos.has(id));
    const frames = marked.length > 1 ? marked : model.unit?.members ?? [];
    const first = frames.slice(0, MOST);
    return first.includes(model.current) ? first : [...first.slice(0, MOST - 1), model.current];
  }

  /** The frame after or before the one before us, among those that are compared. @param {1 | -1} by */
  stepCompared(by) {
    const frames = this.compared;
    const next = frames[frames.indexOf(this.model.current) + by];
    if (next) this.model.go(next);
  }

  updated() {
    const { model } = this;
    if (!model?.unit || this.hidden) return;
    if (this.comparing) this.meet();
    for (const stage of this.stages()) {
      const photo = model.photos.get(stage.dataset.id ?? "");
      if (!photo) continue;
      stage.pictures = this.pictures;
      stage.zoom = this.zoom;
      stage.onzoom = (zoom) => this.look(zoom);
      stage.ondrawn = ({ milliseconds }) => this.ondrawn(milliseconds);
      stage.show(photo, stage.dataset.size === "after" ? "after" : "proxy");
    }
    this.prepare();
    this.querySelector(".shoot .here")?.scrollIntoView({ block: "nearest", inline: "center", behavior: "instant" });
    this.querySelector(".group .here")?.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
  }

  /** Asks for the faces of the frames that are compared. */
  meet() {
    for (const id of this.compared.filter((one) => this.model.at(one).faces && !this.known.has(one))) {
      this.known.set(id, null); // asked for once, whatever comes of it
      about(id).then((found) => {
        if (found && this.known.has(id)) this.known.set(id, found);
        this.requestUpdate();
      });
    }
    for (const id of this.known.keys()) if (!this.compared.includes(id)) this.known.delete(id);
  }

  /** Makes ready what will be asked for next: the frames of this stack, then the tops of the stacks around it. */
  prepare() {
    const { model } = this;
    const unit = model.unit;
    if (!unit || this.comparing) return; // the frames before us have the room
    const here = model.shown.indexOf(model.unitOf.get(model.current) ?? -1);
    const around = [];
    for (let i = 1; i <= AHEAD; i++) around.push(model.shown[here + i]);
    around.push(model.shown[here - 1]);
    const at = unit.members.indexOf(model.current);
    const wanted = [unit.members[at + 1], unit.members[at - 1], ...around.map((place) => model.units[place] && model.top(model.units[place]))];
    clearTimeout(this.later);
    this.later = window.setTimeout(() => wanted.forEach((id) => id && this.pictures.get(id, "proxy")), 0);
  }

  render() {
    const { model } = this;
    const unit = model?.unit;
    if (!unit) return html`<p class="empty quiet">Nothing to show: no photo passes the filter.</p>`;
    const photo = model.at(model.current);
    const clip = isClip(photo) && !this.comparing;
    return html`
      ${clip ? player(photo, this.failed, () => this.requestUpdate()) : html`<div class="stages" data-count=${this.comparing ? this.compared.length : this.side === "split" ? 2 : 1}>
        ${this.comparing ? repeat(this.compared, (id) => id, (id) => this.framed(id)) : this.sides(photo.id)}
      </div>`}
      <div class="group" role="group" aria-label="The stack, best first">
        <span class="label quiet">${unit.group ? html`${unit.group.protected ? sign("lock") : nothing} ${name(unit.group.kind)}${unit.group.protected ? ", kept whole" : ""}` : isClip(photo) ? name(/** @type {string} */ (photo.kind)) : "single"}</span>
        ${repeat(unit.members, (id) => id, (id) => this.thumb(id, "frame"))}
      </div>
      <div class="shoot" role="group" aria-label="The shoot">${this.strip()}</div>`;
  }

  /** Nothing plays on where nobody sees it. */
  hush() {
    for (const each of this.querySelectorAll("video, audio")) /** @type {HTMLMediaElement} */ (each).pause();
  }

  /** @param {string} id */
  sides(id) {
    const stage = (/** @type {"proxy" | "after"} */ size, /** @type {string} */ word) =>
      html`<figure><sl-stage data-id=${id} data-size=${size}></sl-stage>${word ? html`<figcaption>${word}</figcaption>` : nothing}</figure>`;
    if (this.side === "split") return [stage("proxy", "before"), stage("after", "after")];
    return this.side === "after" ? stage("after", "after") : stage("proxy", "");
  }

  /** @param {string} id */
  framed(id) {
    const photo = this.model.at(id);
    const sharp = photo.sharpness === null ? "" : `sharpness ${photo.sharpness.toFixed(2)}`;
    const eyes = photo.closed ? `eyes closed: ${photo.closed} of ${photo.faces}` : "";
    const found = this.known.get(id);
    return html`<figure class="framed ${photo.faces ? "people" : ""} ${id === this.model.current ? "here" : ""}" @click=${() => this.model.go(id)}>
      <sl-stage data-id=${id} data-size="proxy"></sl-stage>
      ${photo.faces ? html`<div class="faces" role="group" aria-label="Faces" tabindex="0">${found ? strip(found, FACES) : nothing}</div>` : nothing}
      <figcaption>${decision(photo)} <span class="name">${photo.path.slice(-40)}</span> <span class="quiet">${[eyes, sharp].filter(Boolean).join(" · ")}</span></figcaption>
    </figure>`;
  }

  /** @param {string} id @param {string} kind */
  thumb(id, kind) {
    const { model } = this;
    const photo = model.at(id);
    const best = model.unit?.group?.best === id;
    const here = id === model.current;
    return html`<button type="button" class="${kind} ${photo.decision} ${photo.decided ? "said" : "proposed"} ${here ? "here" : ""} ${model.marked.has(id) ? "marked" : ""}"
      aria-pressed=${here} title="${photo.path.slice(-80)}${best ? ": the machine's best" : ""}" @click=${() => model.go(id)}>
      <sl-thumb .photo=${id}></sl-thumb>${sign(/** @type {any} */ (photo.decision))}
      <span class="hidden">${photo.path.slice(-80)}, ${photo.decision}</span></button>`;
  }

  strip() {
    const { model } = this;
    const here = model.shown.indexOf(model.unitOf.get(model.current) ?? -1);
    const from = Math.max(0, here - AROUND);
    const places = model.shown.slice(from, here + AROUND + 1);
    let scene = /** @type {string | null | undefined} */ (undefined);
    return repeat(places, (place) => model.units[place].id, (place) => {
      const unit = model.units[place];
      const top = unit.members.includes(model.current) ? model.current : model.top(unit);
      const moment = model.at(top).scene;
      const gap = scene !== undefined && moment !== scene;
      scene = moment;
      return html`${gap ? html`<span class="gap" role="separator" aria-label="another moment"></span>` : nothing}${this.thumb(top, unit.group ? "unit stack" : "unit")}`;
    });
  }
}

customElements.define("sl-loupe", Loupe);
