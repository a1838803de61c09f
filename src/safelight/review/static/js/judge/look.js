// Views of a photo, rendered by the server: the newest wish wins, and while a slider moves views get as small as it
// takes to keep up.
import { ofShoot, send } from "../api.js";

const SLOW_MS = 150; // a view that took longer is asked for smaller while a slider moves
const SMALLEST = 480;

/** @typedef {{image: string, width: number, height: number, whole: [number, number], box: number[], histogram: any, milliseconds: number}} Shown */

/** The address of a photo below the API of the shoot. @param {string} photo */
export const ofPhoto = (photo) => `photos/${photo}`;

/** @param {string} place a photo's address, or that of an item of the queue @param {object} wish @returns {Promise<Shown>} */
export const view = (place, wish) => send(ofShoot(`${place}/view`), wish);

/** One view on the screen that follows wishes: at most one is asked for at a time, and then the newest. */
export class Follower {
  /** @param {(shown: Shown, wish: any, place: string) => void} show @param {(error: unknown) => void} fail */
  constructor(show, fail) {
    this.show = show;
    this.fail = fail;
    /** @type {{place: string, wish: any} | null} */
    this.next = null;
    this.busy = false;
    this.side = 1600;
  }

  /** @param {string} place @param {any} wish @param {boolean} [moving] whether a slider is being moved */
  want(place, wish, moving = false) {
    const side = moving ? Math.min(wish.side ?? 1600, this.side) : (wish.side ?? 1600);
    this.next = { place, wish: { ...wish, side } };
    if (!this.busy) this.go();
  }

  async go() {
    this.busy = true;
    while (this.next) {
      const { place, wish } = this.next;
      this.next = null;
      const began = performance.now();
      try {
        const shown = await view(place, wish);
        await ready(shown.image);
        const took = performance.now() - began;
        if (wish.change && took > SLOW_MS) this.side = Math.max(SMALLEST, Math.round(wish.side / 2));
        else if (took < SLOW_MS / 3) this.side = Math.min(1600, this.side * 2);
        const next = /** @type {{place: string} | null} */ (this.next);
        if (!next || next.place === place) this.show(shown, wish, place);
      } catch (error) {
        this.fail(error);
      }
    }
    this.busy = false;
  }
}

/** Fetches and decodes a picture before it is shown, so that nothing flickers. @param {string} address */
export async function ready(address) {
  const image = new Image();
  image.src = address;
  await image.decode().catch(() => undefined);
}
