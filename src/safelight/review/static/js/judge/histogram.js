// The histogram of a view, with what is clipped at either end.
import { html, nothing, svg } from "../vendor/lit.js";

const W = 256;
const H = 72;
const CHANNELS = [["red", "#ff6b5e"], ["green", "#5fd16a"], ["blue", "#6aa5ff"]];

/** @param {{bins: Record<string, number[]>, low: Record<string, number>, high: Record<string, number>} | null} told */
export function histogram(told) {
  if (!told) return html`<figure class="histogram" aria-hidden="true"></figure>`;
  const most = Math.max(...CHANNELS.flatMap(([name]) => told.bins[name].slice(1, -1)), 1e-6);
  const label = `Histogram. At white ${share(told.high.any)}, at black ${share(told.low.any)} of the picture.`;
  return html`<figure class="histogram" role="img" aria-label=${label}>
    <svg viewBox="0 0 ${W} ${H}" preserveAspectRatio="none" aria-hidden="true">
      ${CHANNELS.map(([name, colour]) => svg`<path d=${path(told.bins[name], most)} fill=${colour}/>`)}
    </svg>
    <figcaption>
      <span>${told.low.any > 0.0005 ? html`black ${share(told.low.any)}` : nothing}</span>
      <span>${told.high.any > 0.0005 ? html`white ${share(told.high.any)}` : nothing}</span>
    </figcaption>
  </figure>`;
}

/** @param {number[]} bins @param {number} most */
function path(bins, most) {
  const step = W / bins.length;
  const top = bins.map((v, i) => `L${(i * step).toFixed(1)} ${(H - H * Math.sqrt(Math.min(1, v / most))).toFixed(1)}`);
  return `M0 ${H}${top.join("")}L${W} ${H}Z`;
}

/** @param {number} value */
const share = (value) => (value && value < 0.001 ? "under 0.1 %" : `${(100 * value).toFixed(1)} %`);
