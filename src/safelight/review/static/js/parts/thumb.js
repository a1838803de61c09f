// A small picture, drawn at the size at which it is shown and forgotten with its element. A browser keeps the whole decoded
// picture of an <img> long after it has left the page: a shoot seen once from end to end would stay in memory.
import { picture } from "../api.js";

/** @typedef {"thumb" | `faces/${number}`} Small */

export class Thumb extends HTMLElement {
  constructor() {
    super();
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true"); // what holds it has the name
    this.wanted = "";
    /** @type {Small} */ this.of = "thumb";
    this.tall = 0; // px, where who holds it knows its height: to ask costs a layout of the page
    /** @type {AbortController | null} */ this.stop = null;
    /** @type {(here: boolean) => void} */ this.onseen = () => {};
  }

  connectedCallback() {
    if (!this.firstChild) this.append(this.canvas);
    if (!this.dataset.drawn) this.draw();
  }

  disconnectedCallback() {
    this.stop?.abort();
    this.stop = null;
  }

  /** The photo to show; empty: none. @param {string} id */
  set photo(id) {
    if (id === this.wanted) return;
    this.stop?.abort();
    this.wanted = id;
    delete this.dataset.drawn;
    if (id) this.draw();
    else this.clear();
  }

  get photo() {
    return this.wanted;
  }

  async draw() {
    const id = this.wanted;
    if (!id || !this.isConnected) return;
    this.stop?.abort();
    const stop = (this.stop = new AbortController());
    try {
      const answer = await fetch(picture(id, this.of), { signal: stop.signal, priority: "low" });
      const data = answer.ok ? await answer.blob() : null;
      if (!stop.signal.aborted) await this.paint(data, stop, id);
    } catch {
      if (!stop.signal.aborted) this.seen(id, false);
    }
  }

  /** @param {Blob | null} data @param {AbortController} stop @param {string} id */
  async paint(data, stop, id) {
    if (!data) return this.seen(id, false);
    const height = Math.round((this.tall || this.clientHeight || 160) * (window.devicePixelRatio || 1));
    const made = await createImageBitmap(data, { resizeHeight: height, resizeQuality: "medium" });
    if (!stop.signal.aborted) {
      this.canvas.width = made.width;
      this.canvas.height = made.height;
      this.canvas.getContext("2d", { willReadFrequently: true })?.drawImage(made, 0, 0); // in main memory: dozens are small
      this.seen(id, true);
    }
    made.close();
  }

  /** @param {string} id @param {boolean} here */
  seen(id, here) {
    this.dataset.drawn = here ? id : "";
    this.onseen(here);
  }

  clear() {
    this.canvas.width = this.canvas.height = 0;
  }
}

customElements.define("sl-thumb", Thumb);
