// The signs for what was decided: shape and word always, colour never alone.
import { html, nothing, svg } from "../vendor/lit.js";

const KEEP = svg`<circle cx="6" cy="6" r="5"/>`;
const REJECT = svg`<circle cx="6" cy="6" r="4.4" class="ring"/><path d="M2.5 9.5l7-7" class="ring"/>`;
const UNDECIDED = svg`<circle cx="6" cy="6" r="4.4" class="ring"/>`;
const MACHINE = svg`<path d="M3 5.5a3 3 0 0 1 6 0V8H3z"/><path d="M2 8h8v1.4H2z"/>`;
const LOCK = svg`<path d="M3.6 5V3.8a2.4 2.4 0 0 1 4.8 0V5" class="ring"/><rect x="2.2" y="5" width="7.6" height="5.6"/>`;
const NONE = svg`<path d="M3 2l7 4-7 4z"/>`; // nothing is decided about clips and sounds
const SHAPES = { keep: KEEP, reject: REJECT, undecided: UNDECIDED, none: NONE, machine: MACHINE, lock: LOCK };

/** @param {keyof typeof SHAPES} name */
export const sign = (name) => html`<svg class="sign ${name}" viewBox="0 0 12 12" aria-hidden="true">${SHAPES[name]}</svg>`;

/** The words of a decision. @param {{decision: string, decided: boolean, by: string | null}} photo */
export function words(photo) {
  const what = { keep: "keep", reject: "reject", undecided: "undecided", none: "not culled" }[photo.decision] ?? photo.decision;
  return photo.decided || ["undecided", "none"].includes(photo.decision) ? what : `${what}, proposed`;
}

/** Sign and word of a decision; a lamp stands beside what only the machine has said.
 * @param {{decision: string, decided: boolean, by: string | null}} photo */
export const decision = (photo) =>
  html`<span class="decision">${sign(/** @type {any} */ (photo.decision))}${photo.decided || photo.decision === "none" ? nothing : sign("machine")}<span>${words(photo)}</span></span>`;

/** The same as markup, for cells that are made by hand. @param {string} name */
export function markup(name) {
  const shapes = {
    keep: '<circle cx="6" cy="6" r="5"/>',
    reject: '<circle cx="6" cy="6" r="4.4" class="ring"/><path d="M2.5 9.5l7-7" class="ring"/>',
    undecided: '<circle cx="6" cy="6" r="4.4" class="ring"/>',
    none: '<path d="M3 2l7 4-7 4z"/>',
    lock: '<path d="M3.6 5V3.8a2.4 2.4 0 0 1 4.8 0V5" class="ring"/><rect x="2.2" y="5" width="7.6" height="5.6"/>',
  };
  return `<svg class="sign ${name}" viewBox="0 0 12 12" aria-hidden="true">${shapes[/** @type {keyof typeof shapes} */ (name)]}</svg>`;
}

const NAMES = {
  blur: "blurred", "blur.motion": "blurred by motion", "blur.defocus": "out of focus", "exposure.over": "over-exposed",
  "exposure.under": "under-exposed", "eyes.closed": "eyes closed", best: "best of its stack", tie: "as good as another",
  best_is_faulty: "best, but with a fault", auto: "done alone", review: "for review", human: "for a person",
  never_unreviewed: "never without review", burst: "burst", duplicate: "near-duplicates", bracket: "bracket",
  focus_stack: "focus stack", panorama: "panorama", pair: "raw and JPEG", video: "clip", audio: "sound",
};

/** A code as a person reads it. @param {string} code */
export const name = (code) => NAMES[/** @type {keyof typeof NAMES} */ (code)] ?? code.replaceAll("_", " ").replaceAll(".", ", ");
