// The page Judge edits: scenes at the left, their sheet, or one photo large.
import { LitElement, html, nothing } from "../vendor/lit.js";
import { alarm, get, ofShoot, send, takeBack, tell, watch } from "../api.js";
import { digit, nth } from "../keys.js";
import { keys } from "../page.js";
import { ofPhoto, view } from "./look.js";
import { capital } from "./card.js";
import "./photo.js";
import "./sheet.js";

export class Judge extends LitElement {
  static properties = {
    scenes: { state: true }, scene: { state: true }, at: { state: true }, large: { state: true }, marked: { state: true }, stamp: { state: true },
    panel: { state: true }, reasons: { state: true }, asking: { state: true }, batch: { state: true }, trial: { state: true }, loaded: { state: true },
  };

  constructor() {
    super();
    /** @type {any[]} */
    this.scenes = [];
    this.scene = 0;
    this.at = 0;
    this.large = false;
    /** @type {Set<string>} */
    this.marked = new Set();
    this.stamp = "";
    this.panel = true;
    /** @type {Record<string, string>} */
    this.reasons = {};
    this.asking = false;
    /** A change that is tried on the whole scene. @type {{operator: string, params: Record<string, any>} | null} */
    this.batch = null;
    /** @type {Record<string, string>} */
    this.trial = {};
    this.loaded = false;
    this.asked = 0; // counts questions: an answer to an earlier one is late
    this.loads = Promise.resolve();
    this.since = performance.now();
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.bind();
    get("/api/reasons").then((found) => (this.reasons = found), alarm);
    this.load().then(() => this.addressed());
    watch((revision) => this.revision !== revision && this.load(revision), (here) => here || alarm("The app does not answer."));
  }

  /** Asks anew; done when the answer to the latest question is here. @param {number} [revision] */
  load(revision) {
    return (this.loads = this.read(++this.asked, revision));
  }

  /** @param {number} asked @param {number} [revision] @returns {Promise<void>} */
  async read(asked, revision) {
    try {
      const found = await get(ofShoot("scenes"));
      if (asked !== this.asked) return this.loads;
      const [scene, photo] = [this.now?.id, this.photo?.id];
      this.revision = revision;
      this.scenes = found;
      this.loaded = true;
      const again = found.findIndex((/** @type {any} */ s) => s.id === scene);
      if (again >= 0) this.scene = again;
      this.scene = Math.min(this.scene, Math.max(0, found.length - 1));
      const place = this.now?.photos.findIndex((/** @type {any} */ p) => p.id === photo) ?? -1;
      this.at = place >= 0 ? place : Math.min(this.at, Math.max(0, (this.now?.photos.length ?? 1) - 1));
      this.count();
    } catch (error) {
      alarm(error);
    }
  }

  /** Opens what the address names: a photo, or the first edit of an operator that waits. */
  addressed() {
    const asked = new URLSearchParams(location.search);
    const has = (/** @type {any} */ photo) => photo.id === asked.get("photo") || photo.waits.includes(asked.get("operator"));
    const scene = this.scenes.findIndex((/** @type {any} */ s) => s.photos.some(has));
    if (scene >= 0) {
      this.go(scene, this.scenes[scene].photos.findIndex(has));
      this.large = true;
    } else this.open();
  }

  get now() {
    return this.scenes[this.scene];
  }

  get photo() {
    return this.now?.photos[this.at];
  }

  get view() {
    return /** @type {import("./photo.js").PhotoView | null} */ (this.querySelector("sl-photo"));
  }

  count() {
    const open = this.scenes.reduce((sum, scene) => sum + scene.open, 0);
    const status = document.getElementById("status");
    if (status) status.textContent = open ? `${open.toLocaleString("en-GB")} photo${open > 1 ? "s" : ""} with edits that wait` : this.loaded ? "No edit waits" : "";
  }

  // ------------------------------------------------------------ moving

  /** @param {number} scene @param {number} at */
  go(scene, at) {
    if (scene !== this.scene) {
      this.leave();
      this.marked = new Set();
      this.since = performance.now();
    }
    this.scene = scene;
    this.at = at;
    this.next();
  }

  /** @param {number} by */
  step(by) {
    const to = this.at + by;
    if (to >= 0 && to < (this.now?.photos.length ?? 0)) this.go(this.scene, to);
    else if (Math.abs(by) === 1 && this.scenes[this.scene + by]) this.go(this.scene + by, by > 0 ? 0 : this.scenes[this.scene + by].photos.length - 1);
  }

