// The chosen cut: what goes, why, on which evidence, and the keys that answer it.
import { html, nothing } from "../vendor/lit.js";
import { named, stands } from "./list.js";
import { clock, lasting } from "./time.js";

/** @typedef {import("./model.js").Item} Item */

/** @param {any} value */
function shown(value) {
  if (typeof value === "number") return Number.isInteger(value) ? value.toLocaleString("en-GB") : value.toFixed(2);
  if (Array.isArray(value)) return value.slice(0, 12).map(String).join(", ") + (value.length > 12 ? " …" : "");
  return value === null || value === undefined ? "not known" : String(typeof value === "object" ? JSON.stringify(value) : value).slice(0, 200);
}

/** A button that moves an edge. @param {string} what @param {string} arrow @param {string} key @param {() => void} act */
const edge = (what, arrow, key, act) => html`<button type="button" title=${what} aria-label=${what} @click=${act}>${arrow}<kbd>${key}</kbd></button>`;

/** @param {Item} item @param {import("./model.js").Model} model @param {Record<string, () => void>} act */
export function card(item, model, act) {
  const [start, end] = model.span(item);
  const moved = item.was && (item.was[0] !== start || item.was[1] !== end);
  const evidence = Object.entries(item.evidence ?? {}).filter(([, value]) => value !== null && value !== "");
  const heard = item.kind === "heard";
  return html`<section class="card" aria-label="The chosen cut">
    <h2>${heard ? "Heard otherwise at the join" : html`${named(item.rule)} <span class="quiet">${item.operator ? named(item.operator) : nothing}</span>`} ${stands(item)}</h2>
    <p class="span">${clock(start, model.rate)}${heard ? nothing : html` to ${clock(end, model.rate)}, <b>${lasting((end - start) / model.rate)}</b> ${item.state === "stays" ? "stay: you have looked" : item.kind === "doubt" ? "stay until you say otherwise" : item.state === "dropped" ? "stay" : "go"}`}${moved ? html` <span class="quiet">proposed: ${clock(/** @type {any} */ (item.was)[0], model.rate)} to ${clock(/** @type {any} */ (item.was)[1], model.rate)}</span>` : nothing}</p>
    <p>${item.text || (item.state === "added" ? "A cut of your own." : nothing)}</p>
    ${item.inside.length ? html`<p><b class=${item.waits ? "need" : ""}>Words in it:</b> ${item.inside.slice(0, 40).join(" ")}${item.inside.length > 40 ? " …" : ""}</p>` : nothing}
    ${evidence.length ? html`<dl class="evidence">${evidence.map(([name, value]) => html`<div><dt>${named(name).replaceAll(".", " ")}</dt><dd>${shown(value)}</dd></div>`)}</dl>` : nothing}
  </section>
  <div class="buttons answers" role="group" aria-label="Answer">
    ${heard ? nothing : html`<button type="button" class="first" @click=${act.pick}>${item.kind === "doubt" ? "Cut it" : "Approve"} <kbd>p</kbd></button>
    ${item.kind === "cut" ? html`<button type="button" @click=${act.reject}>Drop <kbd>x</kbd></button>` : nothing}`}
    ${item.kind !== "cut" && item.operator ? html`<button type="button" ?disabled=${item.state === "stays"} @click=${act.reject}>Leave it <kbd>x</kbd></button>` : nothing}
    <button type="button" title="Play two seconds around it as it was" @click=${act.around_before}>Before <kbd>b</kbd></button>
    <button type="button" title="Play two seconds around it as it would be" @click=${act.around_after}>After <kbd>a</kbd></button>
    ${heard ? nothing : html`<span class="trims" role="group" aria-label="Trim by a frame">
start ${edge("Starts a frame earlier", "←", ";", act.start_earlier)}${edge("Starts a frame later", "→", "[", act.start_later)}
      end ${edge("Ends a frame earlier", "←", "]", act.end_earlier)}${edge("Ends a frame later", "→", "'", act.end_later)}</span>`}
  </div>`;
}
