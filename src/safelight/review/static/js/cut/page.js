// The page of a clip: player, waveform, words and cuts in step; every answer a verdict.
import { LitElement, html, nothing } from "../vendor/lit.js";
import { alarm, get, ofShoot, send, shoot, tell, watch } from "../api.js";
import { digit, nth } from "../keys.js";
import { keys } from "../page.js";
import "./captions.js";
import { card } from "./card.js";
import { effectOf } from "./effects.js";
import { named } from "./list.js";
import { Model } from "./model.js";
import "./player.js";
import { clock, lasting } from "./time.js";
import "./transcript.js";
import "./wave.js";

/** @typedef {import("./model.js").Item} Item */

const AROUND_S = 2;
const MORE = 5; // frames of a trim with Shift
const LOOK_MS = 1000; // between two looks at a copy that is being made
const UNSEEN = "Shown without a suggestion: cut what you would cut, then press Enter; or leave the clip as it is.";

export class CutPage extends LitElement {
  static properties = { source: { state: true }, version: { state: true }, tab: { state: true }, panel: { state: true }, speed: { state: true }, leaves: { state: true }, asking: { state: true } };

  constructor() {
    super();
    this.clip = this.dataset.clip ?? "";
    this.model = new Model(this.clip);
    /** @type {any} */ this.source = null;
    this.version = 0; // counts what is drawn
    this.tab = "cuts";
    this.panel = true;
    this.speed = 0;
    this.refused = false; // whether this browser could not play the original
    this.leaves = false; // whether cuts are left out while it plays
    /** @type {import("./model.js").Edit | null} */ this.asking = null; // why this edit is rejected
    /** @type {Record<string, string>} */ this.reasons = {};
    this.revision = -1;
    this.model.addEventListener("change", (e) => this.changed(/** @type {CustomEvent} */ (e).detail));
    this.model.addEventListener("trouble", (e) => alarm(/** @type {CustomEvent} */ (e).detail));
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.bind();
    this.begin();
  }

  get player() {
    return /** @type {import("./player.js").Player} */ (this.querySelector("sl-player"));
  }

  get wave() {
    return /** @type {import("./wave.js").Wave} */ (this.querySelector("sl-wave"));
  }

  get transcript() {
    return /** @type {import("./transcript.js").Transcript} */ (this.querySelector("sl-transcript"));
  }

  get list() {
    return /** @type {import("./list.js").List | null} */ (this.querySelector("sl-cuts"));
  }

  get captions() {
    return /** @type {import("./captions.js").Captions | null} */ (this.querySelector("sl-captions"));
  }

  async begin() {
    try {
      await Promise.all([this.model.load(), this.updateComplete]);
      [this.player.rate, this.player.frames] = [this.model.rate, this.model.frames];
      this.wave.show(this.model);
      this.look();
      const asked = Number(new URLSearchParams(location.search).get("at") ?? NaN);
      if (asked >= 0) this.seek(asked);
      else if (this.model.item) this.seek(this.model.item.start);
      await this.model.listen();
      this.reasons = await get("/api/reasons");
      watch((revision) => this.other(revision), (here) => here || alarm("The app does not answer."));
    } catch (error) {
      alarm(error);
    }
  }

  /** Something was said elsewhere, or a run has brought more. @param {number} revision */
  other(revision) {
    if (this.revision >= 0 && this.revision !== revision) {
      this.model.load().catch(alarm);
      if (!this.model.heard || !this.model.words.length) this.model.listen().catch(alarm);
    }
    this.revision = revision;
  }

  /** What there is to be played. */
  async look() {
    await this.plays(await get(ofShoot(`clips/${this.clip}/player`)).catch(alarm));
  }

  async copy() {
    await this.plays(await send(ofShoot(`clips/${this.clip}/copy`), {}).catch(alarm));
  }

