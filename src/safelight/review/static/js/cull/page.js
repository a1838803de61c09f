// The Cull page: a shoot as a grid or one photograph large, the reasons beside it, everything by keyboard.
import { alarm, tell, watch } from "../api.js";
import { keys } from "../page.js";
import { html, LitElement, nothing } from "../vendor/lit.js";
import { Actions } from "./actions.js";
import { refused } from "./clips.js";
import "./filters.js";
import { Grid } from "./grid.js";
import { Loupe, MOST } from "./loupe.js";
import { Model } from "./model.js";
import { forget, Why } from "./why.js";

const NOT_HERE = "Clips and sounds are played here, not magnified, edited or compared.";

class Cull extends LitElement {
  constructor() {
    super();
    this.model = new Model();
    /** @type {"grid" | "loupe"} */ this.view = "grid";
    this.why = localStorage.getItem("safelight.why") !== "no";
    this.ready = false;
    this.here = true;
    this.actions = new Actions(this.model, () => this.view === "grid");
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.keys();
    for (const what of ["units", "photos"]) this.model.addEventListener(what, () => this.count());
    this.model.load(true).then(() => this.begin(), alarm);
  }

  begin() {
    this.ready = true;
    this.requestUpdate();
    const wanted = new URLSearchParams(location.search).get("photo") || decodeURIComponent(location.hash.slice(1));
    if (wanted) this.model.go(wanted);
    watch(
      (revision) => {
        if (revision === this.model.revision) return;
        this.model.load(revision < this.model.revision).then(() => forget(this.model.photos.keys()), alarm); // a new start counts anew
      },
      (here) => {
        if (here && !this.here) {
          tell("The app answers again.");
          this.model.revision = -1;
          this.model.load(true).catch(alarm);
        }
        this.here = here;
        this.count();
      },
    );
  }

  firstUpdated() {
    const [grid, loupe, why] = ["sl-grid", "sl-loupe", "sl-why"].map((name) => this.querySelector(name));
    this.grid = /** @type {Grid} */ (grid);
    this.loupe = /** @type {Loupe} */ (loupe);
    this.panel = /** @type {Why} */ (why);
    this.grid.show(this.model);
    this.grid.onopen = () => this.turn("loupe");
    this.loupe.show(this.model);
    this.panel.show(this.model);
    /** @type {any} */ (this.querySelector("sl-filters")).show(this.model);
  }

  render() {
    const empty = this.ready && !this.model.order.length;
    return html`<sl-filters></sl-filters>
      <div class="body ${this.view} ${this.why ? "with-why" : ""}">
        <sl-grid ?hidden=${this.view !== "grid" || empty}></sl-grid>
        <sl-loupe ?hidden=${this.view !== "loupe" || empty}></sl-loupe>
        <aside aria-label="Why" ?hidden=${!this.why}><sl-why></sl-why></aside>
        ${empty ? html`<section class="page"><h1>Nothing to show yet</h1><p>No photo of this shoot has been looked at. This page fills up while a run goes on.</p></section>` : nothing}
      </div>
      ${this.model.failed.length ? html`<details class="failed"><summary>${this.model.failed.length} ${this.model.failed.length === 1 ? "file" : "files"} could not be read</summary>
        <ul>${this.model.failed.slice(0, 200).map((f) => html`<li><span class="path">${f.path.slice(0, 300)}</span>: ${f.cause} ${f.remedy}</li>`)}</ul></details>` : nothing}`;
  }

  /** The running count, in the bar. */
  count() {
    const place = document.getElementById("status");
    if (!place) return;
    const c = this.model.counts;
    const n = (/** @type {number} */ value) => value.toLocaleString("en-GB");
    const of = c.target === null ? "" : ` of about ${n(c.target)}`;
    const clips = this.model.clips.length;
    const saving = this.model.waiting > 3 ? ` · saving ${this.model.waiting}` : "";
    place.textContent = "";
    if (!this.here) place.append("The app does not answer. What you say now cannot be saved.");
    else place.append(`${n(c.photos)} ${c.photos === 1 ? "photo" : "photos"}${clips ? ` · ${clips === 1 ? "1 clip or sound" : `${n(clips)} clips and sounds`}` : ""} · ${n(c.kept)} kept${of} · `, need(`${n(c.open)} need${c.open === 1 ? "s" : ""} you`, c.open > 0), saving);
  }

  /** @param {"grid" | "loupe"} view */
  turn(view) {
    this.view = view;
    const { loupe, grid } = this;
    if (!loupe || !grid) return;
    loupe.hidden = view !== "loupe";
    grid.hidden = view !== "grid";
    if (view === "grid") {
      loupe.hush();
      loupe.comparing = false;
      loupe.zoom = { ...loupe.zoom, on: false };
      grid.lay();
      grid.focus({ preventScroll: true });
    } else {
      document.getElementById("main")?.focus({ preventScroll: true });
    }
    loupe.requestUpdate();
    this.requestUpdate();
  }

