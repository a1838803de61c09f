// Who decides: who sits at this browser, a PIN, who leads; one's own record, and totals for a lead.
import { alarm, get, send, tell } from "./api.js";
import "./page.js";
import { html, LitElement, nothing } from "./vendor/lit.js";

class People extends LitElement {
  constructor() {
    super();
    /** @type {{name: string, lead: boolean, locked: boolean}[]} */ this.known = [];
    /** @type {{name: string, lead: boolean, locked: boolean} | null} */ this.me = null;
    /** @type {any} */ this.record = null;
    /** @type {any} */ this.totals = null;
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.load();
  }

  async load() {
    try {
      this.me = await get("/api/me").catch(() => null);
      this.known = await get("/api/reviewers");
      this.record = this.me ? await get("/api/me/record") : null;
      this.totals = this.me?.lead ? await get("/api/reviewers/totals") : null;
    } catch (error) {
      alarm(error);
    }
    this.requestUpdate();
  }

  /** @param {string} path @param {unknown} body @param {string} done */
  async say(path, body, done) {
    try {
      await send(path, body);
      tell(done);
      if (path === "/api/me") location.reload();
    } catch (error) {
      alarm(error);
    }
    await this.load();
  }

  /** @param {SubmitEvent} event */
  signIn(event) {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    this.say("/api/me", { name: form.get("name"), pin: form.get("pin") ?? "" }, "That is you now.");
  }

  /** @param {SubmitEvent} event */
  setPin(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const pin = new FormData(form).get("pin");
    this.say("/api/reviewers", { name: this.me?.name, pin }, pin ? "The PIN is set." : "No PIN is asked for now.");
    form.reset();
  }

  render() {
    const { me, known } = this;
    const leading = me?.lead || !known.some((each) => each.lead);
    return html`
      <form @submit=${(/** @type {SubmitEvent} */ e) => this.signIn(e)}>
        <p>${me ? html`At this browser, <strong>${me.name}</strong> decides.` : "Say who you are: every verdict carries the name of whoever said it."}</p>
        <p class="fields"><label>Name <input name="name" list="known" required maxlength="80" autocomplete="off"></label>
          <label>PIN, where there is one <input name="pin" type="password" autocomplete="off" maxlength="200"></label>
          <button>That is me</button></p>
        <datalist id="known">${known.map((each) => html`<option value=${each.name}></option>`)}</datalist>
      </form>
      <h2>Everybody</h2>
      <ul class="rows">${known.map((each) => html`<li><span>${each.name}</span>
        <span class="quiet">${[each.lead && "lead: what this person says counts where two differ", each.locked && "with a PIN"].filter(Boolean).join(" · ")}</span>
        ${leading ? html`<button type="button" @click=${() => this.say("/api/reviewers", { name: each.name, lead: !each.lead }, each.lead ? `${each.name} no longer leads.` : `${each.name} leads.`)}>${each.lead ? "No longer the lead" : "Make lead"}</button>` : nothing}</li>`)}</ul>
      ${me ? html`<h2>Your PIN</h2><form @submit=${(/** @type {SubmitEvent} */ e) => this.setPin(e)}>
        <p class="quiet">With a PIN nobody else decides in your name. Empty takes it away.</p>
        <p class="fields"><label>New PIN <input name="pin" type="password" autocomplete="new-password" maxlength="200"></label><button>Set</button></p></form>
        <h2>Your own record</h2>${this.own()}` : nothing}
      ${this.totals ? html`<h2>All together</h2>${this.together()}` : nothing}`;
  }

  own() {
    const r = this.record;
    if (!r) return html`<p class="quiet">Nothing yet.</p>`;
    const pace = r.seconds === null ? "Too few decisions to tell your pace." : `Half of your decisions took ${r.seconds} s or less.`;
    const eye = r.noticed === null ? "Too few planted checks to tell how many you notice." : `Of ${r.checks} planted flaws you noticed ${r.noticed}.`;
    if (!r.verdicts) return html`<p>You have decided nothing yet. How long a decision takes you, and how many planted flaws you notice, will stand here.</p><p class="quiet">Only you see this.</p>`;
    return html`<p>${r.decisions.toLocaleString("en-GB")} decisions, ${r.verdicts.toLocaleString("en-GB")} verdicts. ${pace} ${eye}</p><p class="quiet">Only you see this.</p>`;
  }

  together() {
    const t = this.totals;
    return html`<p>${t.reviewers === 1 ? "1 person" : `${t.reviewers} people`}, ${t.decisions.toLocaleString("en-GB")} decisions, ${t.verdicts.toLocaleString("en-GB")} verdicts, ${t.hours} hours.
      ${t.contested} items on which people differ. Of ${t.checks} planted flaws ${t.noticed} were noticed.</p><p class="quiet">No figure of a single person is shown to anybody else.</p>`;
  }
}

customElements.define("sl-people", People);