  /** Asks again while a copy is being made; what this browser cannot play is not offered to it again. @param {any} source */
  async plays(source) {
    if (!source) return;
    if (source.state === "strange") return void (await this.copy());
    const refused = this.refused && source.state === "ready" && !source.copied;
    this.source = refused ? { ...source, state: source.why ? "failed" : "making", why: source.why || "This browser does not play the original. A small copy is being made." } : source;
    if (source.making) setTimeout(() => this.look(), LOOK_MS);
    else if (source.why && source.state === "ready") tell(source.why);
  }

  /** The browser could not play it after all. */
  lost() {
    this.refused = true;
    this.copy();
  }

  /** @param {string} what */
  changed(what) {
    this.version++;
    if (what === "words") this.transcript?.show(this.model);
    if (what === "sheet") {
      this.transcript?.again();
      if (this.tab === "captions") this.captions?.load(this.clip, true);
    }
    if (what === "chosen" && this.model.item && !this.speed) this.seek(this.model.item.start);
    this.list?.show(this.model);
    this.wave?.draw();
    this.status();
  }

  status() {
    const bar = document.getElementById("status");
    const sheet = this.model.sheet;
    if (!bar || !sheet) return;
    const waits = this.model.items.filter((one) => one.waits).length;
    const played = (/** @type {[number, number][]} */ kept) => lasting(kept.reduce((sum, [a, b]) => sum + b - a, 0) / this.model.rate);
    bar.textContent = `${sheet.path.split("/").pop()} · ${waits ? `${waits} wait · ` : ""}${played([[0, this.model.frames]])}, cut to ${played(sheet.kept)}${waits ? `, or ${played(sheet.kept_with_proposed)} as proposed` : ""}`;
  }

  // ------------------------------------------------------------ in step

  /** @param {number} frame */
  seek(frame) {
    this.player?.seek(frame);
  }

  /** @param {number} frame */
  at(frame) {
    this.wave.playhead(frame, this.speed > 0);
    this.transcript.playhead(frame, this.speed > 0);
    this.captions?.playhead(frame);
    const read = this.querySelector(".clock");
    if (read) read.textContent = clock(frame, this.model.rate);
  }

  play() {
    if (this.speed) this.player.stop();
    else this.player.play(1, this.skips());
  }

  skips() {
    return this.leaves ? this.model.skips(true) : [];
  }

  /** Two seconds around the chosen cut. @param {boolean} cut as it would be */
  around(cut) {
    const item = this.model.item;
    if (!item) return;
    const [start, end] = this.model.span(item);
    const beside = Math.round(AROUND_S * this.model.rate);
    /** @type {[number, number][]} */ const skips = cut ? this.model.skips(true).filter(([a, b]) => b <= start || a >= end) : [];
    if (cut && item.kind !== "heard") skips.push([start, end]);
    else if (cut) skips.push(...this.model.skips(true).filter(([a, b]) => a <= end && b >= start));
    skips.sort((a, b) => a[0] - b[0]);
    this.player.around(Math.max(0, start - beside), end + beside, skips, start);
  }

  // ------------------------------------------------------------ saying

  /** @param {Promise<any>} said @param {string} [done] */
  async said(said, done) {
    try {
      await said;
      if (done) tell(done);
    } catch (error) {
      alarm(error);
    }
  }

  /** @param {boolean} on whether to go on to the next that waits */
  pick(on = false) {
    const item = this.model.item;
    if (!item || item.kind === "heard") return tell("That is no cut: listen to the join, then trim or drop the cut beside it.");
    const span = this.model.span(item);
    const trimmed = this.model.draft !== null;
    this.model.draft = null;
    if (item.kind === "doubt") this.said(this.model.add(span, item.name, item.operator || "tighten"), "Cut.");
    else if (trimmed) this.said(this.model.answer(item, "move", span));
    else if (item.state === "moved" || item.state === "added") tell("It stands as you set it.");
    else this.said(this.model.answer(item, "approve"));
    return this.told(on);
  }

