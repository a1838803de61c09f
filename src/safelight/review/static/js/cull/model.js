// The shoot as the Cull page holds it: photos, stacks, filter, cursor. What was said here shows at once; what the server
// has confirmed is kept beside it, so that a verdict that was lost can be taken out of the picture again.
import { lines, ofShoot, pauses, send } from "../api.js";

/**
 * @typedef {{id: string, path: string, width: number, height: number, taken: string | null, camera: string,
 *   scene: string | null, group: string | null, decision: "keep" | "reject" | "undecided" | "none", decided: boolean,
 *   by: string | null, proposed: string | null, blind: string[], tie: string | null, score: number | null, reasons: string[],
 *   because: string, findings: string[], faces: number, closed: number, sharpness: number | null, rating: number,
 *   label: string, keywords: string[], zone: string | null, open: string[], edits: number, kind?: "video" | "audio",
 *   duration?: number | null, unplayable?: string}} Photo  `kind` and what follows it: of clips and sounds, which have the decision "none"
 * @typedef {{id: string, kind: string, members: string[], protected: boolean, because: string, best: string | null}} Group
 * @typedef {{id: string, group: Group | null, members: string[]}} Unit
 * @typedef {{undecided: boolean, decision: string, reason: string, zone: string, rating: string, finding: string,
 *   scene: string, camera: string, label: string, text: string}} Filter
 * @typedef {{photos: number, kept: number, rejected: number, undecided: number, open: number, target: number | null}} Counts
 */

/** @returns {Filter} */
export const everything = () => ({
  undecided: false, decision: "", reason: "", zone: "", rating: "", finding: "", scene: "", camera: "", label: "",
  text: "",
});

export class Model extends EventTarget {
  constructor() {
    super();
    /** @type {Map<string, Photo>} */ this.photos = new Map();
    /** @type {Map<string, Photo>} what the server said last */ this.confirmed = new Map();
    /** @type {Map<string, Group>} */ this.groups = new Map();
    /** @type {Photo[]} clips and sounds, by time */ this.clips = [];
    /** @type {Group[]} */ this.scenes = [];
    /** @type {string[]} */ this.order = [];
    /** @type {Unit[]} all stacks and single photos, by time */ this.units = [];
    /** @type {number[]} places in `units` that the filter lets through */ this.shown = [];
    /** @type {Map<string, number>} */ this.unitOf = new Map();
    /** @type {Filter} */ this.filter = everything();
    /** @type {Counts} */ this.counts = { photos: 0, kept: 0, rejected: 0, undecided: 0, open: 0, target: null };
    /** @type {{path: string, cause: string, remedy: string}[]} */ this.failed = [];
    /** @type {Set<string>} marked for comparing */ this.marked = new Set();
    this.revision = -1;
    this.current = "";
    this.arrived = performance.now();
    this.waiting = 0;
    /** @type {Promise<unknown>} requests go one after the other, so that they arrive in the order of the keys */
    this.line = Promise.resolve();
    this.loading = false;
    this.stacked = 0; // how often units were made, so that the newest wins
  }

  /** @param {string} what */
  emit(what) {
    this.dispatchEvent(new CustomEvent(what));
  }

  // ------------------------------------------------------------ from the server

  /** Reads what is new. @param {boolean} [whole] */
  async load(whole = false) {
    if (this.loading) return;
    this.loading = true;
    try {
      if (whole) this.revision = -1; // a new start counts anew
      let since = this.revision;
      do since = await this.read(since); // what was answered meanwhile may be newer than what came here: once more from there
      while (since < this.revision);
    } finally {
      this.loading = false;
    }
  }

  /** @param {number} since @returns {Promise<number>} the revision that was read */
  async read(since) {
    let head = null;
    for await (const line of lines(ofShoot(`photos?since=${since}`))) {
      if (head) this.hold(line);
      else head = line;
    }
    await this.take({ ...head, since });
    return head.revision;
  }

  /** @param {Photo[]} photos */
  hold(photos) {
    for (const photo of photos) {
      this.confirmed.set(photo.id, photo);
      if (!this.waiting || !this.photos.has(photo.id)) this.photos.set(photo.id, photo);
    }
  }

