// The page Queue: what needs a person first, in one shoot or in all. What is behind an item is not known here before it
// is answered.
import { LitElement, html, nothing, repeat } from "../vendor/lit.js";
import { alarm, get, ofShoot, picture, send, shoot, takeBack, tell, watch } from "../api.js";
import { digit, nth } from "../keys.js";
import { keys } from "../page.js";
import "../judge/photo.js";

const MOST = 200;
const FIRST = 8; // reasons of a clip's edit that are shown
const ASKED = new URLSearchParams(location.search);
const QUEUE = shoot ? ofShoot("queue") : "/api/queue";
/** @param {number} count */
const counted = (count) => count.toLocaleString("en-GB");
/** @param {number} count mistakes to be expected in what is left */
const leftOver = (count) => (count === 0 ? "hardly a mistake is left" : count === 1 ? "about 1 mistake is left" : `about ${counted(count)} mistakes are left`);
/** @param {any} item where the API asks about an item */
const place = (item) => ofShoot(`queue/${item.token}`, item.shoot);

export class Queue extends LitElement {
  static properties = {
    items: { state: true }, at: { state: true }, task: { state: true }, tasks: { state: true }, of: { state: true }, shoots: { state: true }, count: { state: true }, reasons: { state: true },
    loaded: { state: true }, asking: { state: true }, panel: { state: true }, zoomed: { state: true },
  };

  constructor() {
    super();
    /** @type {any[]} */
    this.items = [];
    this.at = 0;
    this.task = ASKED.get("task") ?? "";
    /** @type {Record<string, number>} */
    this.tasks = {};
    /** The only shoot that is shown; empty: all. */
    this.of = ASKED.get("shoot") ?? "";
    /** @type {{id: string, name: string, count: number, expected: number}[]} */
    this.shoots = [];
    this.count = 0;
    this.expected = 0;
    this.asked = 0;
    /** @type {Record<string, string>} */
    this.reasons = {};
    this.loaded = false;
    this.asking = false;
    this.zoomed = false;
    this.panel = true;
    this.since = performance.now();
    /** @type {string | undefined} */
    this.shownToken = undefined;
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    get("/api/reasons").then((found) => (this.reasons = found), alarm);
    this.bind();
    this.load();
    watch((revision) => this.revision !== revision && this.load(revision), (here) => here || alarm("The app does not answer."));
  }

  get item() {
    return this.items[this.at];
  }

  get view() {
    return /** @type {import("../judge/photo.js").PhotoView | null} */ (this.querySelector("sl-photo"));
  }

  /** @param {number} [revision] */
  async load(revision) {
    const asked = ++this.asked;
    try {
      const found = await get(`${QUEUE}?${new URLSearchParams({ task: this.task, most: String(MOST), ...(shoot ? {} : { shoot: this.of }) })}`);
      if (asked !== this.asked) return; // a later question is on its way
      this.revision = revision;
      const token = this.item?.token; // read now: someone may have gone on while this was asked
      const again = found.items.findIndex((/** @type {any} */ item) => item.token === token);
      [this.items, this.tasks, this.shoots, this.count, this.expected, this.loaded] = [found.items, found.tasks, found.shoots ?? [], found.count, found.expected, true];
      this.go(again >= 0 ? again : Math.min(this.at, Math.max(0, found.items.length - 1)));
      const status = document.getElementById("status");
      if (status) status.textContent = found.count ? `${counted(found.count)} ${found.count === 1 ? "waits" : "wait"}; ${leftOver(Math.round(found.expected))} if you stop now` : "";
    } catch (error) {
      alarm(error);
    }
  }

  /** @param {number} at */
  go(at) {
    if (at < 0 || at >= this.items.length) return;
    if (this.items[at]?.token !== this.shownToken) this.since = performance.now();
    this.shownToken = this.items[at]?.token;
    this.at = at;
    this.asking = false;
    this.updateComplete.then(() => this.querySelector('.list [aria-current="true"]')?.scrollIntoView({ block: "nearest" }));
    const next = this.items[at + 1];
    if (next) new Image().src = picture(next.photo, "proxy", next.shoot);
  }

  /** Chooses what is listed, and says so in the address. @param {string} name @param {string} value */
  choose(name, value) {
    if (name === "task") this.task = value;
    else this.of = value;
    this.at = 0;
    const chosen = new URLSearchParams(Object.entries({ task: this.task, shoot: this.of }).filter(([, set]) => set));
    history.replaceState(null, "", chosen.size ? `?${chosen}` : location.pathname);
    this.load();
  }

  /** @param {Record<string, unknown>} what @param {any[]} [items] */
  async say(what, items = [this.item]) {
    const gone = new Set(items.map((item) => item.token));
    const seconds = (performance.now() - this.since) / 1000;
    try {
      const answer = await send(QUEUE, { seconds, ...what, tokens: [...gone] });
      if (answer.left.length && !answer.written) return tell(`${answer.left[0].path}: ${answer.left[0].because}.`);
      this.items = this.items.filter((item) => !gone.has(item.token));
      this.go(Math.min(this.at, this.items.length - 1));
      const noticed = what.say === "reject" || what.say === "modify";
      tell(answer.planted ? `That one was spoilt on purpose: ${noticed ? "seen" : "missed"}.` : items.length > 1 ? `${answer.written} answered together.` : "Answered.");
      await this.load();
    } catch (error) {
      alarm(error);
    }
  }