  /** @param {boolean} on */
  reject(on = false) {
    const item = this.model.item;
    if (!item) return;
    this.model.draft = null;
    if (item.kind === "cut") this.said(this.model.answer(item, "drop"));
    else if (item.operator && item.state !== "stays") this.said(this.model.stay(item), "It stays as it is.");
    else return tell("It stays as it is.");
    return this.told(on);
  }

  /** @param {boolean} on */
  told(on) {
    const next = on ? this.model.next() : null;
    if (next) this.model.choose(next.key);
    else if (on) tell("Nothing waits any more.");
    this.changed("said");
  }

  /** The edit of the chosen cut, else the first that waits. */
  get edit() {
    const edits = this.model.edits;
    return edits.find((one) => one.operator === this.model.item?.operator && one.waits) ?? edits.find((one) => one.waits);
  }

  async approve() {
    await this.model.settle().catch(() => {});
    const edit = this.edit;
    if (!edit) return tell("Nothing waits.");
    if (edit.blind) return edit.cuts.length ? this.said(this.model.whole(edit.operator, "approve", "", this.model.opened), "That is all.") : tell(UNSEEN);
    const open = edit.cuts.filter((c) => c.state === "proposed");
    const answered = edit.cuts.some((c) => c.state !== "proposed");
    if (!answered) return this.said(this.model.whole(edit.operator, "approve"), `All ${open.length} approved.`);
    const said = { operator: edit.operator, cuts: open.map((c) => ({ name: c.name, say: "approve" })), seconds: null };
    return this.said(this.model.say(ofShoot(`clips/${this.clip}/cuts`), said), `The ${open.length} that waited are approved.`);
  }

  /** @param {string} reason */
  rejectAll(reason) {
    const edit = this.asking;
    this.asking = null;
    if (edit) this.said(this.model.whole(edit.operator, "reject", reason), "Nothing of it is cut.");
  }

  strike() {
    const chosen = this.transcript.selection;
    if (!chosen) return tell("Choose words first: with a click, or with , and .");
    return this.said(this.model.strike(...chosen).then((back) => tell(back ? "Taken in again." : this.model.left.length ? "Struck. A join wants to be listened to." : "Struck.")));
  }

  /** @param {"start" | "end"} edge */
  mark(edge) {
    const range = this.model.range;
    const frame = this.player.frame;
    range[edge] = edge === "start" ? frame : frame + 1;
    if (range.start !== null && range.end !== null && range.start >= range.end) range[edge === "start" ? "end" : "start"] = null;
    this.changed("range");
  }

  /** @returns {[number, number] | null} */
  marked() {
    const { start, end } = this.model.range;
    if (start !== null && end !== null) return [start, end];
    tell("Mark a range first: I where it starts, O where it ends.");
    return null;
  }

  cutOut() {
    const range = this.marked();
    if (!range) return;
    this.model.range = { start: null, end: null };
    this.said(this.model.add(range), "Cut out.");
  }

  move() {
    const item = this.model.item;
    const range = item && this.marked();
    if (!item || !range) return;
    if (item.kind !== "cut") return tell("That is no cut: cut the range out with C.");
    this.model.range = { start: null, end: null };
    return this.said(this.model.answer(item, "move", range), "Moved.");
  }

  async undo() {
    const captions = this.captions;
    const before = JSON.stringify(captions?.found?.cues);
    try {
      const done = await this.model.undo();
      await captions?.load(this.clip, true);
      const here = done.here || JSON.stringify(captions?.found?.cues) !== before;
      tell(!done.undone ? "There is nothing to take back." : here ? "Taken back." : "Taken back, elsewhere in this shoot.");
    } catch (error) {
      alarm(error);
    }
  }

  // ------------------------------------------------------------ keys

