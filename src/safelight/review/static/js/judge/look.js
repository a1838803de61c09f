// Views of a photo, rendered by the server: the newest wish wins. While a slider moves, drafts are asked for, as small as
// it takes to keep up; when it rests, the whole view follows.
import { ofShoot, send } from "../api.js";

const SLOW_MS = 150; // a draft that took longer is asked for at half the size next time
const LEAST = 0.25; // of the size of a view: the smallest draft
const SMALLEST = 480; // px, of a fitted draft

/** @typedef {{image: string, width: number, height: number, whole: [number, number], box: number[], histogram: any, draft: boolean, milliseconds: number}} Shown
 * @typedef {{share: number, slow: boolean}} Pace how large a draft is in time, and whether the whole view is not */

/** The address of a photo below the API of the shoot. @param {string} photo */
export const ofPhoto = (photo) => `photos/${photo}`;

/** @param {string} place a photo's address, or that of an item of the queue @param {object} wish @param {AbortSignal} [signal]
 * @returns {Promise<Shown>} */
export const view = (place, wish, signal) => send(ofShoot(`${place}/view`), wish, "POST", { signal });

/** What of a wish a draft shows: the fitted view smaller, or the middle of a view at 100 %.
 * @param {any} wish @param {number} share */
export function drafted(wish, share) {
  if (!wish.at) return { ...wish, draft: true, side: Math.max(SMALLEST, Math.round(wish.side * share)) };
  return { ...wish, draft: true, view: wish.view.map((/** @type {number} */ side) => Math.max(16, Math.round(side * share))) };
}

/** One view on the screen that follows wishes: at most one is asked for at a time, and then the newest. What takes long,
 * or is of another photo, is given up when something else is wished for. */
export class Follower {
  /** @param {(shown: Shown, wish: any, place: string) => void} show @param {(error: unknown) => void} fail */
  constructor(show, fail) {
    this.show = show;
    this.fail = fail;
    /** @type {{place: string, wish: any, moving: boolean} | null} */
    this.next = null;
    /** @type {{stop: AbortController, place: string, slow: boolean} | null} */
    this.flight = null;
    this.busy = false;
    /** @type {Map<string, Pace>} by operator, fitted and at 100 % */
    this.paces = new Map();
    this.parts = true; // whether the middle of a view at 100 % may be shown before the rest
    this.last = ""; // the wish that the draft on the screen is of
  }

  /** @param {string} place @param {any} wish @param {boolean} [moving] whether a slider is being moved */
  want(place, wish, moving = false) {
    this.next = { place, wish, moving };
    if (this.flight && (this.flight.slow || this.flight.place !== place)) this.flight.stop.abort();
    if (!this.busy) this.go();
  }

  /** @param {any} wish @returns {Pace} */
  pace(wish) {
    const key = `${wish.change?.operator} ${Boolean(wish.at)}`;
    const known = this.paces.get(key) ?? { share: 0.5, slow: true };
    this.paces.set(key, known);
    return known;
  }

  async go() {
    this.busy = true;
    while (this.next) {
      const { place, wish, moving } = this.next;
      this.next = null;
      try {
        await this.follow(place, wish, moving);
      } catch (error) {
        if (!(error instanceof DOMException && error.name === "AbortError")) this.fail(error);
      }
    }
    this.busy = false;
  }

  /** @param {string} place @param {any} wish @param {boolean} moving */
  async follow(place, wish, moving) {
    if (!wish.change) return void (await this.ask(place, wish));
    const [pace, said] = [this.pace(wish), JSON.stringify([place, wish])];
    const share = wish.at && !this.parts ? 1 : pace.share;
    if ((moving || pace.slow) && this.last !== said) {
      const { shown, took } = await this.ask(place, drafted(wish, share), { part: share < 1 });
      this.last = said;
      const whole = share === 1 && !shown.draft;
      if (took > SLOW_MS) pace.share = Math.max(LEAST, share / 2);
      else if (took < SLOW_MS / 3) pace.share = Math.min(1, share * 2);
      if (whole) pace.slow = took > SLOW_MS;
      if (moving || whole || this.next) return;
    }
    if (moving) return;
    const { took } = await this.ask(place, wish, { slow: pace.slow });
    pace.slow = took > SLOW_MS;
    this.last = said;
  }

  /** @param {string} place @param {any} wish @param {{part?: boolean, slow?: boolean}} [how] whether it is less than was
   * wished for, and whether it is known to take long */
  async ask(place, wish, { part = false, slow = false } = {}) {
    const began = performance.now();
    const stop = new AbortController();
    this.flight = { stop, place, slow };
    const shown = await view(place, wish, stop.signal).finally(() => (this.flight = null));
    await ready(shown.image);
    const next = /** @type {{place: string} | null} */ (this.next);
    if (!next || next.place === place) this.show(shown, { ...wish, part }, place);
    return { shown, took: performance.now() - began };
  }
}

/** Fetches and decodes a picture before it is shown, so that nothing flickers. @param {string} address */
export async function ready(address) {
  const image = new Image();
  image.src = address;
  await image.decode().catch(() => undefined);
}