  keys() {
    const { model, actions } = this;
    const inGrid = () => this.view === "grid";
    const across = (/** @type {number} */ by) => model.step(by);
    const pan = (/** @type {KeyboardEvent} */ event, /** @type {number} */ x, /** @type {number} */ y) => event.shiftKey && !inGrid() && this.loupe?.pan(x, y);
    keys
      .on("approve", () => actions.approve())
      .on("moment", () => actions.approveMoment())
      .on("pick", (advance) => actions.choose("keep", advance))
      .on("reject", (advance) => actions.choose("reject", advance))
      .on("undecide", (advance) => actions.choose("undecided", advance))
      .on("best", (advance) => actions.best(advance))
      .on("escalate", (advance) => actions.escalate(advance))
      .on("left", (_, event) => pan(event, -1, 0) || (inGrid() ? across(-1) : this.loupe?.comparing ? this.loupe.stepCompared(-1) : model.frame(-1)))
      .on("right", (_, event) => pan(event, 1, 0) || (inGrid() ? across(1) : this.loupe?.comparing ? this.loupe.stepCompared(1) : model.frame(1)))
      .on("up", (_, event) => pan(event, 0, -1) || across(inGrid() ? -(this.grid?.columns ?? 1) : -1))
      .on("down", (_, event) => pan(event, 0, 1) || across(inGrid() ? this.grid?.columns ?? 1 : 1))
      .on("first", () => across(-1e9))
      .on("last", () => across(1e9))
      .on("open", () => model.nextOpen() || tell("Everything here is answered."))
      .on("loupe", () => this.turn(inGrid() ? "loupe" : "grid"))
      .on("zoom", () => this.large(() => this.loupe?.toggleZoom()))
      .on("before", () => this.large(() => this.side("after")))
      .on("split", () => this.large(() => this.side("split")))
      .on("compare", () => this.large(() => this.compare()))
      .on("mark", () => this.markForComparing())
      .on("panel", () => this.togglePanel())
      .on("filter", () => /** @type {HTMLElement | null} */ (this.querySelector("sl-filters select"))?.focus())
      .on("undo", () => actions.undo().then(() => forget([model.current])))
      .on("back", () => this.back());
    for (let stars = 0; stars <= 5; stars++) keys.on(`rate${stars}`, (advance) => actions.mark({ rating: stars }, advance));
    for (const label of ["Red", "Yellow", "Green", "Blue"]) keys.on(`label${label}`, (advance) => actions.mark({ label }, advance));
  }

  /** What is about one photograph large opens the loupe first. @param {() => void} act */
  large(act) {
    if (this.view === "grid") this.turn("loupe");
    if (!refused(this.model.photos.get(this.model.current), NOT_HERE)) act();
  }

  /** @param {"after" | "split"} side */
  async side(side) {
    const { loupe, model } = this;
    if (!loupe) return;
    const id = model.current;
    const found = loupe.side === side ? null : await import("./why.js").then((why) => why.about(id));
    if (found && !found.version) return tell("Nothing to show: no edit is proposed for this photo.");
    if (found) loupe.versions.set(id, found.version);
    loupe.side = loupe.side === side ? "before" : side;
    loupe.requestUpdate();
  }

  compare() {
    const { loupe } = this;
    if (!loupe) return;
    if (!loupe.comparing && loupe.compared.length < 2) return tell("One frame only: mark others with M to compare them.");
    loupe.comparing = !loupe.comparing;
    loupe.requestUpdate();
  }

  markForComparing() {
    if (refused(this.model.photos.get(this.model.current), NOT_HERE)) return;
    const { marked, current } = this.model;
    if (marked.has(current)) marked.delete(current);
    else if (marked.size >= MOST) return tell(`${MOST} frames are the most that are compared.`);
    else marked.add(current);
    tell(marked.size ? `${marked.size} marked; C compares them.` : "None marked.");
    this.model.emit("photos");
  }

  togglePanel() {
    this.why = !this.why;
    localStorage.setItem("safelight.why", this.why ? "yes" : "no");
    this.requestUpdate();
    this.updateComplete.then(() => this.panel?.ask());
  }

  back() {
    const { loupe } = this;
    if (this.view === "loupe" && loupe?.comparing) this.compare();
    else if (this.view === "loupe" && loupe?.zoom.on) loupe.toggleZoom();
    else if (this.view === "loupe") this.turn("grid");
    else this.grid?.focus();
  }
}

/** Amber where a person is needed. @param {string} text @param {boolean} needed */
function need(text, needed) {
  const made = document.createElement("span");
  made.textContent = text;
  if (needed) made.className = "need";
  return made;
}

customElements.define("sl-cull", Cull);