  /** Goes to the next scene, or photo, that waits. */
  open() {
    if (!this.scenes.length) return;
    const order = [...this.scenes.keys()].map((i) => (this.scene + i) % this.scenes.length);
    for (const scene of order) {
      const photos = this.scenes[scene].photos;
      const from = scene === this.scene && this.large ? this.at + 1 : 0;
      const place = photos.findIndex((/** @type {any} */ p, /** @type {number} */ i) => i >= from && p.waits.length);
      const first = place >= 0 ? place : photos.findIndex((/** @type {any} */ p) => p.waits.length);
      if (first >= 0) return this.go(scene, first);
    }
    this.large = false;
    tell("No edit waits.");
  }

  /** Fetches what comes next, so that it is there when it is wanted. */
  next() {
    const photo = this.now?.photos[this.at + 1];
    if (this.large && photo && this.view?.stage) view(ofPhoto(photo.id), { side: Math.round(Math.max(this.view.stage.clientWidth, this.view.stage.clientHeight)) }).then((shown) => (new Image().src = shown.image), () => undefined);
  }

  leave() {
    this.batch = null;
    this.trial = {};
    this.asking = false;
  }

  // ------------------------------------------------------------ saying

  /** @param {Record<string, unknown>} what @param {boolean} [advance] */
  async say(what, advance = true) {
    try {
      const answer = await send(ofShoot("edits"), what);
      this.stamp = String(answer.revision);
      const left = answer.left.filter((/** @type {any} */ l) => l.because !== "nothing is proposed");
      tell(left.length ? `${left[0].path}: ${left[0].because}.` : said(what, answer.written));
      await this.load();
      if (advance && what.say !== "modify") this.open();
      else this.view?.load();
    } catch (error) {
      alarm(error);
    }
  }

  approve() {
    if (this.batch) return this.keepAll();
    if (this.large) return this.view?.editing ? this.view.keep() : this.view?.approve();
    const photos = this.now?.photos.filter((/** @type {any} */ p) => offered(p) && !this.marked.has(p.id)).map((/** @type {any} */ p) => p.id);
    if (!photos?.length) return this.open();
    return this.say({ photos, say: "approve", group: this.now.id, seconds: (performance.now() - this.since) / 1000 });
  }

  /** The same about all photos that are marked, else about the one before us. @param {Record<string, unknown>} what */
  together(what) {
    if (!this.photo) return;
    const marked = [...this.marked];
    this.asking = false;
    this.marked = new Set();
    const seconds = (performance.now() - this.since) / 1000;
    return this.say({ ...what, photos: marked.length ? marked : [this.photo.id], group: marked.length > 1 ? this.now.id : null, seconds });
  }

  /** @param {string} code */
  rejectAll(code) {
    return this.together({ say: "reject", reason: code });
  }

  async undo() {
    try {
      const answer = await takeBack();
      this.stamp = String(answer.revision);
      tell(answer.undone ? "Taken back." : "There is nothing to take back.");
      await this.load();
      if (answer.undone) this.returnTo(answer.photos[0]?.id);
      this.view?.load();
    } catch (error) {
      alarm(error);
    }
  }

  /** Goes to a photo, so that what was taken back is seen. @param {string} id */
  returnTo(id) {
    const is = (/** @type {any} */ photo) => photo.id === id;
    if (!id || this.now?.photos.some(is)) return;
    const scene = this.scenes.findIndex((/** @type {any} */ s) => s.photos.some(is));
    if (scene >= 0) this.go(scene, this.scenes[scene].photos.findIndex(is));
  }

  // ------------------------------------------------------------ one change for the scene

  /** Shows one changed edit on every photo of the scene. @param {string} operator @param {Record<string, any>} params */
  async tryAll(operator, params) {
    this.large = false;
    this.batch = { operator, params };
    this.trial = {};
    for (const photo of this.now.photos) {
      if (!this.batch || this.batch.params !== params) return;
      const shown = await view(ofPhoto(photo.id), { change: { operator, params }, side: 480 }).catch(() => null);
      if (shown) this.trial = { ...this.trial, [photo.id]: shown.image };
    }
  }

