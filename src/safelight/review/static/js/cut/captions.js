// The captions of the cut as they would be written, with the rules that they break; the one that is heard can be corrected.
import { LitElement, html, nothing } from "../vendor/lit.js";
import { alarm, get, ofShoot, send, tell } from "../api.js";
import { Rows } from "./rows.js";
import { clockOf, secondsOf, short } from "./time.js";

const ROW = 68; // px
const TRY_MS = 250; // after the last key until it is asked which rules a text would break

/** @typedef {{number: number, start: number, end: number, at: number, lines: string[], breaches: {rule: string, text: string, soft: boolean}[], first: number, last: number, own: boolean}} Cue */
/** @typedef {{first: number, last: number, text: string, start: string, end: string, breaches: Cue["breaches"], why: string, since: number}} Draft */

export class Captions extends LitElement {
  static properties = { found: { state: true }, preset: { state: true }, draft: { state: true }, at: { state: true } };

  constructor() {
    super();
    /** @type {any} */ this.found = null;
    this.preset = localStorage.getItem("safelight.captions") ?? "netflix";
    this.clip = "";
    this.proposed = true;
    this.at = -1;
    /** @type {Rows | null} */ this.rows = null;
    /** @type {Draft | null} */ this.draft = null; // what is being written and has not been said
    this.asked = 0; // counts questions about a draft: an answer to an earlier one is late
    this.later = 0;
    this.loads = 0;
  }

  createRenderRoot() {
    return this;
  }

