// A clip's cuts, words and what a person says about them. Answers go to the server one after the other; each is a verdict.
import { get, ofShoot, pauses, send, takeBack } from "../api.js";
import { above, rateOf } from "./time.js";

/** @typedef {{key: string, kind: "cut" | "doubt" | "heard", name: string, operator: string, start: number, end: number, state: string, waits: boolean,
 *   was: [number, number] | null, rule: string, text: string, evidence: Record<string, any>, inside: string[]}} Item */
/** @typedef {{number: number, text: string, start: number, end: number, confidence: number, estimated: boolean, suspect: boolean}} Word */
/** @typedef {{operator: string, state: string | null, waits: boolean, zone: string, by: string | null, cannot_tell: string | null, pace: string | null, cuts: any[], doubts: any[], notes: string[], blind: boolean}} Edit */

const PART = 4000; // words of one answer: reading more at a stretch would hold up the page
export const UNSURE = 0.5; // confidence below which a word is marked

export class Model extends EventTarget {
  /** @param {string} clip */
  constructor(clip) {
    super();
    this.clip = clip;
    /** @type {any} */ this.sheet = null;
    /** @type {Edit[]} */ this.edits = [];
    /** @type {Item[]} */ this.items = [];
    /** @type {Word[]} */ this.words = [];
    /** @type {string | null} */ this.mute = null; // why there are no words
    this.heard = true; // whether all of it has been listened to
    this.rate = 25;
    this.frames = 0;
    /** @type {Uint8Array} */ this.gone = new Uint8Array(); // per word: 1 goes as things stand, 2 would go
    /** @type {Uint8Array} */ this.struck = new Uint8Array();
    /** @type {string | null} */ this.chosen = null;
    /** @type {{key: string, start: number, end: number} | null} */ this.draft = null;
    /** @type {{start: number | null, end: number | null}} */ this.range = { start: null, end: null };
    /** @type {any[]} */ this.left = [];
    /** @type {Promise<any>} */ this.line = Promise.resolve();
    this.since = this.opened = performance.now();
  }

  get item() {
    return this.items.find((one) => one.key === this.chosen) ?? null;
  }

  /** Where an item lies now, a trim that has not been said yet included. @param {Item} item @returns {[number, number]} */
  span(item) {
    return this.draft?.key === item.key ? [this.draft.start, this.draft.end] : [item.start, item.end];
  }

  /** Reads the sheet again; anew where an answer has brought another meanwhile, which may be the younger one. */
  async load() {
    const { sheet } = this;
    const read = await get(ofShoot(`clips/${this.clip}/cuts`));
    if (sheet === this.sheet) this.take(read);
    else await this.load();
  }

  async listen() {
    const breath = pauses();
    /** @type {Word[]} */ const words = [];
    for (;;) {
      const found = await get(`${ofShoot(`clips/${this.clip}/words`)}?first=${words.length}&most=${PART}`);
      for (const word of found.words) {
        words.push(word);
        await breath();
      }
      [this.mute, this.heard] = [found.cannot_tell, found.whole];
      if (found.words.length < PART) break;
    }
    this.words = words;
    this.flag();
    this.tell("words");
  }

  /** @param {any} sheet */
  take(sheet) {
    this.sheet = sheet;
    this.edits = sheet.edits;
    this.rate = rateOf(sheet.rate);
    this.frames = sheet.frames;
    if (sheet.left?.length) this.left = sheet.left;
    this.items = itemsOf(sheet, this.left);
    if (!this.item) this.chosen = (this.items.find((one) => one.waits) ?? this.items[0])?.key ?? null;
    this.flag();
    this.tell("sheet");
  }

  /** Which words go, and which are struck. */
  flag() {
    this.gone = new Uint8Array(this.words.length);
    this.struck = new Uint8Array(this.words.length);
    if (!this.sheet) return;
    for (const [kept, sign] of /** @type {[[number, number][], number][]} */ ([[this.sheet.kept_with_proposed, 2], [this.sheet.kept, 1]])) {
      let at = 0;
      this.words.forEach((word, i) => {
        while (at < kept.length && kept[at][1] / this.rate < word.end - 1e-6) at++;
        if (at >= kept.length || kept[at][0] / this.rate > word.start + 1e-6) this.gone[i] = sign;
      });
    }
    for (const [first, last] of this.sheet.struck) this.struck.fill(1, first, last);
  }

  /** @param {string} what */
  tell(what) {
    this.dispatchEvent(new CustomEvent("change", { detail: what }));
  }

  /** @param {string | null} key */
  choose(key) {
    if (key === this.chosen) return;
    this.settle();
    this.chosen = key;
    this.since = performance.now();
    this.tell("chosen");
  }

  /** The next item that waits, from the chosen one on and around; where none does, the next in doubt. */
  next() {
    const at = this.items.findIndex((one) => one.key === this.chosen);
    const order = [...this.items.slice(at + 1), ...this.items.slice(0, at + 1)];
    return order.find((one) => one.waits) ?? order.find((one) => one.kind !== "cut" && one.state !== "stays") ?? null;
  }

  /** Frames that go: as things stand, and with what is proposed. @param {boolean} proposed @returns {[number, number][]} */
  skips(proposed) {
    /** @type {[number, number][]} */ const found = [];
    let at = 0;
    for (const [start, end] of proposed ? this.sheet.kept_with_proposed : this.sheet.kept) {
      if (start > at) found.push([at, start]);
      at = end;
    }
    if (at < this.frames) found.push([at, this.frames]);
    return found;
  }

  /** The number of the word that is heard at a frame, or the last before it; −1 before the first. @param {number} frame */
  wordAt(frame) {
    return above(this.words.length, (i) => this.words[i].start, (frame + 0.5) / this.rate) - 1;
  }

