// What is done to the sound and the picture of a clip where a film is made of it: answered whole, or by another choice.
import { html, nothing } from "../vendor/lit.js";
import { named } from "./list.js";

/** @typedef {{operator: string, state: string | null, waits: boolean, by: string | null, cannot_tell: string | null, text: string, because: string[],
 *   doubts: string[], choices: {params: Record<string, any>, text: string}[]}} Effect */

/** @param {Effect} effect @param {{whole: (operator: string, say: string) => void, choose: (operator: string, params: Record<string, any>) => void}} act */
export function effectOf(effect, act) {
  const stands = effect.waits ? html`<span class="need">waits</span>` : effect.by ? html`<span class="quiet">answered by ${effect.by}</span>` : nothing;
  const answered = effect.by && !effect.waits;
  return html`<div class="edit" data-effect=${effect.operator}><div class="line"><b>${named(effect.operator)}</b>${stands}</div>
    ${effect.cannot_tell ? html`<p class="quiet">Cannot tell: ${effect.cannot_tell}</p>` : html`<p>${effect.text}</p>`}
    ${effect.because.map((text) => html`<p class="quiet">${text}</p>`)}
    ${effect.doubts.map((text) => html`<p><b class="need">?</b> ${text}</p>`)}
    <div class="line">${effect.waits ? html`<button type="button" @click=${() => act.whole(effect.operator, "approve")}>Approve</button><button type="button" @click=${() => act.whole(effect.operator, "reject")}>Leave it as it is</button>` : nothing}${answered ? html`<button type="button" @click=${() => act.whole(effect.operator, "undo")}>Take back</button>` : nothing}</div>
    ${effect.choices.length ? html`<div class="line" role="group" aria-label="Or">${effect.choices.map((one) => html`<button type="button" class="chip" @click=${() => act.choose(effect.operator, one.params)}>${one.text}</button>`)}</div>` : nothing}</div>`;
}
