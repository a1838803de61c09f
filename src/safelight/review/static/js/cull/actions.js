// What keys and buttons of the Cull page do: each makes the change that is shown at once and the request that records it.
import { refused } from "./clips.js";
import { alarm, takeBack, tell } from "../api.js";

/** @typedef {import("./model.js").Model} Model @typedef {import("./model.js").Photo} Photo @typedef {import("./model.js").Unit} Unit */

export class Actions {
  /** @param {Model} model @param {() => boolean} inGrid whether stacks are shown as one */
  constructor(model, inGrid) {
    this.model = model;
    this.inGrid = inGrid;
    this.me = document.body.dataset.me ?? "";
  }

  /** The stack before us; none where a clip or a sound is, about which nothing can be said. */
  get unit() {
    const { model } = this;
    return model.unit && !refused(model.photos.get(model.current)) ? model.unit : undefined;
  }

  /** The photos that a key is about: a closed stack or a protected set as one, else one photo. */
  get about() {
    const unit = this.model.unit;
    if (!unit) return [];
    return unit.group && (unit.group.protected || this.inGrid()) ? unit.members : [this.model.current];
  }

  /** @param {"keep" | "reject" | "undecided"} decision @param {boolean} advance @returns {void} */
  choose(decision, advance) {
    const { model } = this;
    const { unit } = this;
    if (!unit) return;
    if (decision === "keep" && unit.group && !unit.group.protected && this.inGrid()) return this.best(advance);
    const ids = this.about;
    this.decide({ [decision]: ids }, unit);
    if (advance) this.onward(unit, ids);
  }

  /** The photo before us stays, the rest of its stack goes. @param {boolean} advance @returns {void} */
  best(advance) {
    const { model } = this;
    const { unit } = this;
    if (!unit) return;
    if (!unit.group || unit.group.protected) return this.choose("keep", advance);
    const rest = unit.members.filter((id) => id !== model.current);
    this.decide({ keep: [model.current], reject: rest }, unit);
    if (advance) this.next();
  }

  /** @param {{keep?: string[], reject?: string[], undecided?: string[]}} wanted @param {Unit} unit */
  decide(wanted, unit) {
    const { model } = this;
    /** @type {Map<string, Partial<Photo>>} */
    const changes = new Map();
    for (const decision of /** @type {const} */ (["keep", "reject", "undecided"])) {
      for (const id of wanted[decision] ?? []) {
        const decided = decision !== "undecided";
        const edits = decision === "keep" ? model.at(id).open.filter((name) => name !== "cull") : [];
        changes.set(id, { decision, decided, by: this.me, open: decided ? edits : ["cull"] });
      }
    }
    const body = { ...wanted, seconds: model.seconds, group: unit.group?.id ?? null };
    return model.say(changes, "choices", body, (error, ids) => this.lost(error, ids));
  }

  /** Everything that is proposed for the stack, as it is shown; then the next one that is open. */
  approve() {
    const { model } = this;
    const unit = model.unit;
    if (!unit) return;
    const changes = this.approval(unit);
    if (!changes.size) {
      const waits = unit.members.some((id) => model.at(id).open.length);
      if (waits) tell(unanswered(unit.members.map((id) => model.at(id))));
      else if (!model.nextOpen()) tell("Everything here is answered.");
      return;
    }
    const body = { photos: unit.members, say: "approve", seconds: model.seconds, group: unit.group?.id ?? null };
    model.say(changes, "verdicts", body, (error, ids) => this.lost(error, ids));
    if (!unit.members.some((id) => model.at(id).open.length)) model.nextOpen();
  }

  /** The same for all stacks and photos of the moment that the photo belongs to. */
  approveMoment() {
    const { model } = this;
    const scene = model.photos.get(model.current)?.scene;
    if (!scene) return this.approve();
    const units = model.units.filter((unit) => unit.members.some((id) => model.at(id).scene === scene));
    const changes = new Map(units.flatMap((unit) => [...this.approval(unit)]));
    const left = () => units.filter((unit) => unit.members.some((id) => model.at(id).open.length));
    if (changes.size) {
      const photos = units.flatMap((unit) => unit.members).filter((id) => model.at(id).open.length);
      const body = { photos, say: "approve", seconds: model.seconds, group: scene };
      model.say(changes, "verdicts", body, (error, ids) => this.lost(error, ids));
    }
    const [unsure] = left();
    if (unsure) {
      model.go(model.top(unsure));
      tell(`The machine is not sure about ${left().length === 1 ? "this one" : "some"}: keep with P or reject with X.`);
    } else if (!model.nextOpen()) {
      tell("Everything here is answered.");
    }
  }

