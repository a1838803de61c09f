// The page Deliver: the checklist follows the order as it is written; the delivery goes on in the background.
import { LitElement, html, nothing } from "../vendor/lit.js";
import { alarm, get, ofShoot, send, shoot, Trouble } from "../api.js";
import "../page.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("order"));
const go = /** @type {HTMLButtonElement} */ (document.getElementById("go"));
const progress = /** @type {HTMLElement} */ (document.getElementById("progress"));

/** The order as it is written. */
function order() {
  const fields = new FormData(form);
  const text = (/** @type {string} */ name) => String(fields.get(name) ?? "");
  return {
    to: text("to"), preset: text("preset"), names: text("names"), sign_off: text("sign_off"), draft: fields.has("draft"), sidecars: fields.has("sidecars"),
  };
}

class Checklist extends LitElement {
  static properties = { told: { state: true }, trouble: { state: true } };

  constructor() {
    super();
    /** @type {any} */
    this.told = null;
    /** @type {Trouble | null} */
    this.trouble = null;
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

  render() {
    const told = this.told;
    if (this.trouble) return html`<section class="checks"><div class="wrong"><p><strong>${this.trouble.cause}</strong></p><p>${this.trouble.remedy}</p></div></section>`;
    if (!told) return html`<section class="checks"></section>`;
    return html`<section class="checks" aria-label="Checklist">
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
      <p>${told.words}</p>
      ${told.files.length ? html`<table><thead><tr><th>File</th><th>From</th></tr></thead><tbody>${told.files.map((/** @type {any} */ f) => html`<tr><td class="path">${f.name}</td><td class="path quiet">${f.from}</td></tr>`)}</tbody></table>` : nothing}
      ${told.count > told.files.length ? html`<p class="quiet">And ${(told.count - told.files.length).toLocaleString("en-GB")} more.</p>` : nothing}
    </section>`;
  }
}

/** @param {boolean} done */
const mark = (done) =>
  html`<svg class="sign" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><circle class=${done ? "keep" : "undecided"} cx="6" cy="6" r="4.4"></circle></svg><span class="hidden">${done ? "Done:" : "Missing:"}</span>`;

let running = false;

/** Shows how far the delivery is until it is done. */
async function follow() {
  for (;;) {
    const told = await get(ofShoot("deliveries"));
    if (!told) return;
    running = told.running;
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
