// Views as canvases. A browser keeps what it decoded for an <img> long after it shows another picture: half an hour of
// sliders would take a gigabyte. A canvas holds what it shows, and these few hold what comes next.
import { Pictures } from "./pictures.js";

const ROOM = 5; // pictures of 4 to 15 MB that are ready to be drawn
const held = new Pictures(ROOM, (address) => address);

/** Fetches and decodes a picture before it is shown, so that nothing flickers. @param {string} address */
export const ready = (address) => held.get(address, "proxy");

/** Draws what canvases with `data-src` are to show, and calls back when one of them shows it. What they have shown stays
 * as long, but where it is of another photo.
 * @param {ParentNode} within @param {() => void} drawn @param {boolean} [another] */
export function draw(within, drawn, another = false) {
  for (const canvas of /** @type {NodeListOf<HTMLCanvasElement>} */ (within.querySelectorAll("canvas[data-src]"))) {
    const src = /** @type {string} */ (canvas.dataset.src);
    if (canvas.dataset.drawn === src) continue;
    const there = held.now(src, "proxy");
    if (there) {
      put(canvas, there, src);
      continue;
    }
    if (another) canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
    ready(src).then((made) => {
      if (made && canvas.dataset.src === src && canvas.dataset.drawn !== src) put(canvas, made, src);
      drawn();
    });
  }
}

/** @param {HTMLCanvasElement} canvas @param {ImageBitmap} made @param {string} src */
function put(canvas, made, src) {
  if (!made.width) return; // let go of meanwhile
  if (canvas.width !== made.width) canvas.width = made.width;
  if (canvas.height !== made.height) canvas.height = made.height;
  canvas.getContext("2d")?.drawImage(made, 0, 0);
  canvas.dataset.drawn = src;
}

/** Where the picture of a canvas lies on the screen: all of it is shown in the middle of its box.
 * @param {HTMLCanvasElement} canvas @returns {{left: number, top: number, width: number, height: number}} */
export function placed(canvas) {
  const box = canvas.getBoundingClientRect();
  const scale = Math.min(box.width / canvas.width, box.height / canvas.height);
  const [width, height] = [canvas.width * scale, canvas.height * scale];
  return { left: box.left + (box.width - width) / 2, top: box.top + (box.height - height) / 2, width, height };
}