  approve() {
    if (!this.item) return;
    if (this.item.clip) return void (location.href = this.film());
    if (this.view?.editing) return this.view.keep();
    if (this.item.blind) return tell(this.item.picture ? "Shown without a suggestion: set it with D, or leave the photo as it is with X." : "Shown without a suggestion: keep it with P or reject it with X.");
    return this.say({ say: "approve", note: this.note() });
  }

  /** Keeps the photo that is asked about, whatever was proposed. */
  keep() {
    if (!this.item) return;
    if (this.item.clip) return tell("This asks about the cuts of a clip: open it with Enter.");
    if (this.item.picture) return tell("This asks about an edit: approve it with Enter.");
    return this.say({ say: "modify", params: { decision: "keep", tie_with: "" } });
  }

  note() {
    return this.view?.more().note ?? "";
  }

  /** @param {string} code */
  reject(code) {
    this.asking = false;
    return this.say({ say: "reject", reason: code, note: this.note() });
  }

  async undo() {
    try {
      const answer = await takeBack();
      tell(answer.undone ? "Taken back." : "There is nothing to take back.");
      await this.load();
    } catch (error) {
      alarm(error);
    }
  }

  bind() {
    const seen = (/** @type {(view: import("../judge/photo.js").PhotoView) => void} */ act) => () => this.view && act(this.view);
    const step = (/** @type {number} */ by) => () => {
      const stage = this.view?.stage;
      if (this.view?.zoomed && stage) return stage.pan(0, by * stage.clientHeight * 0.5);
      this.go(this.at + by);
    };
    keys
      .on("approve", () => this.approve()).on("up", step(-1)).on("down", step(1)).on("left", step(-1)).on("right", step(1)).on("open", () => this.go(0))
      .on("undo", () => this.undo()).on("pick", () => this.keep()).on("escalate", () => this.say({ say: "escalate", note: this.note() }))
      .on("reject", () => (this.asking ? this.reject("") : (this.asking = true)))
      .on("reason", (_, event) => { const code = Object.keys(this.reasons)[nth(event.key)]; if (this.asking && code) this.reject(code); })
      .on("modify", seen((v) => v.modify())).on("zoom", () => (this.view ? this.view.zoom() : (this.zoomed = !this.zoomed))).on("before", seen((v) => v.show("before"))).on("split", seen((v) => v.show("split")))
      .on("wipe", seen((v) => v.show("wipe"))).on("overlay", seen((v) => v.nextOverlay())).on("clipping", seen((v) => v.clipping())).on("point", seen((v) => v.point()))
      .on("panel", () => (this.panel = !this.panel)).on("back", () => { if (!this.view?.stop()) this.asking = false; });
  }

  render() {
    if (!this.loaded) return html`<div class="queue"></div>`;
    if (!this.count && !this.task && !this.of) return html`<section class="page"><h1>Nothing waits</h1><p>Every photo and every edit is answered. ${shoot ? html`<a href="/shoots/${shoot}/deliver">Deliver</a>` : html`<a href="/?from=here">All shoots</a>`}</p></section>`;
    return html`<div class="queue">${this.list()}${this.item ? (this.item.picture ? this.edit() : this.item.clip ? this.cuts() : this.choice()) : html`<section class="page"><h1>Nothing of this waits</h1></section>`}</div>`;
  }

  list() {
    const most = Math.max(...this.items.map((item) => item.harm), 1e-9);
    const rest = this.task && this.count > 1;
    return html`<section class="list" aria-label="What waits, worst first"><div class="filters">
        <label>Show <select @change=${(/** @type {any} */ e) => this.choose("task", e.target.value)}>
          <option value="" ?selected=${!this.task}>everything that blocks delivery</option>
          ${Object.entries(this.tasks).map(([name, count]) => html`<option value=${name} ?selected=${name === this.task}>${name.replaceAll("_", " ")} (${counted(count)})</option>`)}</select></label>
        ${shoot ? html`<a href="/queue">All shoots</a>` : html`<label>Shoot <select @change=${(/** @type {any} */ e) => this.choose("shoot", e.target.value)}>
          <option value="" ?selected=${!this.of}>all shoots</option>
          ${this.shoots.map((one) => html`<option value=${one.id} ?selected=${one.id === this.of}>${one.name} (${counted(one.count)})</option>`)}</select></label>`}
        ${rest ? html`<button type="button" title="One decision for all that are listed; recorded as bundled" @click=${() => this.say({ say: "approve" }, this.items)}>Approve the ${this.items.length} listed</button>` : nothing}
        <span class="quiet">Bar: expected harm, worst first.</span></div>
      <ol>${repeat(
        this.items,
        (item) => item.token,
        (item, i) => html`<li><button type="button" class="item" aria-current=${i === this.at ? "true" : "false"} @focus=${() => this.go(i)} @click=${() => this.go(i)}>
          <img src=${picture(item.photo, "thumb", item.shoot)} alt="" loading="lazy"><span class="path">${item.path}</span>
          <span class="quiet path">${item.operator.replaceAll("_", " ")}${shoot || this.of ? "" : ` · ${this.named(item)}`}</span><span class="harm" role="img" aria-label=${`expected harm ${Math.round((100 * item.harm) / most)} of 100`}></span></button></li>`,
      )}</ol></section>`;
  }