  /** What approving a stack as it is shown changes. @param {Unit} unit */
  approval(unit) {
    /** @type {Map<string, Partial<Photo>>} */
    const changes = new Map();
    for (const id of unit.members) {
      const photo = this.model.at(id);
      if (!photo.open.length) continue;
      const decision = photo.decided ? photo.decision : approved(photo, unit);
      const open = photo.open.filter((name) => name !== "cull" && photo.blind.includes(name));
      if (decision && (!photo.decided || open.length < photo.open.length))
        changes.set(id, { decision, decided: true, by: photo.decided ? photo.by : this.me, open: decision === "keep" ? open : [] });
    }
    return changes;
  }

  /** @param {boolean} advance */
  escalate(advance) {
    const { model } = this;
    const { unit } = this;
    if (!unit) return;
    const ids = this.about;
    const changes = new Map(ids.map((id) => [id, /** @type {Partial<Photo>} */ ({ decision: "undecided", decided: false, by: this.me, open: ["cull"] })]));
    const body = { photos: ids, say: "escalate", operators: ["cull"], seconds: model.seconds, group: unit.group?.id ?? null };
    model.say(changes, "verdicts", body, (error, back) => this.lost(error, back));
    tell("Handed to somebody else: it is in the queue.");
    if (advance) this.onward(unit, ids);
  }

  /** @param {Partial<Pick<Photo, "rating" | "label">>} mark @param {boolean} advance */
  mark(mark, advance) {
    const { model } = this;
    if (!this.unit) return;
    const id = model.current;
    const given = mark.label !== undefined && model.at(id).label === mark.label ? { label: "" } : mark;
    model.say(new Map([[id, given]]), "marks", { photos: [id], ...given }, (error, ids) => this.lost(error, ids));
    if (advance) model.frame(1);
  }

  async undo() {
    const { model } = this;
    await model.line;
    try {
      const answer = await takeBack();
      for (const photo of answer.photos) model.photos.set(photo.id, photo);
      await model.take(answer);
      if (!answer.undone) return tell("There is nothing to undo.");
      const first = answer.photos[0];
      if (first) model.go(first.id);
      const left = answer.left.map((/** @type {{path: string, because: string}} */ l) => `${l.path}: ${l.because}.`).join(" ");
      tell(`${answer.undone === "mark" ? "Mark taken back" : "Taken back"}: ${named(answer.photos)}. ${left}`);
    } catch (error) {
      alarm(error);
    }
  }

  /** On to the next frame where one photo was meant, else to the next stack. @param {Unit} unit @param {string[]} ids */
  onward(unit, ids) {
    if (ids.length === unit.members.length) this.next();
    else this.model.frame(1);
  }

  next() {
    const before = this.model.current;
    this.model.step(1);
    if (this.model.current === before) this.model.nextOpen();
  }

  /** @param {unknown} error @param {string[]} ids */
  lost(error, ids) {
    const what = named(ids.map((id) => this.model.at(id)));
    const trouble = /** @type {any} */ (error);
    alarm({ __proto__: Object.getPrototypeOf(trouble), cause: `Not saved: ${what}. ${trouble.cause ?? trouble}`, remedy: trouble.remedy ?? "" });
  }
}

/** Why approving says nothing here. @param {Photo[]} photos */
function unanswered(photos) {
  const open = photos.filter((photo) => photo.open.length);
  if (open.every((photo) => photo.decided)) return "An edit comes without a suggestion: set it on the page Judge edits.";
  if (open.some((photo) => photo.blind.includes("cull"))) return "Shown without a suggestion: keep with P or reject with X.";
  return "The machine is not sure here: keep with P or reject with X.";
}

/** What approving a photo as it is shown means: the machine's proposal; an equal of a stack's best goes.
 * @param {Photo} photo @param {Unit} unit */
function approved(photo, unit) {
  if (photo.proposed === "keep" || photo.proposed === "reject") return photo.proposed;
  return photo.tie && unit.members.length > 1 ? "reject" : null;
}

/** @param {Photo[]} photos */
function named(photos) {
  const first = photos[0]?.path ?? "nothing";
  return photos.length > 1 ? `${first} and ${photos.length - 1} more` : first;
}
