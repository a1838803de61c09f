// Clips and sounds beside the photos: shown, played where the browser can, and never decided, since nothing culls them.
import { picture, playing, tell } from "../api.js";
import { html, repeat } from "../vendor/lit.js";

/** @typedef {import("./model.js").Photo} Photo */

export const NOTHING_TO_SAY = "Clips and sounds are not culled: keys that keep, reject or mark are about photos.";

/** @param {Photo | undefined} photo */
export const isClip = (photo) => Boolean(photo?.kind);

/** How long, as people say it: 0.4 s, 0:07, 1:02:03. @param {number | null | undefined} seconds */
export function lasting(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 1) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** What it is, and how long. @param {Photo} clip */
export const what = (clip) => [clip.kind === "audio" ? "sound" : "clip", lasting(clip.duration)].filter(Boolean).join(", ");

/** The same in a few signs, for a cell of the grid. @param {Photo} clip */
export const badge = (clip) => `${clip.kind === "audio" ? "♪" : "▶"} ${lasting(clip.duration)}`.trim();

/** Says that a key is not about clips, where one is before us. @param {Photo | undefined} photo @param {string} [why] */
export function refused(photo, why = NOTHING_TO_SAY) {
  if (!isClip(photo)) return false;
  tell(why);
  return true;
}

/** The original with the browser's own controls; where it cannot be played, its picture and why.
 * @param {Photo} clip @param {Set<string>} failed those that this browser could not play @param {() => void} again */
export function player(clip, failed, again) {
  const name = clip.path.slice(-80);
  const still = html`<img class="still" src=${picture(clip.id, "proxy")} alt=${name}>`;
  const why = clip.unplayable || (failed.has(clip.id) ? "It cannot be played here: this browser does not play it, or its file is missing." : "");
  const lost = () => {
    failed.add(clip.id);
    again();
  };
  const shown = () => {
    if (why) return html`${still}<figcaption role="status">${why}</figcaption>`;
    if (clip.kind === "audio") return html`${still}<figcaption><audio controls preload="metadata" src=${playing(clip.id)} aria-label=${name} @error=${lost}></audio></figcaption>`;
    return html`<video controls preload="metadata" playsinline poster=${picture(clip.id, "proxy")} src=${playing(clip.id)} aria-label=${name} @error=${lost}></video>`;
  };
  return html`<div class="stages" data-count="1">${repeat([clip.id], (id) => id, () => html`<figure class="clip">${shown()}</figure>`)}</div>`;
}