  /** @param {any} found */
  async take(found) {
    this.hold(found.photos);
    if (found.since <= this.revision) this.revision = Math.max(this.revision, found.revision); // else others' changes lie between
    this.counts = found.counts;
    if (found.failed) this.failed = found.failed;
    if (found.order) {
      if (found.clips) this.film(found.clips);
      this.order = this.merged(found.order);
      this.groups = new Map(found.groups.filter((/** @type {Group} */ g) => g.kind !== "scene").map((/** @type {Group} */ g) => [g.id, g]));
      this.scenes = found.groups.filter((/** @type {Group} */ g) => g.kind === "scene");
      await this.stack();
    } else {
      this.emit("photos");
    }
  }

  /** Clips and sounds as they are now. @param {Photo[]} clips */
  film(clips) {
    for (const clip of clips) for (const known of [this.photos, this.confirmed]) known.set(clip.id, clip);
    this.clips = clips;
  }

  /** Photos and clips in one line; what bears no time comes last. @param {string[]} photos @returns {string[]} */
  merged(photos) {
    const waiting = [...this.clips];
    const line = [];
    for (const id of photos) {
      const { taken } = this.at(id);
      while (waiting[0]?.taken && (!taken || waiting[0].taken < taken)) line.push(/** @type {Photo} */ (waiting.shift()).id);
      line.push(id);
    }
    return [...line, ...waiting.map((clip) => clip.id)];
  }

  /** Makes the units: a stack stands where its first photo was taken. Until all are made, those before stand. */
  async stack() {
    const turn = ++this.stacked;
    const [seen, pause, filter] = [new Set(), pauses(), this.filter];
    /** @type {Unit[]} */ const units = [];
    /** @type {number[]} */ const shown = [];
    /** @type {Map<string, number>} */ const unitOf = new Map();
    for (const id of this.order) {
      if (seen.has(id)) continue;
      await pause();
      if (turn !== this.stacked) return;
      const group = this.groups.get(this.photos.get(id)?.group ?? "") ?? null;
      const members = (group && group.members.length > 1 ? group.members : [id]).filter((m) => this.photos.has(m) && !seen.has(m));
      for (const member of members) {
        seen.add(member);
        unitOf.set(member, units.length);
      }
      if (members.some((member) => this.passes(this.at(member)))) shown.push(units.length);
      units.push({ id: group?.id ?? id, group: members.length > 1 ? group : null, members });
    }
    [this.units, this.unitOf] = [units, unitOf];
    for (const known of [this.photos, this.confirmed]) for (const { kind, id } of known.values()) if (kind && !unitOf.has(id)) known.delete(id);
    if (this.filter === filter) this.settle(shown);
    else this.select();
  }

  // ------------------------------------------------------------ filter and cursor

  /** @param {Partial<Filter>} [change] */
  select(change = {}) {
    this.filter = { ...this.filter, ...change };
    /** @type {number[]} */ const shown = [];
    this.units.forEach((unit, place) => {
      if (unit.members.some((id) => this.passes(this.at(id)))) shown.push(place);
    });
    this.settle(shown);
  }

  /** Shows these places in `units`; the cursor stays, or goes to the first. @param {number[]} shown */
  settle(shown) {
    this.shown = shown;
    if (!this.photos.has(this.current) || !this.shown.includes(this.unitOf.get(this.current) ?? -1)) {
      const unit = this.units[this.shown[0] ?? -1];
      this.current = unit ? this.top(unit) : "";
      this.arrived = performance.now();
    }
    this.emit("units");
  }

  /** @param {Photo} p */
  passes(p) {
    const f = this.filter;
    return (
      (!f.undecided || p.open.length > 0) && (!f.decision || p.decision === f.decision) &&
      (!f.reason || p.reasons.includes(f.reason)) && (!f.zone || p.zone === f.zone) &&
      (!f.rating || p.rating >= Number(f.rating)) && (!f.finding || p.findings.includes(f.finding)) &&
      (!f.scene || p.scene === f.scene) && (!f.camera || p.camera === f.camera) && (!f.label || p.label === f.label) &&
      (!f.text || `${p.path} ${p.keywords.join(" ")}`.toLowerCase().includes(f.text.toLowerCase()))
    );
  }

