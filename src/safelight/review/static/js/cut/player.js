// Plays a clip, frame by frame or over its cuts. Two elements hold the same file: while one plays, the other waits behind
// the next cut, so that a join is heard as it would be.
import { LitElement, html, nothing } from "../vendor/lit.js";
import { picture } from "../api.js";

/** @typedef {[number, number]} Span frames, half-open */

const FASTER = [1, 1.5, 2, 4];
const AHEAD_S = 3; // so long before a cut the other element is sent behind it
const EARLY_S = 0.012; // half a picture of the screen
const SAME_S = 1e-4; // browsers keep the moment they were sent to in whole microseconds
const REST_MS = 150; // after which an element that rests is asked for its frame once more, …
const BESIDE_S = 1e-3; // … so far beside: for what it has already, a browser does nothing

export class Player extends LitElement {
  static properties = { source: { attribute: false }, clip: {}, name: {}, shape: { attribute: false }, making: { state: true }, broken: { state: true } };

  constructor() {
    super();
    /** @type {any} */ this.source = null;
    this.clip = this.name = "";
    this.rate = 25;
    this.frames = 0;
    this.frame = 0;
    this.speed = 0;
    this.on = 0; // which of the two is seen
    /** @type {Span[]} */ this.skips = []; // left out in this play
    /** @type {Span | null} */ this.prepared = null;
    /** @type {number | null} */ this.until = null; // frame
    /** @type {number | null} */ this.back = null; // frame to go to after that
    /** @type {number | null} */ this.wanted = null; // seconds the seen element is on its way to
    this.broken = false;
    this.playing = ""; // address
    this.turn = this.turn.bind(this);
  }

  createRenderRoot() {
    return this;
  }

  /** @returns {HTMLMediaElement[]} */
  get media() {
    return [...this.querySelectorAll(".medium")].map((m) => /** @type {HTMLMediaElement} */ (m));
  }

  get medium() {
    return this.media[this.on];
  }

  get ready() {
    return Boolean(this.medium);
  }

  /** @param {Map<string, any>} changed */
  updated(changed) {
    if (changed.has("source") && this.ready && this.source.address !== this.playing) {
      this.playing = this.source.address;
      if (this.speed) this.stop();
      this.on = 0;
      this.wanted = null;
      this.media.forEach((m, i) => m.classList.toggle("off", i !== 0));
      this.seek(this.frame);
    }
  }

  /** The middle of a frame, seconds; a player asked for its edge may show the one before. @param {number} frame */
  middle(frame) {
    return (frame + 0.5) / this.rate;
  }

  /** @param {number} frame */
  seek(frame) {
    this.frame = Math.max(0, Math.min(this.frames - 1, Math.round(frame)));
    if (this.ready) this.send(this.middle(this.frame));
    this.prepared = null;
    this.told();
  }

  /** Sends the seen element to a moment, one seek after another. @param {number} seconds */
  send(seconds) {
    this.wanted = seconds;
    if (!this.medium.seeking) this.medium.currentTime = seconds;
  }

  /** @param {HTMLMediaElement} medium */
  arrived(medium) {
    if (medium !== this.medium || this.wanted === null) return;
    if (Math.abs(medium.currentTime - this.wanted) > SAME_S) medium.currentTime = this.wanted;
    else {
      this.wanted = null;
      clearTimeout(this.again);
      this.again = window.setTimeout(() => this.draw(), REST_MS);
    }
  }

  /** Has the frame drawn once more: after quick jumps there and back a browser may go on showing the one in between. */
  draw() {
    const medium = this.medium;
    if (!this.speed && this.wanted === null && medium instanceof HTMLVideoElement) medium.currentTime += BESIDE_S;
  }

  /** Where the seen element is, or is on its way to, in frames. */
  get here() {
    return Math.floor((this.wanted ?? this.medium.currentTime) * this.rate + 1e-3);
  }

  /** @param {number} by frames */
  step(by) {
    this.stop();
    this.seek(this.frame + by);
  }

  /** @param {Span[]} skips what is left out */
  forwards(skips) {
    const at = FASTER.indexOf(this.speed);
    this.play(at >= 0 ? FASTER[Math.min(at + 1, FASTER.length - 1)] : 1, skips);
  }

  backwards() {
    const at = FASTER.indexOf(-this.speed);
    this.play(-(at >= 0 ? FASTER[Math.min(at + 1, FASTER.length - 1)] : 1), []);
  }

  /** @param {number} speed below 0: backwards, without sound @param {Span[]} skips */
  play(speed, skips) {
    if (!this.ready) return;
    if (this.frame >= this.frames - 1 && speed > 0) this.seek(0);
    [this.speed, this.skips, this.until, this.back] = [speed, skips, null, null];
    this.run();
  }

  /** Plays from a frame to another, and goes back to where it shall rest. @param {number} from @param {number} to @param {Span[]} skips @param {number} rest */
  async around(from, to, skips, rest) {
    if (!this.ready) return;
    this.stop();
    this.seek(from);
    const first = skips.find(([start]) => start >= this.frame);
    if (first) this.prepare(first);
    [this.speed, this.skips, this.until, this.back] = [1, skips, Math.min(to, this.frames - 1), rest];
    const until = performance.now() + 1500;
    while (performance.now() < until && (this.wanted !== null || this.media.some((m) => m.seeking))) await new Promise((go) => setTimeout(go, 10));
    if (this.speed === 1 && this.until !== null) this.run();
  }

