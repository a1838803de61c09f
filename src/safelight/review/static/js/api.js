// The one way to the server. Every refusal comes as a `Trouble` with cause and remedy; so does a server that is gone.

export class Trouble extends Error {
  /** @param {string} cause @param {string} remedy @param {boolean} lost whether nobody answered */
  constructor(cause, remedy, lost = false) {
    super(cause);
    this.cause = cause;
    this.remedy = remedy;
    this.lost = lost;
  }
}

/** The shoot of this page. */
export const shoot = document.body.dataset.shoot ?? "";

/** @param {string} path below the API of a shoot, or a whole address already @param {string} [of] the shoot, where it is not the page's
 * @returns {string} an address */
export const ofShoot = (path, of = shoot) => (path.startsWith("/") ? path : `/api/shoots/${of}/${path}`);

/** The shoot in which a place lies. @param {string} place as `ofShoot` takes it */
export const shootOf = (place) => ofShoot(place).split("/")[3] ?? shoot;

/** @param {string} id @param {"thumb" | "proxy" | "full" | "before" | "after" | `faces/${number}`} size @param {string} [of] the shoot */
export const picture = (id, size, of = shoot) => `/shoots/${of}/photos/${id}/${size}.jpg`;

/** @param {string} id where the original of a clip or a sound is played from */
export const playing = (id) => `/shoots/${shoot}/photos/${id}/play`;

const LEAVES = 3000; // ms within which a page that is being left is gone; a download only looks as if it were
let leaving = false;
addEventListener("beforeunload", () => {
  leaving = true;
  setTimeout(() => (leaving = false), LEAVES);
});

/** What nobody answered: a server that is gone or, where the page is being left, nothing that anybody waits for.
 * @returns {Promise<never>} */
const unanswered = () =>
  leaving ? new Promise(() => {}) : Promise.reject(new Trouble("The app does not answer.", "See whether `safelight review` still runs in its terminal.", true));

/** @param {string} path @param {RequestInit} [more] @returns {Promise<any>} */
export async function get(path, more = {}) {
  let answer;
  try {
    answer = await fetch(path, more);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    return unanswered();
  }
  const text = await answer.text().catch(() => {
    throw new Trouble("The answer broke off.", "See whether `safelight review` still runs in its terminal.", true);
  });
  const body = text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Trouble(body?.cause ?? `The app said ${answer.status}.`, body?.remedy ?? "");
  return body;
}

const TURN_MS = 6; // of work after which somebody may have pressed a key

/** Lets the page answer keys and draw now and then in the middle of long work: to be awaited as often as one likes. */
export function pauses() {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < TURN_MS) return;
    await new Promise((go) => setTimeout(go));
    since = performance.now();
  };
}

/** Reads an answer line by line, so that a long one never holds up the page.
 * @param {string} path @returns {AsyncGenerator<any, void, void>} the lines, parsed */
export async function* lines(path) {
  const gone = () => new Trouble("The answer broke off.", "See whether `safelight review` still runs in its terminal.", true);
  const answer = await fetch(path, { headers: { Accept: "application/x-ndjson" } }).catch(() => null);
  if (!answer) return unanswered();
  if (!answer.ok || !answer.body) {
    const told = await answer.json().catch(() => null);
    throw new Trouble(told?.cause ?? `The app said ${answer.status}.`, told?.remedy ?? "");
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  /** @type {string[]} */ let begun = [];
  for (;;) {
    const { done, value } = await reader.read().catch(() => { throw gone(); });
    if (done) break;
    const parts = value.split("\n");
    const last = /** @type {string} */ (parts.pop());
    for (const part of parts) {
      yield JSON.parse(begun.join("") + part);
      begun = [];
      await new Promise((go) => setTimeout(go)); // somebody may have pressed a key
    }
    begun.push(last);
  }
  if (begun.join("")) throw gone();
}

/** @param {string} path @param {unknown} body @param {string} [method] @param {RequestInit} [more] */
export const send = (path, body, method = "POST", more = {}) =>
  get(path, { ...more, method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

/** Takes back what was said last: in this shoot or, on a page of all, anywhere. @returns {Promise<any>} */
export const takeBack = () => send(shoot ? ofShoot("undo") : "/api/undo", {});

const LEAST_TOLD = 2500; // ms that a message stays
const TO_READ = 70; // ms for each of its letters: 170 words a minute, so that a long one can be read to its end

/** Says something for as long as it takes to read, to eyes and to screen readers. @param {string} text */
export function tell(text) {
  show("told", text, Math.max(LEAST_TOLD, TO_READ * text.length));
}

/** Says that something went wrong; stays until it is put away. @param {unknown} error */
export function alarm(error) {
  const trouble = error instanceof Trouble ? error : new Trouble(String(error), "Load the page again.");
  show("alarm", `${trouble.cause} ${trouble.remedy}`, 0);
}

/** @param {string} place @param {string} text @param {number} milliseconds */
function show(place, text, milliseconds) {
  const box = document.getElementById(place);
  if (!box) return;
  const line = document.createElement("div");
  line.textContent = text;
  if (!milliseconds) {
    const away = document.createElement("button");
    away.textContent = "Put away";
    away.addEventListener("click", () => line.remove());
    line.append(away);
  }
  box.replaceChildren(line);
  if (milliseconds) setTimeout(() => line.remove(), milliseconds);
}

/** Calls back with each new revision of the shoot, or of all where the page is of none; says once when the app is gone, and when it is back.
 * @param {(revision: number) => void} changed @param {(here: boolean) => void} presence */
export function watch(changed, presence) {
  const source = new EventSource(shoot ? ofShoot("changes") : "/api/changes");
  source.onmessage = (event) => changed(Number(event.data));
  source.onopen = () => presence(true);
  source.onerror = () => presence(false);
  return () => source.close();
}
