// One photograph, fitted to its place or at 100 %. Several stages with one zoom look at the same place of each.
import { picture } from "../api.js";

const LARGER = 1.15; // times its width at which a picture is shown: from there on it looks soft
const SIDE = 2560; // px, of the sharper one
const REST = 300; // ms that somebody looks at a photo before it is sharpened

/** @typedef {import("./pictures.js").Pictures} Pictures
 * @typedef {{on: boolean, x: number, y: number}} Zoom where: shares of width and height */

export class Stage extends HTMLElement {
  constructor() {
    super();
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.large = document.createElement("div");
    this.large.className = "large";
    this.large.hidden = true;
    this.note = document.createElement("p");
    this.note.className = "note";
    /** @type {Zoom} */ this.zoom = { on: false, x: 0.5, y: 0.5 };
    this.id_ = "";
    this.painted = ""; // what the canvas shows, at which size
    this.sharp = false; // whether a larger picture than the first one is shown
    /** @type {"proxy" | "after"} */ this.size = "proxy";
    this.photo = { width: 3, height: 2 };
    /** @type {Pictures | null} */ this.pictures = null;
    /** @type {(zoom: Zoom) => void} */ this.onzoom = () => {};
    /** @type {(at: {id: string, milliseconds: number}) => void} */ this.ondrawn = () => {};
  }

  connectedCallback() {
    if (this.firstChild) return;
    this.append(this.canvas, this.large, this.note);
    new ResizeObserver(() => this.draw()).observe(this);
    this.addEventListener("pointerdown", (event) => this.grabbed(event));
    this.addEventListener("dblclick", (event) => this.onzoom({ ...this.placeOf(event), on: !this.zoom.on }));
  }

  /** @param {{id: string, path: string, width: number, height: number}} photo @param {"proxy" | "after"} size */
  show(photo, size = "proxy") {
    if (photo.id !== this.id_ || size !== this.size) this.asked = performance.now();
    this.photo = photo;
    this.size = size;
    this.id_ = photo.id;
    this.canvas.setAttribute("aria-label", `${photo.path.slice(-80)}${size === "after" ? ", with its edits" : ""}`);
    this.draw();
  }

  /** @param {Zoom} zoom */
  look(zoom) {
    this.zoom = zoom;
    this.draw();
  }

  async draw() {
    const { id_: id, size, pictures } = this;
    if (!id || !pictures || !this.clientWidth) return;
    this.magnify();
    const there = pictures.now(id, size);
    clearTimeout(this.later);
    if (there) return this.settle(there);
    const small = pictures.now(id, "thumb"); // holds the place while the picture is on its way
    if (small) {
      this.paint(small, true);
      this.painted = "";
      this.drawn(false);
    }
    const made = await pictures.get(id, size);
    if (id !== this.id_ || size !== this.size) return;
    this.note.textContent = made ? "" : "This picture is not here: its file is missing, and no copy is in the cache.";
    if (made) this.settle(made);
    else this.clear();
  }

  /** @param {ImageBitmap} made */
  settle(made) {
    const what = `${this.id_} ${this.size} ${this.clientWidth} ${this.clientHeight} ${made.width}`;
    if (what !== this.painted) {
      this.paint(made);
      this.painted = what;
      this.sharp = false;
    }
    this.drawn(true);
    const soft = this.canvas.width > LARGER * made.width && this.photo.width > made.width;
    if (soft && !this.sharp && !this.zoom.on) this.later = window.setTimeout(() => this.sharpen(), REST);
  }

  /** On a wide screen the picture that came first is enlarged: a larger one takes its place. */
  async sharpen() {
    const { id_: id, size, pictures } = this;
    const address = picture(id, size === "after" ? "after" : "before");
    const made = await pictures?.read(`${address}?side=${SIDE}`, new AbortController());
    if (made && id === this.id_ && size === this.size && !this.zoom.on) {
      this.paint(made);
      this.sharp = true;
    }
    made?.close();
  }