  /** What keys and buttons do. @type {Record<string, (on?: boolean, event?: KeyboardEvent) => void>} */
  get acts() {
    const trim = (/** @type {number} */ a, /** @type {number} */ b) => (/** @type {boolean | undefined} */ _, /** @type {KeyboardEvent | undefined} */ e) => {
      const by = e?.shiftKey ? MORE : 1;
      if (!this.model.trim(a * by, b * by)) tell("It cannot be trimmed further.");
      else this.seek(this.model.draft?.[a ? "start" : "end"] ?? 0);
    };
    const step = (/** @type {number} */ by) => (/** @type {boolean | undefined} */ _, /** @type {KeyboardEvent | undefined} */ e) => {
      this.player.step(by * (e?.shiftKey ? Math.round(this.model.rate) : 1));
    };
    const go = (/** @type {number} */ by) => () => {
      const at = this.model.items.findIndex((one) => one.key === this.model.chosen);
      const next = this.model.items[at < 0 ? 0 : at + by];
      if (next) this.model.choose(next.key);
    };
    return {
      play: () => this.play(), backwards: () => this.player.backwards(), stop: () => this.player.stop(), forwards: () => this.player.forwards(this.skips()),
      left: step(-1), right: step(1), first: () => this.seek(0), last: () => this.seek(this.model.frames - 1),
      around_before: () => this.around(false), around_after: () => this.around(true), before: () => this.leave(),
      nearer: () => this.wave.zoom(0.5), farther: () => this.wave.zoom(2), zoom: () => this.wave.zoomTo(),
      up: go(-1), down: go(1), open: () => this.next(), pick: (on) => this.pick(on), reject: (on) => this.reject(on), approve: () => this.approve(),
      escalate: () => { if (this.edit) this.said(this.model.whole(this.edit.operator, "escalate"), "Handed on."); else tell("Nothing waits."); },
      start_later: trim(1, 0), start_earlier: trim(-1, 0), end_earlier: trim(0, -1), end_later: trim(0, 1),
      in: () => this.mark("start"), out: () => this.mark("end"), cut: () => this.cutOut(), move: () => this.move(),
      word_before: (_, e) => this.transcript.go(-1, Boolean(e?.shiftKey)), word_after: (_, e) => this.transcript.go(1, Boolean(e?.shiftKey)),
      strike: () => this.strike(), unsure: () => this.transcript.doubted(),
      captions: () => this.show(this.tab === "cuts" ? "captions" : "cuts"), panel: () => (this.panel = !this.panel), undo: () => this.undo(),
      back: () => this.back(),
    };
  }

  bind() {
    for (const [action, act] of Object.entries(this.acts)) keys.on(action, (on, event) => this.model.sheet && act(on, event));
    keys.on("reason", (_, event) => {
      const code = Object.keys(this.reasons)[nth(event.key)];
      if (this.asking && code) this.rejectAll(code);
    });
  }

  back() {
    if (this.asking) this.asking = null;
    else if (this.model.draft) {
      this.model.draft = null;
      this.changed("draft");
    } else if (this.transcript.clear()) return;
    else if (this.model.range.start !== null || this.model.range.end !== null) {
      this.model.range = { start: null, end: null };
      this.changed("range");
    } else location.href = home();
  }

  next() {
    if (this.tab === "captions" && this.captions) return this.captions.next() || tell("Every caption keeps the rules.");
    const next = this.model.next();
    if (next) return this.model.choose(next.key);
    return tell(this.model.unseen ? UNSEEN : "Nothing waits.");
  }

  leave() {
    this.leaves = !this.leaves;
    if (this.speed > 0) this.player.skips = this.skips();
    tell(this.leaves ? "Cuts are left out while it plays." : "It plays on over cuts.");
  }

  /** @param {string} tab */
  show(tab) {
    this.tab = tab;
    this.panel = true;
    this.updateComplete.then(() => this.list?.show(this.model));
  }

  // ------------------------------------------------------------ what is seen