  /** @param {string} id @returns {Photo} */
  at(id) {
    return /** @type {Photo} */ (this.photos.get(id));
  }

  /** @returns {Unit | undefined} */
  get unit() {
    return this.units[this.unitOf.get(this.current) ?? -1];
  }

  /** The photo that a stack shows: what a person kept, else the machine's best. @param {Unit} unit */
  top(unit) {
    return unit.members.find((id) => this.at(id).decided && this.at(id).decision === "keep") ?? unit.group?.best ?? unit.members[0];
  }

  /** @param {string} id */
  go(id) {
    if (!id || id === this.current || !this.photos.has(id)) return;
    this.current = id;
    this.arrived = performance.now();
    this.emit("cursor");
  }

  /** Another unit, so many further among those that are shown. @param {number} by */
  step(by) {
    const here = this.shown.indexOf(this.unitOf.get(this.current) ?? -1);
    const place = this.shown[Math.min(this.shown.length - 1, Math.max(0, here + by))];
    if (place !== undefined) this.go(this.top(this.units[place]));
  }

  /** The next frame of the stack, or beyond it. @param {1 | -1} by */
  frame(by) {
    const unit = this.unit;
    if (!unit) return;
    const next = unit.members[unit.members.indexOf(this.current) + by];
    if (next) this.go(next);
    else this.step(by);
  }

  /** The next unit in which something is open; says whether there was one. @param {number} [from] */
  nextOpen(from = this.unitOf.get(this.current) ?? -1) {
    const open = (/** @type {number} */ place) => this.units[place].members.some((id) => this.at(id).open.length > 0);
    const found = this.shown.find((place) => place > from && open(place)) ?? this.shown.find(open);
    if (found === undefined) return false;
    this.go(this.top(this.units[found]));
    return true;
  }

  /** How long the person has looked at what is shown, in seconds. */
  get seconds() {
    return Math.min(600, (performance.now() - this.arrived) / 1000);
  }

  // ------------------------------------------------------------ saying something

  /** Shows a change at once and sends it. Where it is lost, the photos go back to what the server knows, and so does the
   * cursor. @param {Map<string, Partial<Photo>>} changes @param {string} path @param {unknown} body
   * @param {(error: unknown, back: string[]) => void} failed @returns {Promise<any>} */
  say(changes, path, body, failed) {
    const ids = [...changes.keys()];
    const cursor = this.current;
    for (const [id, change] of changes) this.put(id, { ...this.at(id), ...change });
    this.waiting += 1;
    this.emit("photos");
    const done = this.line.then(() => send(ofShoot(path), body)).then(
      (answer) => {
        this.waiting -= 1;
        for (const id of this.waiting ? [] : ids) this.photos.set(id, this.confirmed.get(id) ?? this.at(id));
        return this.take(answer).then(() => answer);
      },
      (error) => {
        this.waiting -= 1;
        for (const id of ids) this.put(id, /** @type {Photo} */ (this.confirmed.get(id)));
        if (this.photos.has(cursor)) this.go(cursor);
        this.emit("photos");
        failed(error, ids);
        return null;
      },
    );
    this.line = done;
    return done;
  }

  /** @param {string} id @param {Photo} photo */
  put(id, photo) {
    const before = this.at(id);
    const weight = (/** @type {Photo} */ p) => ({
      kept: Number(p.decided && p.decision === "keep"), rejected: Number(p.decided && p.decision === "reject"),
      undecided: Number(!p.decided), open: Number(p.open.length > 0),
    });
    const [was, is] = [weight(before), weight(photo)];
    this.counts = {
      ...this.counts, kept: this.counts.kept + is.kept - was.kept, rejected: this.counts.rejected + is.rejected - was.rejected,
      undecided: this.counts.undecided + is.undecided - was.undecided, open: this.counts.open + is.open - was.open,
    };
    this.photos.set(id, photo);
  }
}
