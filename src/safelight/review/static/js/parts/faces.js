// Faces of a photo, largest first: each with its eyes and how sharp it is.
import { html } from "../vendor/lit.js";
import "./thumb.js";

/** @typedef {{box: number[], eyes: string, eyes_reason?: string | null, sharpness?: number | null, landmarks?: number[][]}} Face */

/** @param {Face} face */
export const size = ({ box }) => (box[2] - box[0]) * (box[3] - box[1]);

/** @param {{id: string, faces: Face[]}} found what is known about a photo @param {number} most */
export function strip(found, most) {
  const order = [...found.faces.keys()].sort((a, b) => size(found.faces[b]) - size(found.faces[a]));
  return order.slice(0, most).map((n, i) => {
    const face = found.faces[n];
    const eyes = face.eyes === "cannot_tell" ? `cannot tell: ${face.eyes_reason ?? "not clear"}` : `eyes ${face.eyes}`;
    const sharp = typeof face.sharpness === "number" ? `sharpness ${face.sharpness.toFixed(2)}` : "";
    return html`<figure title=${[eyes, sharp].filter(Boolean).join("; ")}><sl-thumb role="img" aria-label="Face ${i + 1}: ${eyes}" .of=${`faces/${n}`} .photo=${found.id}></sl-thumb>
      <figcaption><span>${face.eyes === "closed" ? "⌣ " : ""}${face.eyes === "cannot_tell" ? "eyes: cannot tell" : eyes}</span><span class="quiet">${sharp}</span></figcaption></figure>`;
  });
}