  render() {
    const model = this.model;
    const item = model.item;
    const shown = `cutting${this.panel ? "" : " bare"}`;
    return html`<div class=${shown}>
      <section class="watch" aria-label="Player">
        <sl-player .source=${this.source} .clip=${this.clip} .name=${model.sheet?.path ?? ""} @frame=${(/** @type {CustomEvent} */ e) => this.at(e.detail)} @playing=${(/** @type {CustomEvent} */ e) => (this.speed = e.detail)} @toggle=${() => this.play()} @unplayable=${() => this.lost()}></sl-player>
        ${this.controls()}
        ${item ? card(item, model, /** @type {any} */ (this.plain())) : html`<section class="card"><p class="quiet">${model.sheet ? `${model.unseen ? "This clip is shown without a suggestion." : "Nothing is cut out of this clip."} Mark a range with I and O and cut it out with C, or strike words.` : ""}</p></section>`}
      </section>
      <section class="script" aria-label="Words"><sl-transcript @seek=${(/** @type {CustomEvent} */ e) => this.seek(Math.floor(model.words[e.detail].start * model.rate))}></sl-transcript>${this.under()}</section>
      ${this.panel ? html`<aside class="panel" aria-label=${this.tab === "cuts" ? "Cuts" : "Captions"}>${this.tabs()}${this.tab === "cuts" ? this.cuts() : html`<sl-captions @seek=${(/** @type {CustomEvent} */ e) => this.seek(e.detail)}></sl-captions>`}</aside>` : nothing}
      <sl-wave @seek=${(/** @type {CustomEvent} */ e) => this.seek(e.detail)}></sl-wave>
    </div>`;
  }

  /** Actions for buttons: without a key event. */
  plain() {
    return Object.fromEntries(Object.entries(this.acts).map(([name, act]) => [name, () => act()]));
  }

  controls() {
    const ready = this.source?.state === "ready";
    return html`<div class="controls" role="group" aria-label="Playing">
      <button type="button" ?disabled=${!ready} @click=${() => this.play()}>${this.speed ? "Stop" : "Play"} <kbd>Space</kbd></button>
      <span class="clock" aria-label="Time"></span>
      <span class="quiet speed">${this.speed && this.speed !== 1 ? `${this.speed < 0 ? "backwards " : ""}${Math.abs(this.speed)} ×` : nothing}</span>
      <button type="button" aria-pressed=${this.leaves ? "true" : "false"} ?disabled=${!ready} @click=${() => this.leave()}>Leave cuts out <kbd>\\</kbd></button>
      ${ready && !this.source.copied && this.source.kind === "video" ? html`<button type="button" class="plain" title="A small copy is quicker to step through" ?disabled=${this.source.making} @click=${() => this.copy()}>${this.source.making ? "Copying …" : "Small copy"}</button>` : nothing}
    </div>`;
  }

  under() {
    return html`<p class="legend quiet"><span><b>!</b> too long</span> <span><b>?</b> unsure</span> <span><b>~</b> time estimated</span> <button type="button" class="plain" @click=${() => this.transcript.doubted()}>Next in doubt <kbd>u</kbd></button> <button type="button" class="plain" @click=${() => this.strike()}>Strike, or take in <kbd>s</kbd></button></p>`;
  }

  tabs() {
    const one = (/** @type {string} */ name, /** @type {string} */ label) => html`<button type="button" aria-pressed=${this.tab === name ? "true" : "false"} @click=${() => this.show(name)}>${label}</button>`;
    return html`<div class="tabs">${one("cuts", "Cuts")}${one("captions", "Captions")}<kbd>t</kbd></div>`;
  }

  cuts() {
    const model = this.model;
    if (!model.sheet) return nothing;
    return html`<div class="edits">${model.edits.map((edit) => this.summary(edit))}${model.sheet.effects.map((/** @type {any} */ one) => effectOf(one, this.answers))}${model.sheet.not_heard && model.items.length ? html`<p class="quiet">Its joins: ${model.sheet.not_heard}.</p>` : nothing}</div>
      ${model.items.length ? html`<sl-cuts @choose=${(/** @type {CustomEvent} */ e) => model.choose(e.detail)}></sl-cuts>` : model.unseen ? nothing : html`<p class="quiet nothing">Nothing is cut, and nothing is in doubt.</p>`}`;
  }