  async keepAll() {
    if (!this.batch) return;
    const { operator, params } = this.batch;
    const photos = this.now.photos.filter((/** @type {any} */ p) => !this.marked.has(p.id)).map((/** @type {any} */ p) => p.id);
    if (params.mask) await send(ofShoot(`masks/${params.mask}`), {}).catch(alarm);
    this.leave();
    await this.say({ photos, say: "modify", operators: [operator], params, group: this.now.id }, false);
  }

  // ------------------------------------------------------------ keys

  bind() {
    const large = (/** @type {(view: import("./photo.js").PhotoView) => void} */ act) => () => {
      if (this.large && this.view) act(this.view);
    };
    const move = (/** @type {number} */ x, /** @type {number} */ y) => {
      const stage = this.view?.stage;
      if (this.large && stage && this.view?.zoomed) return stage.pan(x * stage.clientWidth * 0.5, y * stage.clientHeight * 0.5);
      if (x) return this.step(x);
      if (this.large) return this.view?.choose(y);
      const sheet = /** @type {import("./sheet.js").Sheet} */ (this.querySelector("sl-sheet"));
      const to = this.at + y * sheet.across;
      if (to >= 0 && to < this.now.photos.length) return this.step(y * sheet.across);
      if (this.scenes[this.scene + y]) return this.go(this.scene + y, 0);
    };
    keys
      .on("approve", () => this.approve()).on("left", () => move(-1, 0)).on("right", () => move(1, 0)).on("up", () => move(0, -1)).on("down", () => move(0, 1))
      .on("open", () => this.open()).on("undo", () => this.undo()).on("loupe", () => this.enlarge()).on("mark", () => this.photo && this.mark(this.photo.id)).on("all", () => this.markAll())
      .on("reject", () => (this.large ? this.view?.reject() : this.asking ? this.rejectAll("") : (this.asking = true)))
      .on("reason", (_, event) => this.reason(nth(event.key)))
      .on("escalate", () => (this.large ? this.view?.escalate() : this.together({ say: "escalate" })))
      .on("modify", () => { this.large = true; this.updateComplete.then(() => this.view?.modify()); })
      .on("zoom", large((v) => v.zoom())).on("before", large((v) => v.show("before"))).on("split", large((v) => v.show("split"))).on("wipe", large((v) => v.show("wipe")))
      .on("overlay", large((v) => v.nextOverlay())).on("clipping", large((v) => v.clipping())).on("point", large((v) => v.point()))
      .on("panel", () => (this.panel = !this.panel)).on("back", () => this.back());
  }

  /** @param {number} number */
  reason(number) {
    const code = Object.keys(this.reasons)[number];
    if (!code) return;
    if (this.large && this.view?.asking) this.view.say("reject", { operators: [this.view.chosen], reason: code });
    else if (this.asking) this.rejectAll(code);
  }

  enlarge() {
    this.large = !this.large && Boolean(this.photo);
    this.leave();
  }

  back() {
    if (this.large && this.view?.stop()) return;
    if (this.large && this.view?.zoomed) this.view.zoomed = false;
    else if (this.batch || this.asking) this.leave();
    else if (this.large) this.large = false;
  }

  /** @param {string} id */
  mark(id) {
    const marked = new Set(this.marked);
    if (!marked.delete(id)) marked.add(id);
    this.marked = marked;
  }

  /** Marks every photo of the scene of which something waits, or none. */
  markAll() {
    const waiting = (this.now?.photos ?? []).filter((/** @type {any} */ p) => p.waits.length).map((/** @type {any} */ p) => p.id);
    this.marked = new Set(waiting.every((/** @type {string} */ id) => this.marked.has(id)) ? [] : waiting);
  }

  // ------------------------------------------------------------ how it looks

  render() {
    if (!this.loaded) return html`<div class="judge"></div>`;
    if (!this.scenes.length) return html`<section class="page"><h1>Nothing to judge</h1><p>No photo that stays has an edit. Keep some on the page Cull, or run <code>safelight run</code> again.</p></section>`;
    return html`<div class="judge ${this.large ? "large" : ""} ${this.panel ? "" : "bare"}">
      ${this.large ? nothing : this.list()}
      ${this.large && this.photo
        ? html`<sl-photo .photo=${this.photo.id} .place=${ofPhoto(this.photo.id)} .many=${this.now.photos.length > 1} .panel=${this.panel} .reasons=${this.reasons} @say=${(/** @type {CustomEvent} */ e) => this.spoken(e.detail)}></sl-photo>${this.strip()}`
        : html`<section class="scene">${this.head()}<sl-sheet .scene=${this.now} .at=${this.at} .marked=${this.marked} .stamp=${this.stamp} .trial=${this.trial}
            @pick=${(/** @type {CustomEvent} */ e) => (this.at = e.detail)} @open=${(/** @type {CustomEvent} */ e) => { this.at = e.detail; this.large = true; }}
            @mark=${(/** @type {CustomEvent} */ e) => this.mark(e.detail)}></sl-sheet></section>`}
    </div>`;
  }

