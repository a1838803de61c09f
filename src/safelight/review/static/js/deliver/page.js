// The page Deliver: the checklist follows the order as it is written; the delivery goes on in the background.
import { LitElement, html, nothing } from "../vendor/lit.js";
import { alarm, get, ofShoot, send, shoot, takeBack, tell, Trouble } from "../api.js";
import { keys } from "../page.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("order"));
const go = /** @type {HTMLButtonElement} */ (document.getElementById("go"));
const progress = /** @type {HTMLElement} */ (document.getElementById("progress"));
const SHOWN = 60; // files of a rule that are listed one by one
/** @param {number} count */
const counted = (count) => count.toLocaleString("en-GB");

/** The order as it is written. */
function order() {
  const fields = new FormData(form);
  const text = (/** @type {string} */ name) => String(fields.get(name) ?? "");
  return {
    to: text("to"), preset: text("preset"), names: text("names"), sign_off: text("sign_off"), channels: fields.getAll("channels").map(String), client: text("client"), draft: fields.has("draft"), sidecars: fields.has("sidecars"),
    ...(form.elements.namedItem("timelines") ? { clips: fields.has("clips"), timelines: text("timelines"), films: text("films") } : {}),
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

  /** Answers a finding of one photo or several on one's name. @param {any[]} rows @param {HTMLFormElement} said @param {boolean} fault */
  async take(rows, said, fault) {
    const fields = new FormData(said);
    const photos = rows.map((row) => row.photo).filter(Boolean);
    try {
      const body = { photos: photos.length ? photos : null, finding: rows[0].finding, reason: String(fields.get("reason")), note: String(fields.get("note") ?? ""), fault };
      const answer = await send(ofShoot("findings"), body);
      const many = answer.written > 1 ? `, ${answer.written} files together` : "";
      tell(fault ? `Recorded as a fault by ${answer.by}${many}. It still holds the file back: reject the edit.` : `Taken by ${answer.by}${many}.`);
      await follow();
    } catch (error) {
      alarm(error);
    }
  }

  async undo() {
    try {
      const answer = await takeBack();
      tell(answer.undone ? "Taken back." : "There is nothing to take back.");
      await follow();
      await this.look();
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
    const ready = this.told && !this.trouble && (asked.draft ? this.told.count > 0 : this.told.ready && !this.told.unsigned);
    go.disabled = !ready || running;
    go.textContent = asked.draft ? "Hand over a draft" : "Sign off and deliver";
  }

  /** What kept the newest delivery back, rule by rule, with where it lies. */
  refused() {
    if (!this.held.length) return nothing;
    const open = this.held.filter((row) => !row.taken_by).length;
    /** @type {Map<string, any[]>} */
    const rules = new Map();
    for (const row of this.held) rules.set(row.finding, [...(rules.get(row.finding) ?? []), row]);
    return html`<h2>What did not pass <span class="quiet">${open ? `${counted(open)} without an answer` : "all answered: sign again"}</span></h2>${[...rules.values()].map((rows) => this.rule(rows))}`;
  }

  /** One rule and the files that do not pass it: answered one by one, or all together. @param {any[]} rows */
  rule(rows) {
    const open = rows.filter((row) => !row.taken_by);
    const together = rows.length > 1;
    return html`<section class="rule" aria-label=${rows[0].title}>
      ${together ? html`<h3>${mark(!open.length)} ${rows[0].title} <span class="quiet">${counted(rows.length)} files, ${open.length ? `${counted(open.length)} without an answer` : "all answered"}</span></h3>` : nothing}
      ${together && open.length > 1 ? this.answer(open) : nothing}
      <ul class="held">${rows.slice(0, SHOWN).map((row) => this.one(row, together))}</ul>
      ${rows.length > SHOWN ? html`<p class="quiet">And ${counted(rows.length - SHOWN)} more files, which are answered together with these.</p>` : nothing}</section>`;
  }

  /** @param {any} row @param {boolean} together whether the whole rule can be answered at once, so that this one seldom is */
  one(row, together) {
    const answer = row.taken_by ? html`<p class="quiet">Taken by ${row.taken_by}: ${this.reasons[row.reason] ?? row.reason}.</p>` : this.answer([row]);
    return html`<li>${row.photo || row.picture ? html`<figure>${row.photo ? html`<img src=${`/shoots/${shoot}/photos/${row.photo}/${row.clip ? "thumb" : "after"}.jpg`} alt="" loading="lazy">` : nothing}${row.picture ? html`<img src=${row.picture} alt=${`Where: ${row.title}`} loading="lazy">` : nothing}</figure>` : html`<span class="quiet">the whole set</span>`}
      <div><p>${mark(Boolean(row.taken_by))} <strong>${row.title}</strong> <span class="quiet">${row.outcome}</span> <span class="path">${row.path}</span></p><p>${row.text}</p>${row.remedy ? html`<p class="quiet">${row.remedy}</p>` : nothing}
      ${together && !row.taken_by ? html`<details><summary>Answer this one by itself</summary>${answer}</details>` : answer}</div></li>`;
  }

  /** @param {any[]} rows of one rule, answered together */
  answer(rows) {
    const say = (/** @type {any} */ event, /** @type {boolean} */ fault) => this.take(rows, event.currentTarget.form, fault);
    const [first] = rows;
    const all = rows.length > 1 ? `all ${counted(rows.length)} ` : "";
    return html`<form class="answer" aria-label=${all ? `One answer for ${all}files` : `An answer for ${first.path}`} @submit=${(/** @type {Event} */ e) => e.preventDefault()}>
      <label>Why <select name="reason">${["no_fault", "wanted", ...Object.keys(this.reasons).filter((code) => code !== "no_fault" && code !== "wanted")].map((code) => html`<option value=${code}>${this.reasons[code] ?? code}</option>`)}</select></label>
      <label>In your words <input name="note" autocomplete="off"></label>
      <button type="button" title=${all ? "One decision, recorded as bundled" : ""} @click=${(/** @type {any} */ e) => say(e, false)}>Take ${all || "it "}on my name</button>
      <button type="button" @click=${(/** @type {any} */ e) => say(e, true)}>${all ? `All ${counted(rows.length)} are faults` : "It is a fault"}</button>
      ${first.photo && !all ? html`<a href=${first.clip ? `/shoots/${shoot}/cut/${first.photo}` : `/shoots/${shoot}/judge?photo=${first.photo}`}>${first.clip ? "Judge its cuts" : "Judge the photo"}</a>` : nothing}</form>`;
  }

  /** Photos behind a count, to be opened. @param {any} told @param {(photo: any) => string} address */
  named(told, address) {
    return html`<details><summary>Which</summary><p class="names">${told.first.map((/** @type {any} */ p) => html`<a class="path" href=${address(p.photo)}>${p.path}</a> `)}${told.count > told.first.length ? `and ${counted(told.count - told.first.length)} more` : ""}</p></details>`;
  }

  render() {
    const told = this.told;
    if (this.trouble) return html`<section class="checks"><div class="wrong"><p><strong>${this.trouble.cause}</strong></p><p>${this.trouble.remedy}</p></div></section>`;
    if (!told) return html`<section class="checks"></section>`;
    return html`<section class="checks" aria-label="Checklist">
      ${this.refused()}
      <h2>What is missing</h2>
      ${told.missing.length ? nothing : html`<p>${mark(true)} ${told.unsigned ? "Only a signature. " : "Nothing. "}Every photo is decided, every edit of a kept photo and every cut of a clip is answered.</p>`}
      <ul class="rows">
        ${told.undecided.count ? html`<li>${mark(false)} <span class="need">${told.undecided.count === 1 ? "1 photo is not decided" : `${counted(told.undecided.count)} photos are not decided`}</span> <a href="/shoots/${shoot}/cull">Decide on the page Cull</a> ${this.named(told.undecided, (photo) => `/shoots/${shoot}/cull?photo=${photo}`)}</li>` : nothing}
        ${told.unanswered.map((/** @type {any} */ row) => row.clips ? html`<li>${mark(false)} <span class="need">${row.title}: cuts of ${counted(row.count)} ${row.count === 1 ? "clip" : "clips"} without an answer</span> <a href="/shoots/${shoot}/cut">Judge</a> ${this.named(row, (clip) => `/shoots/${shoot}/cut/${clip}`)}</li>` : html`<li>${mark(false)} <span class="need">${row.title}: ${counted(row.count)} without an answer</span> <a href="/shoots/${shoot}/judge?operator=${row.operator}">Judge</a> <a href="/shoots/${shoot}/queue?task=${row.operator}">In the queue</a> ${this.named(row, (photo) => `/shoots/${shoot}/judge?photo=${photo}`)}</li>`)}
        ${told.count || told.undecided.count || told.unanswered.length ? nothing : html`<li>${mark(false)} <span class="need">${told.missing[0] ?? "There is nothing to deliver."}</span></li>`}
        ${told.unsigned ? html`<li>${mark(false)} <span class="need">${told.unsigned.cause}</span> <span class="quiet">${told.unsigned.remedy}</span></li>` : nothing}
      </ul>
      <h2>What checks found <span class="quiet">${told.findings.length || "nothing"}</span></h2>
      ${told.findings.length ? html`<ul class="rows">${told.findings.map((/** @type {any} */ f) => html`<li><a href="/shoots/${shoot}/judge?photo=${f.photo}">${f.path}</a> <span>${f.text}</span></li>`)}</ul>` : nothing}
      ${told.failed.length ? html`<h2>Files that could not be read <span class="quiet">${told.failed.length}</span></h2><ul class="rows">${told.failed.map((/** @type {any} */ f) => html`<li><span class="path">${f.path}</span> <span class="quiet">${f.cause} ${f.remedy}</span></li>`)}</ul>` : nothing}
      <h2>What will be written</h2>
      <p>${told.words} ${told.rules.length ? `Each is checked against ${told.rules.map((/** @type {any} */ r) => `${r.name.replaceAll("_", " ")} (${r.count} ${r.count === 1 ? "rule" : "rules"})`).join(", ")}.` : ""}</p>
      ${told.files.length ? html`<table><thead><tr><th>File</th><th>From</th></tr></thead><tbody>${told.files.map((/** @type {any} */ f) => html`<tr><td class="path">${f.name}</td><td class="path quiet">${f.from}</td></tr>`)}</tbody></table>` : nothing}
      ${told.count > told.files.length ? html`<p class="quiet">And ${counted(told.count - told.files.length)} more.</p>` : nothing}
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
      ? `Writing ${counted(told.done)} of ${counted(told.total || 0)} to ${told.to}`
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
keys.on("undo", () => list.undo());
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