  /** Answers about what is done to sound and picture. */
  get answers() {
    return {
      whole: (/** @type {string} */ operator, /** @type {string} */ say) => this.said(this.model.whole(operator, say), say === "undo" ? "Taken back." : ""),
      choose: (/** @type {string} */ operator, /** @type {Record<string, any>} */ params) => this.said(this.model.effect(operator, params)),
    };
  }

  /** @param {import("./model.js").Edit} edit */
  summary(edit) {
    const open = edit.cuts.filter((c) => c.state === "proposed").length;
    const counts = [`${edit.cuts.length} ${edit.cuts.length === 1 ? "cut" : "cuts"}`, edit.doubts.length && `${edit.doubts.length} in doubt`].filter(Boolean).join(", ");
    if (edit.blind && edit.waits) return this.unseen(edit);
    return html`<div class="edit"><div class="line"><b>${named(edit.operator)}</b>${edit.pace ? html`<label><span class="hidden">Pace</span><select title="Pace" @change=${(/** @type {any} */ e) => this.said(this.model.pace(e.target.value))}>${this.model.sheet.paces.map((/** @type {string} */ p) => html`<option value=${p} ?selected=${p === edit.pace}>${p}</option>`)}</select></label>` : nothing}${edit.waits ? html`<span class="need">${open} wait</span>` : html`<span class="quiet">answered${edit.by ? ` by ${edit.by}` : ""}</span>`}</div>
      ${edit.cannot_tell ? html`<p class="quiet">Cannot tell: ${edit.cannot_tell}.</p>` : nothing}
      <p class="quiet">${[`${counts}.`, ...edit.notes].join(" ")}</p>
      <div class="line">${edit.waits ? html`<button type="button" @click=${() => { this.model.choose(this.model.items.find((one) => one.operator === edit.operator && one.waits)?.key ?? this.model.chosen); this.approve(); }}>Approve all ${this.edit === edit ? html`<kbd>Enter</kbd>` : nothing}</button><button type="button" aria-expanded=${this.asking === edit ? "true" : "false"} @click=${() => (this.asking = this.asking === edit ? null : edit)}>Reject all</button>` : nothing}</div>
      ${this.asking === edit ? html`<div class="chips" role="group" aria-label="Why not?">${Object.entries(this.reasons).map(([code, text], i) => html`<button type="button" class="chip" @click=${() => this.rejectAll(code)}>${digit(i) ? html`<kbd>${digit(i)}</kbd> ` : nothing}${text}</button>`)}<button type="button" class="chip" @click=${() => this.rejectAll("")}>No reason</button></div>` : nothing}</div>`;
  }

  /** What is judged without a suggestion. @param {import("./model.js").Edit} edit */
  unseen(edit) {
    const leave = () => this.said(this.model.whole(edit.operator, "reject", "", this.model.opened), "The clip stays as it is.");
    return html`<div class="edit"><div class="line"><b>${named(edit.operator)}</b><span class="need">waits</span></div><p class="quiet">${UNSEEN}</p>
      <div class="line"><button type="button" ?disabled=${!edit.cuts.length} @click=${() => this.approve()}>That is all <kbd>Enter</kbd></button><button type="button" @click=${leave}>Leave it as it is</button></div></div>`;
  }

  updated() {
    const list = this.list;
    if (list && list.model !== this.model) list.show(this.model);
    const captions = this.captions;
    if (captions && !captions.clip && this.model.sheet) captions.load(this.clip, true);
  }
}

/** Where Escape leads: to where one came from. */
function home() {
  const from = new URLSearchParams(location.search).get("from");
  return from === "all" ? "/queue" : `/shoots/${shoot}/${from === "queue" ? "queue" : "cut"}`;
}

customElements.define("sl-cut", CutPage);