  run() {
    const medium = this.medium;
    if (this.speed > 0) {
      medium.playbackRate = this.speed;
      medium.play().catch(() => this.stop());
    } else medium.pause();
    this.last = performance.now();
    cancelAnimationFrame(this.asked ?? 0);
    this.asked = requestAnimationFrame(this.turn);
    this.state();
  }

  stop() {
    if (!this.speed) return;
    this.speed = 0;
    this.until = null;
    cancelAnimationFrame(this.asked ?? 0);
    for (const m of this.media) m.pause();
    if (this.ready) this.seek(this.here);
    this.state();
  }

  turn() {
    if (!this.speed) return;
    this.asked = requestAnimationFrame(this.turn);
    const now = performance.now();
    if (this.speed < 0) this.rewind(now);
    else this.leap();
    const at = Math.max(0, Math.min(this.frames - 1, this.here));
    if (at !== this.frame) {
      this.frame = at;
      this.told();
    }
    if (this.until !== null && at >= this.until) {
      const rest = this.back;
      this.stop();
      if (rest !== null) this.seek(rest);
    } else if (this.medium.ended || (this.speed < 0 && at === 0)) this.stop();
  }

  /** @param {number} now */
  rewind(now) {
    if (this.wanted !== null) return;
    const seconds = ((now - (this.last ?? now)) / 1000) * this.speed;
    this.last = now;
    this.send(Math.max(0, this.medium.currentTime + seconds));
  }

  /** Leaves out what is to be left out. */
  leap() {
    if (this.wanted !== null) return;
    const now = this.medium.currentTime;
    const skip = this.skips.find(([, end]) => end / this.rate > now + EARLY_S);
    if (!skip) return;
    const [start, end] = skip;
    if (now < start / this.rate - AHEAD_S * this.speed) return;
    if (now < start / this.rate - EARLY_S) return this.prepare(skip);
    if (end >= this.frames) {
      this.until ??= this.frame;
      return;
    }
    const other = this.media[1 - this.on];
    if (this.prepared?.[0] === start && this.prepared[1] === end && !other.seeking && other.readyState >= 2) {
      const before = this.medium;
      other.playbackRate = this.speed;
      other.play().catch(() => this.stop());
      before.pause();
      this.on = 1 - this.on;
      other.classList.remove("off");
      before.classList.add("off");
    } else this.send(this.middle(end));
    this.prepared = null;
  }

  /** @param {Span} skip */
  prepare(skip) {
    if (this.prepared?.[0] === skip[0] && this.prepared[1] === skip[1]) return;
    this.prepared = skip;
    this.media[1 - this.on].currentTime = skip[1] / this.rate + 0.001;
  }

  told() {
    this.dispatchEvent(new CustomEvent("frame", { detail: this.frame }));
  }

  state() {
    this.dispatchEvent(new CustomEvent("playing", { detail: this.speed }));
  }

  lost() {
    if (this.source?.copied) this.broken = true;
    else this.dispatchEvent(new CustomEvent("unplayable"));
  }

  render() {
    const s = this.source;
    if (!s) return html`<figure class="screen"></figure>`;
    const still = html`<img class="still" src=${picture(this.clip, "proxy")} alt="" @error=${(/** @type {Event} */ e) => /** @type {HTMLElement} */ (e.target).remove()}>`;
    if (s.state !== "ready" || this.broken) {
      const why = this.broken ? "This browser does not play it." : s.why;
      return html`<figure class="screen">${still}<figcaption role="status">${why}${s.state === "making" && s.until_s ? html` <progress max=${this.frames / this.rate} value=${s.until_s}></progress>` : nothing}${s.state === "failed" ? html` <button type="button" @click=${() => this.dispatchEvent(new CustomEvent("unplayable"))}>Try again</button>` : nothing}</figcaption></figure>`;
    }
    const arrived = (/** @type {Event} */ e) => this.arrived(/** @type {HTMLMediaElement} */ (e.currentTarget));
    const toggle = () => this.dispatchEvent(new CustomEvent("toggle"));
    const one = (/** @type {number} */ i) => s.kind === "video"
      ? html`<video class=${i ? "medium off" : "medium"} preload="auto" playsinline poster=${picture(this.clip, "proxy")} disablepictureinpicture src=${s.address} aria-label=${i ? "" : this.name} aria-hidden=${i ? "true" : "false"} @click=${toggle} @seeked=${arrived} @error=${() => this.lost()}></video>`
      : html`<audio class=${i ? "medium off" : "medium"} preload="auto" src=${s.address} @seeked=${arrived} @error=${() => this.lost()}></audio>`;
    return html`<figure class="screen ${s.kind}">${s.kind === "audio" ? still : nothing}${one(0)}${one(1)}</figure>`;
  }
}

customElements.define("sl-player", Player);