  clear() {
    this.canvas.getContext("2d")?.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.painted = "";
    this.drawn(false);
  }

  /** @param {ImageBitmap} bitmap @param {boolean} [holding] */
  paint(bitmap, holding = false) {
    const [w, h] = this.size === "after" && !holding ? [bitmap.width, bitmap.height] : [this.photo.width, this.photo.height];
    const scale = Math.min(this.clientWidth / w, this.clientHeight / h);
    const width = Math.max(1, Math.round(w * scale));
    const height = Math.max(1, Math.round(h * scale));
    const density = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * density);
    this.canvas.height = Math.round(height * density);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const context = this.canvas.getContext("2d");
    if (!context) return;
    // enlarging carefully costs a tenth of a second on a wide screen, for a picture that a sharper one soon replaces
    context.imageSmoothingQuality = this.canvas.width > bitmap.width ? "low" : "high";
    context.drawImage(bitmap, 0, 0, this.canvas.width, this.canvas.height);
    if (!holding) this.note.textContent = "";
  }

  /** @param {boolean} whole */
  drawn(whole) {
    this.dataset.drawn = whole ? this.id_ : "";
    if (whole) this.ondrawn({ id: this.id_, milliseconds: performance.now() - (this.asked ?? 0) });
  }

  /** At 100 % the browser shows the whole picture itself: it decodes it once, and lets go of it when it is hidden. */
  magnify() {
    const { zoom, photo, large } = this;
    large.hidden = !zoom.on;
    this.canvas.hidden = zoom.on;
    if (!zoom.on) {
      large.replaceChildren();
      return;
    }
    const address = picture(this.id_, "full");
    let img = large.querySelector("img");
    if (img?.getAttribute("src") !== address) {
      img = document.createElement("img");
      img.alt = "";
      img.decoding = "async";
      img.draggable = false;
      img.src = address;
      large.replaceChildren(img);
    }
    const density = window.devicePixelRatio || 1;
    const [w, h] = [photo.width / density, photo.height / density];
    img.style.width = `${w}px`;
    img.style.height = `${h}px`;
    const x = place(w, this.clientWidth, zoom.x);
    const y = place(h, this.clientHeight, zoom.y);
    img.style.transform = `translate(${x}px, ${y}px)`;
  }

  /** @param {MouseEvent} event @returns {Zoom} */
  placeOf(event) {
    const box = this.canvas.getBoundingClientRect();
    if (this.zoom.on || !box.width) return this.zoom;
    const share = (/** @type {number} */ at, /** @type {number} */ from, /** @type {number} */ size) => Math.min(1, Math.max(0, (at - from) / size));
    return { on: true, x: share(event.clientX, box.left, box.width), y: share(event.clientY, box.top, box.height) };
  }

  /** Dragging moves what is seen at 100 %. @param {PointerEvent} event */
  grabbed(event) {
    if (!this.zoom.on || event.button) return;
    const density = window.devicePixelRatio || 1;
    const from = { ...this.zoom, px: event.clientX, py: event.clientY };
    this.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ e) => {
      const within = (/** @type {number} */ v) => Math.min(1, Math.max(0, v));
      this.onzoom({ on: true, x: within(from.x - ((e.clientX - from.px) * density) / this.photo.width), y: within(from.y - ((e.clientY - from.py) * density) / this.photo.height) });
    };
    this.addEventListener("pointermove", move);
    this.addEventListener("pointerup", () => this.removeEventListener("pointermove", move), { once: true });
  }
}

/** Where a side begins so that a share of it lies in the middle of the view, without a gap at its ends.
 * @param {number} side @param {number} view @param {number} share */
function place(side, view, share) {
  if (side <= view) return (view - side) / 2;
  return Math.min(0, Math.max(view - side, view / 2 - side * share));
}

customElements.define("sl-stage", Stage);
