// The waveform's numbers, in parts of one resolution each: what was asked for is kept, what is not there yet is asked for.
import { get, ofShoot } from "../api.js";

const FINEST_S = 1 / 100; // of a pair
const FULL = 32767;
const PAIRS = 1024; // of one part
const ROOM = 300; // parts that are kept
const AGAIN_MS = 700; // until a part that is still being measured is asked for again

export class Peaks {
  /** @param {string} clip @param {number} seconds @param {() => void} changed */
  constructor(clip, seconds, changed) {
    this.place = ofShoot(`clips/${clip}/waveform`);
    this.seconds = seconds;
    this.changed = changed;
    /** @type {Map<string, {low: number[], high: number[], whole: boolean}>} */
    this.parts = new Map();
    /** @type {Set<string>} */
    this.asked = new Set();
    this.why = "";
    this.known = 0; // seconds that are measured
    this.whole = false;
  }

  /** The step between pairs that is just finer than what a column shows. @param {number} column seconds */
  step(column) {
    return FINEST_S * 2 ** Math.max(0, Math.floor(Math.log2(Math.max(column, FINEST_S) / FINEST_S)));
  }

  /** Lowest and highest of a stretch, −1 … 1; null where it is not here yet. @param {number} from @param {number} to seconds @param {number} step
   * @returns {[number, number] | null} */
  at(from, to, step) {
    let [low, high] = [FULL, -FULL];
    let found = false;
    const last = Math.max(Math.ceil(to / step), Math.floor(from / step) + 1);
    for (let i = Math.max(0, Math.floor(from / step)); i < last; i++) {
      const part = this.part(Math.floor(i / PAIRS), step);
      if (!part) continue;
      const n = i % PAIRS;
      if (part.low[n] < low) low = part.low[n];
      if (part.high[n] > high) high = part.high[n];
      found = true;
    }
    return found ? [low / FULL, high / FULL] : null;
  }

  /** @param {number} number @param {number} step */
  part(number, step) {
    const key = `${step}/${number}`;
    const found = this.parts.get(key);
    const start = number * PAIRS * step;
    if (start >= this.seconds || this.why) return found;
    if (!found) this.ask(key, start, start + PAIRS * step);
    return found;
  }

  /** @param {string} key @param {number} start @param {number} end */
  async ask(key, start, end) {
    if (this.asked.has(key)) return;
    this.asked.add(key);
    try {
      const found = await get(`${this.place}?start=${start}&end=${end}&columns=${PAIRS}`);
      [this.why, this.whole, this.known] = [found.cannot_tell, found.whole, Math.max(this.known, found.known_s)];
      this.parts.set(key, { low: found.low, high: found.high, whole: found.whole || found.known_s >= end });
      if (this.parts.size > ROOM) this.parts.delete(/** @type {string} */ (this.parts.keys().next().value));
      if (!found.whole && !found.cannot_tell) setTimeout(() => this.again(key, start, end), AGAIN_MS);
      this.changed();
    } catch {
      setTimeout(() => this.changed(), 4 * AGAIN_MS); // the page says by itself that nobody answers
    } finally {
      this.asked.delete(key);
    }
  }

  /** @param {string} key @param {number} start @param {number} end */
  again(key, start, end) {
    if (!this.parts.get(key)?.whole) this.ask(key, start, end);
  }
}
