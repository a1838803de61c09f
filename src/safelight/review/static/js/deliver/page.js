// The page Deliver: the checklist follows the order as it is written; the delivery goes on in the background.
import { LitElement, html, nothing } from "../vendor/lit.js";
import { alarm, get, ofShoot, send, shoot, tell, Trouble } from "../api.js";
import "../page.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("order"));
const go = /** @type {HTMLButtonElement} */ (document.getElementById("go"));
const progress = /** @type {HTMLElement} */ (document.getElementById("progress"));

/** The order as it is written. */
function order() {
  const fields = new FormData(form);
  const text = (/** @type {string} */ name) => String(fields.get(name) ?? "");
  return {
    to: text("to"), preset: text("preset"), names: text("names"), sign_off: text("sign_off"), channels: fields.getAll("channels").map(String), client: text("client"), draft: fields.has("draft"), sidecars: fields.has("sidecars"),
  };
}

class Checklist extends LitElement {
  static properties = { told: { state: true }, trouble: { state: true }, held: { state: true }, reasons: { state: true } };

  constructor() {
    super();
    /** @type {any} */
    this.told = null;
    /** @type {Trouble | null} */
    this.trouble = null;
    /** What kept the newest delivery back. @type {any[]} */
    this.held = [];
    /** @type {Record<string, string>} */
    this.reasons = {};
    get("/api/reasons").then((found) => (this.reasons = found), alarm);
  }

  /** Answers a finding on one's name. @param {any} row @param {HTMLFormElement} said @param {boolean} fault */
  async take(row, said, fault) {
    const fields = new FormData(said);
    try {
      const body = { photos: row.photo ? [row.photo] : null, finding: row.finding, reason: String(fields.get("reason")), note: String(fields.get("note") ?? ""), fault };
      const answer = await send(ofShoot("findings"), body);
      tell(fault ? `Recorded as a fault by ${answer.by}. It still holds the file back: reject the edit.` : `Taken by ${answer.by}.`);
      await follow();
    } catch (error) {
      alarm(error);
    }
  }

  createRenderRoot() {
    return this;
  }

  async look() {
    const asked = order();
    try {
      this.told = await send(ofShoot("checklist"), asked);
      this.trouble = null;
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.trouble = error;
    }
    const ready = this.told && !this.trouble && (asked.draft ? this.told.count > 0 : this.told.ready && asked.sign_off.trim() !== "");
    go.disabled = !ready || running;
    go.textContent = asked.draft ? "Hand over a draft" : "Sign off and deliver";
  }

  /** What kept the newest delivery back, one by one, with where it lies. */
  refused() {
    if (!this.held.length) return nothing;
    const open = this.held.filter((row) => !row.taken_by).length;
    return html`<h2>What did not pass <span class="quiet">${open ? `${open} without an answer` : "all answered: sign again"}</span></h2><ul class="held">${this.held.map(
      (row) => html`<li>${row.picture ? html`<figure>${row.photo ? html`<img src=${`/shoots/${shoot}/photos/${row.photo}/after.jpg`} alt="" loading="lazy">` : nothing}<img src=${row.picture} alt=${`Where: ${row.title}`} loading="lazy"></figure>` : html`<span class="quiet">no place</span>`}
        <div><p>${mark(Boolean(row.taken_by))} <strong>${row.title}</strong> <span class="quiet">${row.outcome}</span> <span class="path">${row.path}</span></p><p>${row.text}</p>${row.remedy ? html`<p class="quiet">${row.remedy}</p>` : nothing}
        ${row.taken_by ? html`<p class="quiet">Taken by ${row.taken_by}: ${this.reasons[row.reason] ?? row.reason}.</p>` : this.answer(row)}</div></li>`,
    )}</ul>`;
  }

  /** @param {any} row */
  answer(row) {
    const say = (/** @type {any} */ event, /** @type {boolean} */ fault) => this.take(row, event.currentTarget.form, fault);
    return html`<form class="answer" @submit=${(/** @type {Event} */ e) => e.preventDefault()}>
      <label>Why <select name="reason">${["no_fault", "wanted", ...Object.keys(this.reasons).filter((code) => code !== "no_fault" && code !== "wanted")].map((code) => html`<option value=${code}>${this.reasons[code] ?? code}</option>`)}</select></label>
      <label>In your words <input name="note" autocomplete="off"></label>
      <button type="button" @click=${(/** @type {any} */ e) => say(e, false)}>Take it on my name</button>
      <button type="button" @click=${(/** @type {any} */ e) => say(e, true)}>It is a fault</button>
      ${row.photo ? html`<a href="/shoots/${shoot}/judge?photo=${row.photo}">Judge the photo</a>` : nothing}</form>`;
  }