  /** @param {any} item the name of its shoot */
  named(item) {
    return this.shoots.find((one) => one.id === item.shoot)?.name ?? "";
  }

  edit() {
    return html`<sl-photo .photo=${this.item.photo} .place=${place(this.item)} .operator=${this.item.operator} .panel=${this.panel} .reasons=${this.reasons} @say=${(/** @type {CustomEvent} */ e) => {
      const { operators: _, ...what } = e.detail;
      this.say(what);
    }}></sl-photo>`;
  }

  /** The page on which the clip's cuts are judged. */
  film() {
    return `/shoots/${this.item.shoot}/cut/${this.item.photo}?from=${shoot ? "queue" : "all"}`;
  }

  /** The cuts of a clip: they are judged on its own page, which plays them. */
  cuts() {
    return html`<figure class="pane still"><img src=${picture(this.item.photo, "proxy", this.item.shoot)} alt=${this.item.path.slice(-80)}></figure><aside class="side" aria-label="Cuts of a clip">
      <h2>${this.item.operator.replaceAll("_", " ")}</h2><p class="path">${this.item.path}</p>
      <div class="buttons"><a class="button first" href=${this.film()}>Play and judge <kbd>Enter</kbd></a><button type="button" @click=${() => (this.item.blind ? this.reject("") : (this.asking = !this.asking))}>${this.item.blind ? "As it is" : "Reject all"} <kbd>x</kbd></button>
      <button type="button" @click=${() => this.say({ say: "escalate" })}>Hand on <kbd>e</kbd></button></div>
      ${this.item.blind ? html`<p>Shown without a suggestion: cut on its page what you would cut, or leave it as it is.</p>` : nothing}
      ${this.asking ? this.chips() : nothing}
      ${this.item.because.length ? html`<ol class="because">${this.item.because.slice(0, FIRST).map((/** @type {string} */ text) => html`<li>${text}</li>`)}</ol>` : nothing}
      ${this.item.because.length > FIRST ? html`<p class="quiet">${this.item.because.length - FIRST} more stand on its page.</p>` : nothing}</aside>`;
  }

  /** Whether a photo stays. */
  choice() {
    return html`<sl-view .photo=${this.item.photo} .place=${place(this.item)} .width=${this.item.width} .height=${this.item.height} .zoomed=${this.zoomed} @zoom=${() => (this.zoomed = !this.zoomed)}></sl-view><aside class="side" aria-label="Whether it stays">
      <h2>Does it stay?</h2><p class="path">${this.item.path}</p>
      ${this.item.blind && !this.item.because.length ? html`<p>Shown without a suggestion: decide for yourself.</p>` : nothing}
      ${this.item.suggested ? html`<p>Proposed: ${this.item.suggested}.</p>` : nothing}
      ${this.item.because.length ? html`<ol class="because">${this.item.because.map((/** @type {string} */ text) => html`<li>${text}</li>`)}</ol>` : nothing}
      <div class="buttons"><button type="button" class="first" @click=${() => this.keep()}>Keep <kbd>p</kbd></button><button type="button" @click=${() => (this.asking = !this.asking)}>Reject <kbd>x</kbd></button>
      <button type="button" ?disabled=${!this.item.suggested} @click=${() => this.approve()}>As proposed <kbd>Enter</kbd></button><button type="button" @click=${() => this.say({ say: "escalate" })}>Hand on <kbd>e</kbd></button></div>
      <p class="quiet">Stacks and their reasons are on the page <a href="/shoots/${this.item.shoot}/cull?photo=${this.item.photo}">Cull</a>.</p>
      ${this.asking ? this.chips() : nothing}</aside>`;
  }

  chips() {
    return html`<div class="chips" role="group" aria-label="Why not?"><h3>Why not?</h3>${Object.entries(this.reasons).map(
      ([code, text], i) => html`<button type="button" class="chip" @click=${() => this.reject(code)}>${digit(i) ? html`<kbd>${digit(i)}</kbd> ` : nothing}${text}</button>`,
    )}<button type="button" class="chip" @click=${() => this.reject("")}>No reason</button></div>`;
  }

  updated() {
    for (const bar of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll(".harm"))) {
      const share = bar.getAttribute("aria-label")?.match(/\d+/)?.[0] ?? "0";
      bar.style.setProperty("--share", `${share}%`);
    }
    if (this.view && this.asking) this.view.asking = true;
  }
}

customElements.define("sl-queue", Queue);
