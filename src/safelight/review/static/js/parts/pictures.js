// Pictures ready to be drawn: fetched and decoded off the main thread, a few kept, the oldest let go.
import { picture } from "../api.js";

/** @typedef {"thumb" | "proxy" | "full" | "after"} Size */

export class Pictures {
  /** @param {number} room how many pictures are kept @param {(id: string, size: Size) => string} [address] */
  constructor(room, address = (id, size) => picture(id, /** @type {any} */ (size))) {
    this.room = room;
    this.address = address;
    /** @type {Map<string, {made: ImageBitmap | null, ready: Promise<ImageBitmap | null>, stop: AbortController}>} */
    this.kept = new Map();
  }

  /** @param {string} id @param {Size} size @returns {ImageBitmap | null} what is there already */
  now(id, size) {
    return this.kept.get(`${id} ${size}`)?.made ?? null;
  }

  /** @param {string} id @param {Size} size @returns {Promise<ImageBitmap | null>} null where there is no picture */
  get(id, size) {
    const key = `${id} ${size}`;
    let found = this.kept.get(key);
    if (found) {
      this.kept.delete(key);
    } else {
      const stop = new AbortController();
      const entry = { made: /** @type {ImageBitmap | null} */ (null), ready: Promise.resolve(/** @type {ImageBitmap | null} */ (null)), stop };
      entry.ready = this.read(this.address(id, size), stop).then((made) => (entry.made = made));
      entry.ready.then((made) => made || this.kept.delete(key)); // what failed is tried again next time
      found = entry;
    }
    this.kept.set(key, found);
    this.tidy();
    return found.ready;
  }

  /** @param {string} address @param {AbortController} stop */
  async read(address, stop) {
    try {
      const answer = await fetch(address, { signal: stop.signal });
      return answer.ok ? await createImageBitmap(await answer.blob()) : null;
    } catch {
      return null;
    }
  }

  tidy() {
    for (const [key, entry] of this.kept) {
      if (this.kept.size <= this.room) return;
      this.kept.delete(key);
      entry.stop.abort();
      entry.ready.then((made) => made?.close());
    }
  }
}