  render() {
    const told = this.told;
    if (this.trouble) return html`<section class="checks"><div class="wrong"><p><strong>${this.trouble.cause}</strong></p><p>${this.trouble.remedy}</p></div></section>`;
    if (!told) return html`<section class="checks"></section>`;
    return html`<section class="checks" aria-label="Checklist">
      ${this.refused()}
      <h2>What is missing</h2>
      ${told.missing.length ? nothing : html`<p>${mark(true)} Nothing. Every photo is decided, every edit of a kept photo is answered.</p>`}
      <ul class="rows">
        ${told.undecided.count ? html`<li>${mark(false)} <span class="need">${told.undecided.count.toLocaleString("en-GB")} photos are not decided</span> <a href="/shoots/${shoot}/cull">Decide on the page Cull</a> <span class="quiet path">${told.undecided.first.slice(0, 4).map((/** @type {any} */ p) => p.path).join(", ")}${told.undecided.count > 4 ? ", …" : ""}</span></li>` : nothing}
        ${told.unanswered.map((/** @type {any} */ row) => html`<li>${mark(false)} <span class="need">${row.title}: ${row.count.toLocaleString("en-GB")} without an answer</span> <a href="/shoots/${shoot}/judge?operator=${row.operator}">Judge</a> <a href="/shoots/${shoot}/queue?task=${row.operator}">In the queue</a></li>`)}
        ${told.count ? nothing : html`<li>${mark(false)} <span class="need">No photo is kept.</span></li>`}
        ${order().draft || order().sign_off.trim() ? nothing : html`<li>${mark(false)} <span class="need">Nobody has signed off</span> <span class="quiet">Write your name at the left, or hand over a draft.</span></li>`}
      </ul>
      <h2>What checks found <span class="quiet">${told.findings.length || "nothing"}</span></h2>
      ${told.findings.length ? html`<ul class="rows">${told.findings.map((/** @type {any} */ f) => html`<li><a href="/shoots/${shoot}/judge?photo=${f.photo}">${f.path}</a> <span>${f.text}</span></li>`)}</ul>` : nothing}
      ${told.failed.length ? html`<h2>Files that could not be read <span class="quiet">${told.failed.length}</span></h2><ul class="rows">${told.failed.map((/** @type {any} */ f) => html`<li><span class="path">${f.path}</span> <span class="quiet">${f.cause} ${f.remedy}</span></li>`)}</ul>` : nothing}
      <h2>What will be written</h2>
      <p>${told.words} ${told.rules.length ? `Each is checked against ${told.rules.map((/** @type {any} */ r) => `${r.name.replaceAll("_", " ")} (${r.count} rules)`).join(", ")}.` : ""}</p>
      ${told.files.length ? html`<table><thead><tr><th>File</th><th>From</th></tr></thead><tbody>${told.files.map((/** @type {any} */ f) => html`<tr><td class="path">${f.name}</td><td class="path quiet">${f.from}</td></tr>`)}</tbody></table>` : nothing}
      ${told.count > told.files.length ? html`<p class="quiet">And ${(told.count - told.files.length).toLocaleString("en-GB")} more.</p>` : nothing}
    </section>`;
  }
}

let running = false;

/** @param {boolean} done */
const mark = (done) =>
  html`<svg class="sign" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><circle class=${done ? "keep" : "undecided"} cx="6" cy="6" r="4.4"></circle></svg><span class="hidden">${done ? "Done:" : "Missing:"}</span>`;

/** Shows how far the delivery is until it is done. */
async function follow() {
  for (;;) {
    const told = await get(ofShoot("deliveries"));
    if (!told) return;
    running = told.running;
    list.held = told.held;
    progress.replaceChildren();
    const line = document.createElement("p");
    line.textContent = told.running
      ? `Writing ${told.done.toLocaleString("en-GB")} of ${(told.total || 0).toLocaleString("en-GB")} to ${told.to}`
      : told.trouble
        ? `${told.trouble.cause} ${told.trouble.remedy}`
        : told.text;
    progress.append(line);
    if (told.running && told.total) {
      const bar = document.createElement("progress");
      [bar.max, bar.value] = [told.total, told.done];
      progress.append(bar);
    }
    if (!told.running) return;
    await new Promise((done) => setTimeout(done, 400));
  }
}

customElements.define("sl-checklist", Checklist);
const list = /** @type {Checklist} */ (document.querySelector("sl-checklist"));
let soon = 0;
form.addEventListener("input", () => {
  clearTimeout(soon);
  soon = window.setTimeout(() => list.look(), 150);
});
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await send(ofShoot("deliveries"), order());
    running = go.disabled = true;
    await follow();
  } catch (error) {
    alarm(error);
  }
  await list.look();
});
list.look();
follow().catch(alarm);
