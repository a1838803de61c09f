// The page Practise: twenty planted flaws and some photographs without any. Nothing that is said here is written down.
import { LitElement, html, nothing } from "../vendor/lit.js";
import { alarm, get, ofShoot, send, shoot } from "../api.js";
import { digit, nth } from "../keys.js";
import { keys } from "../page.js";

/** @typedef {{kind: string | null, title: string, look_for: string, box: number[] | null, seen: boolean, noticed: boolean, said: string | null}} Told */

export class Practise extends LitElement {
  static properties = { round: { state: true }, at: { state: true }, told: { state: true }, all: { state: true }, bare: { state: true }, done: { state: true } };

  constructor() {
    super();
    /** @type {{seed: number, count: number, kinds: {name: string, title: string, look_for: string}[]} | null} */
    this.round = null;
    this.at = 0;
    /** @type {Told | null} */
    this.told = null;
    /** @type {Told[]} */
    this.all = [];
    this.bare = false;
    this.done = false;
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    keys
      .on("approve", () => (this.told ? this.next() : this.guess(null))).on("right", () => this.told && this.next())
      .on("reason", (_, event) => this.round && !this.told && this.guess(this.round.kinds[nth(event.key)]?.name ?? null))
      .on("before", () => this.told && (this.bare = !this.bare));
    const asked = Number(new URLSearchParams(location.search).get("seed"));
    this.begin(Number.isInteger(asked) && asked > 0 ? asked : Math.floor(Math.random() * 1e9) + 1);
  }

  /** @param {number} seed */
  async begin(seed) {
    try {
      this.round = await get(ofShoot(`practice/${seed}`));
      [this.at, this.told, this.all, this.bare, this.done] = [0, null, [], false, false];
      this.ahead();
    } catch (error) {
      alarm(error);
    }
  }

  address(number = this.at, without = false) {
    return `/shoots/${shoot}/practice/${this.round?.seed}/${number}.jpg${without ? "?without=flaw" : ""}`;
  }

  ahead() {
    if (this.round && this.at + 1 < this.round.count) new Image().src = this.address(this.at + 1);
  }

  /** @param {string | null} kind */
  async guess(kind) {
    if (!this.round || this.told || this.done) return;
    try {
      const told = await send(ofShoot(`practice/${this.round.seed}/${this.at}`), { kind });
      const known = { ...told, said: kind };
      this.told = known;
      this.all = [...this.all, known];
    } catch (error) {
      alarm(error);
    }
  }

  next() {
    if (!this.round) return;
    this.told = null;
    this.bare = false;
    if (this.at + 1 < this.round.count) this.at += 1;
    else this.done = true;
    this.ahead();
  }

  render() {
    if (!this.round) return nothing;
    if (this.done) return this.score();
    const told = this.told;
    return html`<div class="practise"><div class="pane"><div class="framed"><img src=${this.address(this.at, this.bare)} alt="Photograph to look at">
        ${told?.box && !this.bare ? html`<span class="where"></span>` : nothing}</div></div>
      <aside class="side" aria-label="What is wrong with it">
        <h2>What is wrong? <span class="quiet">${this.at + 1} of ${this.round.count}</span></h2>
        <p class="quiet">A flaw of a kind that machines make, or none.</p>
        <div class="kinds">${this.round.kinds.map((kind, i) => html`<button type="button" ?disabled=${told !== null} aria-pressed=${told?.said === kind.name} @click=${() => this.guess(kind.name)}>${kind.title} ${digit(i) ? html`<kbd>${digit(i)}</kbd>` : nothing}</button>`)}
          <button type="button" ?disabled=${told !== null} aria-pressed=${told !== null && told.said === null} @click=${() => this.guess(null)}>Nothing is wrong <kbd>Enter</kbd></button></div>
        ${told ? html`<div role="status"><h2>${told.seen ? "Seen." : told.noticed ? `Noticed, but it is: ${told.title.toLowerCase()}.` : told.kind ? `Missed: ${told.title.toLowerCase()}.` : "There is none."}</h2>
          <p>${told.look_for}</p>
          <div class="buttons"><button type="button" class="first" @click=${() => this.next()}>Next <kbd>Enter</kbd></button>
          ${told.kind ? html`<button type="button" aria-pressed=${this.bare} @click=${() => (this.bare = !this.bare)}>Without the flaw <kbd>\\</kbd></button>` : nothing}</div></div>` : nothing}
      </aside></div>`;
  }

  updated() {
    const where = /** @type {HTMLElement | null} */ (this.querySelector(".where"));
    const box = this.told?.box;
    if (where && box) Object.assign(where.style, { left: `${100 * box[0]}%`, top: `${100 * box[1]}%`, width: `${100 * (box[2] - box[0])}%`, height: `${100 * (box[3] - box[1])}%` });
  }

  score() {
    const flawed = this.all.filter((told) => told.kind);
    const clean = this.all.filter((told) => !told.kind);
    const seen = flawed.filter((told) => told.noticed).length;
    return html`<section class="page"><h1>${seen} of ${flawed.length} flaws noticed, ${flawed.filter((t) => t.seen).length} named right</h1>
      <p>${clean.filter((t) => !t.noticed).length} of ${clean.length} good photographs were called flawed.</p>
      <table><thead><tr><th>Kind</th><th>Noticed</th><th>Named</th><th>What to look for</th></tr></thead><tbody>
      ${this.round?.kinds.map((kind) => {
        const own = flawed.filter((told) => told.kind === kind.name);
        return html`<tr><td>${kind.title}</td><td>${own.filter((t) => t.noticed).length} of ${own.length}</td><td>${own.filter((t) => t.seen).length} of ${own.length}</td><td class="quiet">${kind.look_for}</td></tr>`;
      })}</tbody></table>
      <div class="buttons"><button type="button" class="first" @click=${() => this.begin(Math.floor(Math.random() * 1e9) + 1)}>Another round</button>
      <button type="button" @click=${() => this.round && this.begin(this.round.seed)}>The same again</button></div></section>`;
  }
}

customElements.define("sl-practise", Practise);