  /** @param {any} detail */
  spoken(detail) {
    if (detail.say === "modify" && detail.all) this.tryAll(detail.operators[0], detail.params);
    else this.say({ photos: [this.photo.id], ...detail });
  }

  list() {
    return html`<nav class="scenes" aria-label="Scenes">${this.scenes.map(
      (scene, i) => html`<button type="button" aria-current=${i === this.scene ? "true" : "false"} @click=${() => this.go(i, 0)}>
        <span class="path">${scene.name}</span><span class="quiet">${scene.photos.length}</span>${scene.open ? html`<span class="need">${scene.open} ${scene.open === 1 ? "waits" : "wait"}</span>` : html`<span class="quiet">done</span>`}</button>`,
    )}</nav>`;
  }

  head() {
    const scene = this.now;
    const waits = scene.photos.filter((/** @type {any} */ p) => offered(p) && !this.marked.has(p.id)).length;
    if (this.batch)
      return html`<header class="head"><h1>${capital(this.batch.operator.replaceAll("_", " "))} on ${scene.photos.length - this.marked.size} photos</h1>
        <p class="quiet">Below: each photo with the change. Marked photos are left out. One undo takes it back.</p>
        <div class="buttons"><button type="button" class="first" @click=${() => this.keepAll()}>Apply to all <kbd>Enter</kbd></button><button type="button" @click=${() => this.leave()}>Leave it <kbd>Esc</kbd></button></div></header>`;
    return html`<header class="head"><h1>${scene.name}</h1><p class="quiet">${scene.photos.length} photo${scene.photos.length > 1 ? "s" : ""}, before over after; those that stand apart first. ${scene.operators.map((/** @type {string} */ o) => o.replaceAll("_", " ")).join(", ")}</p>
      <div class="buttons">
        <button type="button" class="first" ?disabled=${!waits} @click=${() => this.approve()}>${this.marked.size ? `Approve ${waits} not marked` : waits === 1 ? "Approve it" : `Approve all ${waits}`} <kbd>Enter</kbd></button>
        <button type="button" @click=${() => (this.asking = !this.asking)}>Reject ${this.marked.size ? "marked" : "this one"} <kbd>x</kbd></button>
        <button type="button" ?disabled=${!scene.open} @click=${() => this.markAll()}>${this.marked.size && this.marked.size === scene.open ? "Mark none" : "Mark all"} <kbd>s</kbd></button>
        <button type="button" @click=${() => this.enlarge()}>Look closer <kbd>Space</kbd></button></div>
      ${this.asking ? html`<div class="chips" role="group" aria-label="Why not?">${Object.entries(this.reasons).map(([code, text], i) => html`<button type="button" class="chip" @click=${() => this.rejectAll(code)}>${digit(i) ? html`<kbd>${digit(i)}</kbd> ` : nothing}${text}</button>`)}<button type="button" class="chip" @click=${() => this.rejectAll("")}>No reason</button></div>` : nothing}</header>`;
  }

  strip() {
    return html`<div class="strip" role="group" aria-label="Photos of the scene">${this.now.photos.map(
      (/** @type {any} */ p, /** @type {number} */ i) => html`<button type="button" aria-current=${i === this.at ? "true" : "false"} class=${p.waits.length ? "" : "settled"} title=${p.path} @click=${() => this.go(this.scene, i)}>
        <img src=${`/shoots/${document.body.dataset.shoot}/photos/${p.id}/thumb.jpg`} alt=${p.path} loading="lazy"></button>`,
    )}</div>`;
  }
}

/** Whether something of a photo can be approved: it waits, and is shown with a suggestion. @param {any} photo */
const offered = (photo) => photo.waits.length > photo.blind.length;

/** @param {Record<string, unknown>} what @param {number} count */
function said(what, count) {
  const verb = { approve: "approved", reject: "rejected", escalate: "handed on", modify: "changed" }[String(what.say)];
  return `${count} edit${count === 1 ? "" : "s"} ${verb}.`;
}

customElements.define("sl-judge", Judge);