  /** @param {string} clip @param {boolean} proposed @returns {Promise<void>} */
  async load(clip, proposed) {
    [this.clip, this.proposed] = [clip, proposed];
    const asked = ++this.loads;
    const about = new URLSearchParams({ preset: this.preset, proposed: String(proposed) });
    try {
      const found = await get(`${ofShoot(`clips/${clip}/captions`)}?${about}`);
      if (asked === this.loads) this.found = found; // else something else was asked since, or what was said has changed it
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
    const own = f.own ? html` ${f.own} set by hand.` : nothing;
    const told = f.cannot_tell ? `No captions: ${f.cannot_tell}.` : f.hard ? html`<b class="need">${f.hard} rules broken</b>, ${f.soft} pieces of advice` : html`${f.cues.length === 1 ? "The caption keeps" : `All ${f.cues.length} captions keep`} the rules${f.soft ? `; ${f.soft} pieces of advice` : ""}`;
    return html`<div class="head"><label>Rules of <select @change=${(/** @type {any} */ e) => this.choose(e.target.value)}>${Object.entries(f.presets).map(([name, about]) => html`<option value=${name} ?selected=${name === f.preset}>${about}</option>`)}</select></label>
      <p role="status">${told}.${own}</p></div><div class="items" tabindex="-1"></div>
      ${this.editor()}
      <p class="quiet foot">They follow the words and the cut. To write them: <code>${f.command}</code></p>`;
  }

  // ------------------------------------------------------------ correcting

  /** The caption that is corrected: the one that was begun, else the one that is heard. @returns {Cue | null} */
  get cue() {
    const cues = /** @type {Cue[]} */ (this.found?.cues ?? []);
    const draft = this.draft;
    return (draft ? cues.find((one) => one.first === draft.first && one.last === draft.last) : cues[Math.max(this.at, 0)]) ?? null;
  }

  editor() {
    const cue = this.cue;
    if (!cue) return nothing;
    const now = this.draft ?? { text: cue.lines.join("\n"), start: clockOf(cue.start), end: clockOf(cue.end), breaches: cue.breaches, why: "" };
    const wrong = now.why ? [{ text: now.why, soft: false }] : now.breaches;
    const field = (/** @type {"start" | "end"} */ name, /** @type {string} */ label) => html`<label>${label} <input class="time" inputmode="numeric" .value=${now[name]} @input=${(/** @type {any} */ e) => this.write(cue, { [name]: e.target.value })}></label>`;
    return html`<form class="correct" aria-label="Correct the caption" @submit=${(/** @type {Event} */ e) => this.keep(e)} @keydown=${(/** @type {KeyboardEvent} */ e) => this.key(e)}>
      <textarea rows="2" aria-label="Caption ${cue.number}" spellcheck="true" .value=${now.text} @input=${(/** @type {any} */ e) => this.write(cue, { text: e.target.value })}></textarea>
      <div class="line">${field("start", "from")} ${field("end", "to")} <button type="submit" ?disabled=${!this.draft || Boolean(now.why)}>Set <kbd>Ctrl Enter</kbd></button>
        ${this.draft ? html`<button type="button" @click=${() => this.forget()}>Leave it</button>` : cue.own ? html`<button type="button" title="Made of the words again" @click=${() => this.back(cue)}>Make again</button>` : nothing}</div>
      <ul class="wrongs" aria-live="polite">${wrong.map((b) => html`<li class=${b.soft ? "quiet" : "need"}>${b.soft ? "advice: " : "! "}${b.text}</li>`)}</ul>
    </form>`;
  }

  /** @param {Cue} cue @param {Partial<Draft>} change */
  write(cue, change) {
    const begun = this.draft ?? { first: cue.first, last: cue.last, text: cue.lines.join("\n"), start: clockOf(cue.start), end: clockOf(cue.end), breaches: cue.breaches, why: "", since: performance.now() };
    this.draft = { ...begun, ...change };
    const body = this.body();
    this.draft.why = typeof body === "string" ? body : "";
    clearTimeout(this.later);
    if (typeof body !== "string") this.later = setTimeout(() => this.attempt(body), TRY_MS);
  }

  /** What is said of the draft, or why it cannot be. @returns {string | Record<string, unknown>} */
  body() {
    const draft = /** @type {Draft} */ (this.draft);
    const [start, end] = [secondsOf(draft.start), secondsOf(draft.end)];
    const lines = draft.text.split("\n").map((line) => line.trim()).filter(Boolean);
    if (start === null || end === null) return "A time is minutes, seconds and parts of a second: 1:02.480.";
    if (end <= start) return "It ends after it begins.";
    if (!lines.length) return "A caption has at least one line. To lose its words, strike them.";
    return { first: draft.first, last: draft.last, lines, start, end, preset: this.preset, proposed: this.proposed };
  }

  /** Which rules it would break. @param {Record<string, unknown>} body */
  async attempt(body) {
    const mine = ++this.asked;
    try {
      const found = await send(ofShoot(`clips/${this.clip}/captions/tried`), body);
      const one = /** @type {Cue[]} */ (found.cues).find((cue) => cue.own && cue.first >= Number(body.first) && cue.last <= Number(body.last));
      if (mine === this.asked && this.draft) this.draft = { ...this.draft, breaches: one?.breaches ?? [], why: "" };
    } catch (error) {
      if (mine === this.asked && this.draft) this.draft = { ...this.draft, why: /** @type {Error} */ (error).message };
    }
  }

  /** @param {Event} [event] */
  async keep(event) {
    event?.preventDefault();
    const draft = this.draft;
    const body = draft && this.body();
    if (!draft || !body || typeof body === "string") return;
    await this.say({ ...body, seconds: (performance.now() - draft.since) / 1000 }, "Set.");
  }

  /** @param {Cue} cue */
  back(cue) {
    return this.say({ first: cue.first, last: cue.last, back: true, preset: this.preset, proposed: this.proposed }, "Made of the words again.");
  }

  /** @param {Record<string, unknown>} body @param {string} done */
  async say(body, done) {
    clearTimeout(this.later);
    this.asked++;
    try {
      this.found = await send(ofShoot(`clips/${this.clip}/captions`), body);
      this.draft = null;
      tell(done);
    } catch (error) {
      alarm(error);
    }
  }

  forget() {
    clearTimeout(this.later);
    this.asked++;
    this.draft = null;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.keep(event);
    else if (event.key === "Escape" && this.draft) {
      event.preventDefault();
      event.stopPropagation();
      this.forget();
    }
  }

  updated() {
    const box = /** @type {HTMLElement | null} */ (this.querySelector(".items"));
    if (!box) return;
    if (!this.rows || this.rows.box !== box) this.rows = new Rows(box, ROW, (i) => this.row(i), { role: "list" });
    this.rows.set(this.found.cues.length);
    this.dataset.count = String(this.found.cues.length);
  }

  /** @param {number} i */
  row(i) {
    const cue = this.found.cues[i];
    const wrong = cue.breaches.map((/** @type {any} */ b) => b.text).join("; ");
    const hard = cue.breaches.some((/** @type {any} */ b) => !b.soft);
    return html`<button type="button" class="item cue" tabindex=${i === Math.max(this.at, 0) ? 0 : -1} aria-current=${i === this.at ? "true" : "false"} @click=${() => this.seek(cue.at)}>
      <span class="time">${short(cue.start, true)}</span><span class="wrong-rule ${hard ? "need" : "quiet"}" title=${wrong}>${wrong ? `${hard ? "! " : "advice: "}${wrong}` : nothing}</span><span class="long">${cue.own ? html`<span title="Set by hand">set · </span>` : nothing}${(cue.end - cue.start).toFixed(1)} s</span>
      <span class="lines">${cue.lines.map((/** @type {string} */ line) => html`<span>${line}</span>`)}</span></button>`;
  }
}

customElements.define("sl-captions", Captions);