  // ------------------------------------------------------------ saying

  /** Sends an answer after those before it, and takes the sheet that comes back. @param {string} place @param {unknown} body */
  say(place, body) {
    const done = this.line.then(() => send(place, body)).then((sheet) => {
      this.take(sheet);
      return sheet;
    });
    this.line = done.catch(() => {});
    return done.catch((error) => {
      this.load().catch(() => {});
      throw error;
    });
  }

  /** @param {Item} item @param {"approve" | "drop" | "move"} say @param {[number, number]} [span] */
  answer(item, say, span) {
    const seconds = (performance.now() - this.since) / 1000;
    this.since = performance.now();
    item.waits = false;
    if (item.kind === "cut") item.state = say === "drop" ? "dropped" : say === "move" ? "moved" : "approved";
    const cut = { name: item.name, say, ...(span ? { start: span[0], end: span[1] } : {}) };
    return this.say(ofShoot(`clips/${this.clip}/cuts`), { operator: item.operator, cuts: [cut], seconds });
  }

  /** That what is in doubt, or was heard otherwise, stays as it is. @param {Item} item */
  stay(item) {
    const seconds = (performance.now() - this.since) / 1000;
    this.since = performance.now();
    item.state = "stays";
    this.left = this.left.filter((one) => one.name !== item.name || one.operator !== item.operator);
    return this.say(ofShoot(`clips/${this.clip}/cuts`), { operator: item.operator, cuts: [{ name: item.name, say: "leave" }], seconds });
  }

  /** The edit that waits without a suggestion: what a person cuts meanwhile is theirs for it. */
  get unseen() {
    return this.edits.find((edit) => edit.blind && edit.waits);
  }

  /** A cut of one's own. @param {[number, number]} span @param {string} [name] @param {string} [operator] */
  add(span, name = `own-${span[0]}`, operator = this.unseen?.operator ?? "tighten") {
    this.chosen = `${operator}/${name}`;
    return this.say(ofShoot(`clips/${this.clip}/cuts`), { operator, cuts: [{ name, say: "move", start: span[0], end: span[1] }] });
  }

  /** Moves an edge of the chosen item; it is said once no further key follows. @param {number} start @param {number} end by so many frames */
  trim(start, end) {
    const item = this.item;
    if (!item || item.kind === "heard") return false;
    const [a, b] = this.span(item);
    const [from, to] = [Math.max(0, a + start), Math.min(this.frames, b + end)];
    if (from >= to) return false;
    this.draft = { key: item.key, start: from, end: to };
    this.tell("draft");
    clearTimeout(this.later);
    this.later = setTimeout(() => this.settle(), 700);
    return true;
  }

  /** Says the trim that has not been said yet. */
  settle() {
    clearTimeout(this.later);
    const draft = this.draft;
    const item = draft && this.items.find((one) => one.key === draft.key);
    if (!draft || !item || item.kind !== "cut") return Promise.resolve();
    this.draft = null;
    if (draft.start === item.start && draft.end === item.end) return Promise.resolve();
    [item.start, item.end] = [draft.start, draft.end];
    const said = this.answer(item, "move", [draft.start, draft.end]);
    said.catch((error) => this.dispatchEvent(new CustomEvent("trouble", { detail: error })));
    return said;
  }

  /** @param {string} operator @param {string} say @param {string} [reason] @param {number} [since] when somebody began to look */
  whole(operator, say, reason = "", since = this.since) {
    const seconds = (performance.now() - since) / 1000;
    return this.say(ofShoot(`clips/${this.clip}/verdict`), { operator, say, reason, seconds });
  }

  /** Another pace for the pauses. @param {string} pace */
  pace(pace) {
    return this.say(ofShoot(`clips/${this.clip}/pace`), { pace });
  }

  /** Other settings of what is done to sound or picture. @param {string} operator @param {Record<string, any>} params */
  effect(operator, params) {
    return this.say(ofShoot(`clips/${this.clip}/effect`), { operator, params });
  }

  /** @param {number} first @param {number} last half-open */
  strike(first, last) {
    const back = this.struck.slice(first, last).every(Boolean);
    this.left = [];
    return this.say(ofShoot(`clips/${this.clip}/strike`), { ranges: [[first, last]], back }).then(() => back);
  }

  async undo() {
    await this.settle();
    await this.line;
    const before = JSON.stringify(this.sheet);
    const answer = await takeBack();
    this.left = [];
    await this.load();
    return { undone: Boolean(answer.undone), here: JSON.stringify({ ...this.sheet, left: [] }) !== JSON.stringify({ ...JSON.parse(before), left: [] }) };
  }
}

/** @param {any} sheet @param {any[]} left @returns {Item[]} */
function itemsOf(sheet, left) {
  /** @type {Item[]} */ const found = [];
  for (const edit of sheet.edits) {
    const names = new Set(edit.cuts.map((/** @type {any} */ c) => c.name));
    for (const c of edit.cuts) found.push({ ...c, key: `${c.operator}/${c.name}`, kind: "cut", waits: edit.waits && c.state === "proposed" });
    for (const d of edit.doubts) if (!names.has(d.name)) found.push(doubt(d, "doubt"));
  }
  for (const d of left) found.push(doubt(d, "heard"));
  for (const d of sheet.heard) found.push(doubt(d, "heard"));
  return found.sort((a, b) => a.start - b.start || a.end - b.end);
}

/** @param {any} d @param {"doubt" | "heard"} kind @returns {Item} */
const doubt = (d, kind) => ({ ...d, key: `${kind}/${d.operator}/${d.name}`, kind, state: d.stays ? "stays" : kind, waits: false, was: null, inside: [] });
